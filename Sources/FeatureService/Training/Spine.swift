import FeatureModel
import TextFormats

/// The rows a training job brings, whole: every column as it came, with what the join needs found and checked.
struct Spine {
    /// The columns that go into the training set, untouched.
    let fields: [Field]
    let columns: [Column]
    let rowCount: Int
    /// Microseconds since 1970, one a row.
    let timestamps: [Int64]
    private let path: String
    private let typed: GatheredRows

    /// Reads the file.
    /// - Parameters:
    ///   - requestKeys: the columns that hold join keys.
    ///   - keepsText: leaves the columns of CSV the text they are, to the last digit, for an output that is CSV too.
    /// - Throws: `LarderError` `spine_invalid`, `column_missing`, `column_type`, `join_key_missing` or `join_key_type`,
    ///   naming column and row.
    init(
        path: String, format: FrameFormat, requestKeys: [JoinKey], options: TrainingSetOptions, keepsText: Bool
    ) throws(LarderError) {
        self.path = path
        let needed = Set(requestKeys.map(\.name) + [options.timestampColumn])
        let textOptions = TextReadOptions(
            fields: requestKeys.map { Field(name: $0.name, type: $0.storedType) } + [
                Field(name: options.timestampColumn, type: .timestamp, isNullable: false)
            ],
            timeZone: options.timeZone, nullSpelling: options.nullSpelling, rounding: .down, ambiguity: .earlier,
            extraColumns: .keep)
        let isVerbatim = format == .csv && keepsText
        var rows = try SpineRows(path: path, format: format, options: textOptions, needed: isVerbatim ? needed : nil)
        if format == .csv { rows.typed.inferTypes(except: needed) }
        typed = rows.typed
        fields = (rows.verbatim ?? rows.typed).fields
        columns = (rows.verbatim ?? rows.typed).columns
        rowCount = rows.typed.rowCount
        timestamps = try rows.typed.timestamps(options.timestampColumn, path)
        for key in requestKeys { _ = try keyColumn(key) }
    }

    /// The column of a request key, of a type that can hold the key's values.
    /// - Throws: `join_key_missing` or `join_key_type`.
    func keyColumn(_ key: JoinKey) throws(LarderError) -> Column {
        guard let index = typed.fields.firstIndex(where: { $0.name == key.name }) else {
            throw LarderError(
                .joinKeyMissing,
                "spine \"\(path)\" has no column \"\(key.name)\", which a feature view needs as a join key",
                hint: "its columns: \(fields.map(\.name).joined(separator: ", "))")
        }
        let type = typed.columns[index].type
        let isInteger = [.int32, .int64].contains(type) && [.int32, .int64].contains(key.type)
        guard type == key.type || isInteger else {
            throw LarderError(
                .joinKeyType, "column \"\(key.name)\" of spine \"\(path)\" is \(type), the join key is \(key.type)",
                hint: "convert the column to \(key.type)")
        }
        return typed.columns[index]
    }
}

/// The rows of a spine file, gathered.
private struct SpineRows {
    /// With keys and timestamps of their types.
    var typed = GatheredRows()
    /// All columns as the text they are in the file; nil where that was not asked for.
    private(set) var verbatim: GatheredRows?

    /// - Parameter needed: the columns to read typed, every one also as text; nil reads all of them typed only.
    init(
        path: String, format: FrameFormat, options: TextReadOptions, needed: Set<String>?
    ) throws(LarderError) {
        let input = try ByteInput(path: path)
        var reader = try FrameReader(format: format, options: options)
        var textReader = try needed.map { _ throws(LarderError) in
            try FrameReader(format: format, options: TextReadOptions(fields: [], extraColumns: .keep))
        }
        var text = GatheredRows()
        var violations: [RowViolation] = []
        var violationCount = 0
        while true {
            let bytes = try input.next()
            try reader.take(bytes)
            while let read = try reader.next() {
                violationCount += read.violations.count
                violations += read.violations.prefix(RowViolation.maximumReported - violations.count)
                typed.append(needed.map { read.batch.keeping($0) } ?? read.batch)
            }
            try textReader?.take(bytes)
            while let read = try textReader?.next() { text.append(read.batch) }
            if bytes.isEmpty { break }
        }
        guard violationCount == 0 else {
            throw LarderError(
                .spineInvalid, "spine \"\(path)\" has \(violationCount) values that cannot be read",
                hint: "correct the rows; text timestamps need an offset, or a zone said with --timezone",
                rows: violations)
        }
        let header = RecordBatch(fields: reader.fields ?? [])
        typed.begin(needed.map { header.keeping($0) } ?? header)
        if format == .ndjson { typed.convert(to: header.fields) }
        guard let textReader else { return }
        text.begin(RecordBatch(fields: textReader.fields ?? []))
        verbatim = text
    }
}

extension FrameReader {
    /// Takes the next bytes; none are the end.
    fileprivate mutating func take(_ bytes: [UInt8]) throws(LarderError) {
        if bytes.isEmpty { try finish() } else { try feed(bytes) }
    }
}

extension RecordBatch {
    fileprivate func keeping(_ names: Set<String>) -> RecordBatch {
        let kept = fields.indices.filter { names.contains(fields[$0].name) }
        return RecordBatch(fields: kept.map { fields[$0] }, columns: kept.map { columns[$0] }, rowCount: rowCount)
    }
}

/// Batches put together.
private struct GatheredRows {
    private(set) var fields: [Field] = []
    private(set) var columns: [Column] = []
    private(set) var rowCount = 0

    /// The columns of an input that may have no rows.
    mutating func begin(_ batch: RecordBatch) {
        if fields.isEmpty { append(batch) }
    }

    mutating func append(_ batch: RecordBatch) {
        if fields.isEmpty {
            fields = batch.fields
            columns = batch.columns
        } else {
            for index in columns.indices { columns[index].append(contentsOf: batch.columns[index]) }
        }
        rowCount += batch.rowCount
    }

    /// Gives the columns of an input that told its types as it went on the types it ended up with.
    mutating func convert(to target: [Field]) {
        for (index, field) in target.enumerated() where index < columns.count {
            guard let typed = TypeInference.convert(columns[index], to: field.type) else { continue }
            columns[index] = typed
            fields[index] = Field(name: field.name, type: typed.type)
        }
    }

    /// Gives text columns the types that all of their values have.
    mutating func inferTypes(except declared: Set<String>) {
        for index in columns.indices where !declared.contains(fields[index].name) {
            var inference = TypeInference()
            inference.observe(columns[index])
            guard let typed = TypeInference.convert(columns[index], to: inference.type) else { continue }
            columns[index] = typed
            fields[index] = Field(name: fields[index].name, type: typed.type)
        }
    }

    func timestamps(_ name: String, _ path: String) throws(LarderError) -> [Int64] {
        guard let index = fields.firstIndex(where: { $0.name == name }) else {
            throw LarderError(
                .columnMissing, "spine \"\(path)\" has no timestamp column \"\(name)\"",
                hint: "say --timestamp-column; its columns: \(fields.map(\.name).joined(separator: ", "))")
        }
        let column = columns[index]
        guard column.type == .timestamp else {
            throw LarderError(
                .columnType, "column \"\(name)\" of spine \"\(path)\" is \(column.type), not timestamp",
                hint: "convert the column to a timestamp")
        }
        if let row = (0..<column.count).first(where: { column.isNull($0) }) {
            throw LarderError(
                .spineInvalid, "row \(row + 1) of spine \"\(path)\" has a null in timestamp column \"\(name)\"",
                hint: "every row of a spine needs the time its features are wanted for")
        }
        return column.int64s
    }
}
