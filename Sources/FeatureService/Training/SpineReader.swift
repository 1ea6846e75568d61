import FeatureModel
import TextFormats

/// Reads a spine segment by segment, so that one of any size fits into memory.
///
/// Columns of text formats that nobody declared have the types that all of their values have. A spine that is longer than a
/// segment is therefore read twice, first for the types.
struct SpineReader: SpineSegments {
    /// The columns that go into the training set.
    let fields: [Field]
    private var rows: SpineRows
    /// The rows of a spine that was shorter than a segment, or the first ones.
    private var first: SpineRows.Segment?
    private let types: [String: ValueType]
    private let requestKeys: [JoinKey]
    private let options: TrainingSetOptions
    private var rowsRead = 0
    private var hasBegun = false

    /// - Parameters:
    ///   - requestKeys: the columns that hold join keys.
    ///   - keepsText: leaves the columns of CSV the text they are, to the last digit, for an output that is CSV too.
    /// - Throws: `LarderError`.
    static func open(
        _ input: SpineInput, format: FrameFormat, requestKeys: [JoinKey], options: TrainingSetOptions,
        keepsText: Bool, limit: SegmentLimit
    ) async throws -> SpineReader {
        let isVerbatim = format == .csv && keepsText
        let infersTypes = !isVerbatim && (format == .csv || format == .ndjson)
        if infersTypes { try input.keepForSecondReading() }
        let needed = Set(requestKeys.map(\.name) + [options.timestampColumn])
        func rows() throws(LarderError) -> SpineRows {
            try SpineRows(
                input, format: format, requestKeys: requestKeys, options: options, needed: isVerbatim ? needed : nil)
        }
        var reading = try rows()
        let first = try await reading.next(limit)
        guard infersTypes else {
            return SpineReader(
                fields: first.batch.fields, rows: reading, first: first, types: [:], requestKeys: requestKeys,
                options: options)
        }
        var inference = SpineTypes(except: needed)
        inference.observe(first.batch)
        if reading.isAtEnd {
            let types = reading.toldTypes(except: needed) ?? inference.types
            return SpineReader(
                fields: first.batch.converted(to: types).fields, rows: reading, first: first, types: types,
                requestKeys: requestKeys, options: options)
        }
        while !reading.isAtEnd { inference.observe(try await reading.next(limit).batch) }
        try reading.checkViolations()
        try input.rewind()
        let types = reading.toldTypes(except: needed) ?? inference.types
        return SpineReader(
            fields: first.batch.converted(to: types).fields, rows: try rows(), first: nil, types: types,
            requestKeys: requestKeys, options: options)
    }

    /// The next rows; nil at the end, but never instead of the first segment.
    mutating func next(_ limit: SegmentLimit) async throws -> SpineSegment? {
        var segment: SpineRows.Segment
        if let first {
            segment = first
            self.first = nil
        } else {
            if rows.isAtEnd, hasBegun { return nil }
            segment = try await rows.next(limit)
        }
        try rows.checkViolations()
        if hasBegun, segment.batch.rowCount == 0 { return nil }
        hasBegun = true
        let batch = segment.batch.converted(to: types)
        defer { rowsRead += batch.rowCount }
        return try SpineSegment(
            batch, typed: segment.typed ?? batch, firstRow: rowsRead + 1, requestKeys: requestKeys,
            timestampColumn: options.timestampColumn, name: rows.name, untyped: rows.untyped)
    }
}

/// The types that all values of each undeclared text column have.
private struct SpineTypes {
    private let declared: Set<String>
    private var inferences: [String: TypeInference] = [:]

    init(except declared: Set<String>) {
        self.declared = declared
    }

    mutating func observe(_ batch: RecordBatch) {
        for (field, column) in zip(batch.fields, batch.columns) where !declared.contains(field.name) {
            inferences[field.name, default: TypeInference()].observe(column)
        }
    }

    var types: [String: ValueType] { inferences.mapValues(\.type) }
}
