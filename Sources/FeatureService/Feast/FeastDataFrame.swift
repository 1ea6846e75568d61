import FeatureDefinitions
import FeatureModel
import TextFormats

/// Rows as Feast's clients send them: the values of each column by its name.
struct FeastDataFrame: Sendable {
    private struct FrameColumn {
        let name: String
        let values: [JSONValue]
    }

    /// What Feast's remote online store calls the two times of a row, whatever they are called in the source.
    private static let eventTimeColumn = "event_timestamp"
    private static let createdColumn = "created"

    private let columns: [FrameColumn]

    /// Reads `{"driver_id": [1001, 1002], "conv_rate": [0.5, null], ...}`.
    /// - Throws: `request_invalid` naming the column.
    init(_ json: JSONValue?) throws(LarderError) {
        let hint = #"write "df": {"KEY": [1, 2], "event_timestamp": ["2026-01-01T00:00:00", ...], "FEATURE": [0.5, 1]}"#
        guard case .object(let members) = json else {
            throw LarderError(.requestInvalid, "\"df\" is no object of columns", hint: hint)
        }
        var columns: [FrameColumn] = []
        for member in members {
            guard case .array(let values) = member.value else {
                throw LarderError(
                    .requestInvalid, "column \"\(member.name.prefix(63))\" of \"df\" is no array", hint: hint)
            }
            if let first = columns.first, first.values.count != values.count {
                throw LarderError(
                    .requestInvalid,
                    "columns \"\(first.name.prefix(63))\" and \"\(member.name.prefix(63))\" of \"df\" have "
                        + "\(first.values.count) and \(values.count) values",
                    hint: "give every column one value for each row")
            }
            columns.append(FrameColumn(name: member.name, values: values))
        }
        self.columns = columns
    }

    /// The rows as the version of a view that they go to takes them. A column that the view's source has and the view
    /// does not is left out: one push feeds several views.
    ///
    /// - Throws: `column_unknown` for a column that neither of them has.
    func rows(for push: PushTarget) throws(LarderError) -> RowPayload {
        let fields = Self.fields(of: push)
        var taken: [(field: Field, values: [JSONValue])] = []
        for column in columns {
            guard let field = try field(for: column.name, among: fields, push) else { continue }
            taken.append((field, column.values))
        }
        let rows = (0..<(columns.first?.values.count ?? 0)).map { row in
            JSONValue.object(
                taken.map { column in
                    JSONValue.Member(column.field.name, Self.value(column.values[row], as: column.field.type))
                })
        }
        return try RowPayload(json: .array(rows))
    }

    private static func fields(of push: PushTarget) -> [Field] {
        let keys = push.home.generation.joinKeys.map { Field(name: $0.name, type: $0.type) }
        let times = [push.source.timestampColumn, push.source.createdTimestampColumn].compactMap { name in
            name.map { Field(name: $0, type: .timestamp) }
        }
        let features = push.version.features.map { Field(name: $0.name, type: $0.type) }
        return keys + times + features + [Field(name: RawRowShape.deletedColumn, type: .bool)]
    }

    /// What a column becomes; nil where it is left out.
    private func field(
        for name: String, among fields: [Field], _ push: PushTarget
    ) throws(LarderError) -> Field? {
        if let field = fields.first(where: { $0.name == name }) { return field }
        switch name {
        case Self.eventTimeColumn: return timeField(push.source.timestampColumn)
        case Self.createdColumn: return timeField(push.source.createdTimestampColumn)
        default: break
        }
        if push.source.visibleColumns.contains(where: { $0.name == name }) { return nil }
        let known = fields.map(\.name)
        throw LarderError(
            .columnUnknown,
            "neither feature view \"\(push.home.view.name)\" nor its source has a column \"\(name.prefix(63))\"",
            hint: NameRule.nearest(to: name, in: known).map { "did you mean \"\($0)\"?" }
                ?? "the view's fields: \(known.joined(separator: ", "))")
    }

    /// The source's own column, unless it has none or the frame has that as well.
    private func timeField(_ name: String?) -> Field? {
        guard let name, !columns.contains(where: { $0.name == name }) else { return nil }
        return Field(name: name, type: .timestamp)
    }

    private static func value(_ value: JSONValue, as type: ValueType) -> JSONValue {
        switch (type, value) {
        case (.scalar(.timestamp), _): time(value)
        case (.array(.timestamp), .array(let elements)): .array(elements.map(time))
        default: value
        }
    }

    /// A time with its offset. Times that are features come in whole seconds since 1970, of which the least is null.
    /// What is no time is left to the checks of the rows.
    private static func time(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text):
            if case .civil? = TimestampText.parse(text.utf8, rounding: .up) { return .string(text + "Z") }
            return value
        case .number(let digits):
            guard let seconds = Int64(digits) else { return value }
            if seconds == .min { return .null }
            let (microseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
            let time = Timestamp(microsecondsSince1970: microseconds)
            return overflow || !time.isRepresentable ? value : .string(time.description)
        default: return value
        }
    }
}
