import FeatureDefinitions
import FeatureModel
import PointInTime

/// The columns of a training set: the spine's, untouched and first, then the features, each view's time before them where
/// asked for.
struct TrainingFrame {
    private enum Source {
        case spine(Int)
        case eventTime(view: Int)
        case feature(FeatureSelection.Output)
        case split(TrainingSetSplit)
    }

    let fields: [Field]
    private let sources: [Source]

    /// - Throws: `ambiguous_feature_names` when two columns would have the same name.
    init(
        selection: FeatureSelection, spineFields: [Field], options: TrainingSetOptions
    ) throws(LarderError) {
        var fields = spineFields
        var sources = spineFields.indices.map(Source.spine)
        if options.includesTimestamps {
            for (index, view) in selection.views.enumerated() {
                fields.append(Field(name: "\(view.outputName)__event_timestamp", type: .timestamp))
                sources.append(.eventTime(view: index))
            }
        }
        let names = try selection.outputNames(full: options.usesFullFeatureNames)
        for (output, name) in zip(selection.outputs, names) {
            fields.append(Field(name: name, type: selection.feature(output).type))
            sources.append(.feature(output))
        }
        if let split = options.split {
            fields.append(Field(name: TrainingSetSplit.columnName, type: .string, isNullable: false))
            sources.append(.split(split))
        }
        var seen: Set<String> = []
        for field in fields where !seen.insert(field.name).inserted {
            throw LarderError(
                .ambiguousFeatureNames, "two columns of the training set would be named \"\(field.name)\"",
                hint: Self.hint(for: field.name, spineFields, options))
        }
        self.fields = fields
        self.sources = sources
    }

    private static func hint(
        for name: String, _ spineFields: [Field], _ options: TrainingSetOptions
    ) -> String {
        guard spineFields.contains(where: { $0.name == name }) else {
            return "two versions of a view have their times in one column; leave out the times, or ask for one version"
        }
        let isFixed = options.usesFullFeatureNames || (options.split != nil && name == TrainingSetSplit.columnName)
        return isFixed
            ? "rename the column of the spine" : "ask for full feature names, or rename the column of the spine"
    }

    /// Some rows of the frame.
    /// - Parameters:
    ///   - rows: within the segment.
    ///   - segment: of the spine.
    ///   - firstRow: the segment's first row in the spine, from 0.
    ///   - joins: by view of the selection.
    func batch(
        _ rows: Range<Int>, of segment: SpineSegment, firstRow: Int, _ joins: [AsOfResult]
    ) -> RecordBatch {
        let columns = sources.map { source -> Column in
            switch source {
            case .spine(let index): segment.batch.columns[index].slice(rows)
            case .eventTime(let view): joins[view].eventTimes(rows)
            case .feature(let output): joins[output.view].column(output.feature, rows)
            case .split(let split): Self.parts(of: rows, firstRow: firstRow, segment, split)
            }
        }
        return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
    }

    private static func parts(
        of rows: Range<Int>, firstRow: Int, _ segment: SpineSegment, _ split: TrainingSetSplit
    ) -> Column {
        var column = Column(type: .string)
        column.reserveCapacity(rows.count)
        for row in rows { column.append(string: split.part(ofRow: firstRow + row, at: segment.timestamps[row])) }
        return column
    }
}

extension AsOfResult {
    /// Event times of the chosen rows, null where there is none or it is static data's.
    fileprivate func eventTimes(_ rows: Range<Int>) -> Column {
        var column = Column(type: .timestamp)
        column.reserveCapacity(rows.count)
        for row in rows {
            let isChosen = statusOfRow[row] == .found || statusOfRow[row] == .outsideMaxAge
            let time = Timestamp(microsecondsSince1970: eventTimeOfRow[row])
            if isChosen, time.isFinite {
                column.append(int64: time.microsecondsSince1970)
            } else {
                column.appendNull()
            }
        }
        return column
    }
}
