import ArrowIPC
import FeatureModel

extension OnlineResponse {
    /// The answer as an Arrow stream of one record batch, a row for each entity: the keys that were needed, each feature
    /// under its name with its status as text in `NAME__status`, and for each view the event time of the row that answered in
    /// `VIEW__event_timestamp`, null where none did and for static data.
    public func arrowStream() -> [UInt8] {
        var fields: [Field] = []
        var columns: [Column] = []
        func add(_ name: String, _ column: Column) {
            fields.append(Field(name: name, type: column.type))
            columns.append(column)
        }
        for key in keyColumns { add(key.name, key.column) }
        for feature in features {
            add(feature.name, feature.values)
            add("\(feature.name)__status", Self.column(feature.statuses))
        }
        for (view, feature) in firstOfEachView {
            add("\(view)__event_timestamp", Self.column(feature.eventTimes))
        }
        var writer = ArrowStreamWriter(fields: fields)
        return writer.schema() + writer.batch(RecordBatch(fields: fields, columns: columns, rowCount: entityCount))
            + writer.end()
    }

    /// A view asked for in two versions has the version in its name.
    private var firstOfEachView: [(String, Feature)] {
        var firsts: [Feature] = []
        for feature in features where !firsts.contains(where: { $0.viewPosition == feature.viewPosition }) {
            firsts.append(feature)
        }
        return firsts.map { first in
            let isOne = firsts.filter { $0.viewLabel == first.viewLabel }.count == 1
            return (isOne ? first.viewLabel : "\(first.viewLabel)@\(first.schemaVersion)", first)
        }
    }

    private static func column(_ statuses: [FeatureStatus]) -> Column {
        var column = Column(type: .scalar(.string))
        column.reserveCapacity(statuses.count)
        for status in statuses { column.append(string: status.rawValue) }
        return column
    }

    private static func column(_ times: [Timestamp?]) -> Column {
        var column = Column(type: .scalar(.timestamp))
        column.reserveCapacity(times.count)
        for time in times {
            if let time, time.isFinite {
                column.append(int64: time.microsecondsSince1970)
            } else {
                column.appendNull()
            }
        }
        return column
    }
}
