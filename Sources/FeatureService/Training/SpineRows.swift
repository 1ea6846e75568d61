import FeatureModel
import TextFormats

/// The rows of a spine in the order of the input, cut into segments.
struct SpineRows {
    struct Segment {
        /// All columns.
        let batch: RecordBatch
        /// Keys and timestamps with their types, where `batch` keeps all columns as text.
        var typed: RecordBatch?
    }

    var name: String { input.name }
    /// The columns of which the input does not say what type their values would have.
    var untyped: UntypedColumns { reader.untyped }
    /// Whether all rows have been given out.
    private(set) var isAtEnd = false

    private let input: SpineInput
    private var reader: FrameReader
    /// Reads the same bytes as text; nil where that is not asked for.
    private var textReader: FrameReader?
    private let needed: Set<String>?
    private var typed = GatheredRows()
    private var text = GatheredRows()
    private var hasReadAll = false
    private var violations: [RowViolation] = []
    private var violationCount = 0

    /// - Parameter needed: the columns to read typed, every one also as text; nil reads all of them typed only.
    init(
        _ input: SpineInput, format: FrameFormat, requestKeys: [JoinKey], options: TrainingSetOptions,
        needed: Set<String>?
    ) throws(LarderError) {
        if options.timeZone != nil, format == .arrow || format == .arrows {
            throw LarderError(
                .requestInvalid, "a time zone is given for spine \"\(input.name)\", which is Arrow",
                hint: "it is for times in text; Arrow's without a zone are UTC, so convert them before writing")
        }
        self.input = input
        self.needed = needed
        let declared =
            requestKeys.map { Field(name: $0.name, type: $0.storedType) } + [
                Field(name: options.timestampColumn, type: .timestamp, isNullable: false)
            ]
        var text = TextReadOptions(
            fields: declared, timeZone: options.timeZone, nullSpelling: options.nullSpelling, rounding: .down,
            ambiguity: .earlier, extraColumns: .keep)
        text.missingColumnHints[options.timestampColumn] = SpineSegment.timestampColumnHint
        reader = try FrameReader(format: format, options: text)
        textReader = try needed.map { _ throws(LarderError) in
            try FrameReader(format: format, options: TextReadOptions(fields: [], extraColumns: .keep))
        }
    }

    /// The next rows, none at the end.
    mutating func next(_ limit: SegmentLimit) async throws -> Segment {
        while !hasReadAll, available < limit.rows, typed.byteCount + text.byteCount < limit.bytes {
            try Task.checkCancellation()
            try take(try await input.next())
        }
        let count = min(available, limit.rows)
        let segment = Segment(
            batch: textReader == nil ? typed.takeFirst(count) : text.takeFirst(count),
            typed: textReader == nil ? nil : typed.takeFirst(count))
        isAtEnd = hasReadAll && available == 0
        return segment
    }

    private var available: Int { textReader == nil ? typed.rowCount : min(typed.rowCount, text.rowCount) }

    private mutating func take(_ bytes: [UInt8]) throws(LarderError) {
        try reader.take(bytes)
        while let read = try reader.next() {
            violationCount += read.violations.count
            violations += read.violations.prefix(RowViolation.maximumReported - violations.count)
            typed.append(needed.map { read.batch.keeping($0) } ?? read.batch)
        }
        try textReader?.take(bytes)
        while let read = try textReader?.next() { text.append(read.batch) }
        guard bytes.isEmpty else { return }
        hasReadAll = true
        let header = RecordBatch(fields: reader.fields ?? [])
        typed.begin(needed.map { header.keeping($0) } ?? header)
        if let textReader { text.begin(RecordBatch(fields: textReader.fields ?? [])) }
    }

    /// The types that the values of undeclared columns have, where the format tells numbers from text; nil where it does not.
    func toldTypes(except declared: Set<String>) -> [String: ValueType]? {
        guard case .ndjson = reader else { return nil }
        let fields = (reader.fields ?? []).filter { !declared.contains($0.name) }
        return Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.type) })
    }

    /// - Throws: `spine_invalid` with what could not be read so far.
    func checkViolations() throws(LarderError) {
        guard violationCount > 0 else { return }
        throw LarderError(
            .spineInvalid, "spine \"\(name)\" has \(violationCount) values that cannot be read",
            hint: hint, rows: violations, violationCount: violationCount)
    }

    private var hint: String {
        let codes = Set(violations.map(\.code))
        if codes.contains("timestamp_without_zone") {
            return "times need an offset, or the option timezone (--timezone)"
        }
        // Of the formats only NDJSON can tell of a column this late.
        if codes.contains("extra_field") {
            return "the columns are the members of the first line: write there every member that a later line has, "
                + "null where there is no value"
        }
        return "correct the rows"
    }
}

extension FrameReader {
    /// Takes the next bytes; none are the end.
    fileprivate mutating func take(_ bytes: [UInt8]) throws(LarderError) {
        if bytes.isEmpty { try finish() } else { try feed(bytes) }
    }
}
