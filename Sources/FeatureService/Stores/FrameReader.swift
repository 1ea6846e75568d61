import ArrowIPC
import FeatureModel
import TextFormats

/// Some rows of a file.
struct FrameBatch {
    let batch: RecordBatch
    /// Number of the first row in the input, from 1.
    let firstRow: Int
    /// The line each row starts on; empty where the input has none.
    let lines: [Int]
    let violations: [RowViolation]
    /// Whether the columns are those of the input, with its nulls. Text is read into the declared columns: a null there may
    /// be a value that is absent.
    var isTyped = false
    var untyped = UntypedColumns.none
    /// The bytes of each row, where the input is text and the reader keeps them.
    var records: RecordBytes?

    /// The line a row of the batch starts on; nil where the input has none.
    func line(of row: Int) -> Int? {
        lines.isEmpty ? nil : lines[row]
    }
}

/// Reads rows of any format from bytes that come in pieces.
enum FrameReader {
    case csv(CSVReader)
    case ndjson(NDJSONReader)
    /// The rows are the elements of a JSON array, whose place in the bytes is told.
    case elements(JSONArrayReader, Range<Int>)
    case arrow(ArrowStreamReader, nextRow: Int)

    /// - Parameters:
    ///   - array: of JSON whose elements are the rows, in the bytes that are fed; these then come in one piece, and the
    ///     format does not matter. Nil where the bytes are rows from end to end.
    ///   - arrowLimits: where the format is Arrow.
    init(
        format: FrameFormat, array: Range<Int>? = nil, options: TextReadOptions, arrowLimits: ArrowLimits = .default
    ) throws(LarderError) {
        if let array {
            self = .elements(try JSONArrayReader(options), array)
            return
        }
        switch format {
        case .csv: self = .csv(try CSVReader(options))
        case .ndjson: self = .ndjson(try NDJSONReader(options))
        case .arrow, .arrows:
            self = .arrow(
                ArrowStreamReader(limits: arrowLimits, options: ArrowReadOptions(rounding: options.rounding)),
                nextRow: 1)
        }
    }

    mutating func feed(_ bytes: [UInt8]) throws(LarderError) {
        switch self {
        case .csv(var reader):
            self = .arrow(ArrowStreamReader(), nextRow: 0)  // keeps the reader's buffers unshared while it changes
            defer { self = .csv(reader) }
            try reader.feed(bytes)
        case .ndjson(var reader):
            self = .arrow(ArrowStreamReader(), nextRow: 0)
            defer { self = .ndjson(reader) }
            try reader.feed(bytes)
        case .elements(var reader, let array):
            self = .arrow(ArrowStreamReader(), nextRow: 0)
            defer { self = .elements(reader, array) }
            try reader.begin(bytes, array)
        case .arrow(var reader, let nextRow):
            self = .arrow(ArrowStreamReader(), nextRow: 0)
            defer { self = .arrow(reader, nextRow: nextRow) }
            try reader.feed(bytes)
        }
    }

    mutating func finish() throws(LarderError) {
        switch self {
        case .csv(var reader):
            try reader.finish()
            self = .csv(reader)
        case .ndjson(var reader):
            try reader.finish()
            self = .ndjson(reader)
        case .elements: break
        case .arrow(var reader, let nextRow):
            try reader.finish()
            self = .arrow(reader, nextRow: nextRow)
        }
    }

    /// The next rows that are complete; nil when more bytes are needed.
    mutating func next() throws(LarderError) -> FrameBatch? {
        switch self {
        case .csv(var reader):
            let read = reader.nextBatch()
            self = .csv(reader)
            return read.map(FrameBatch.init)
        case .ndjson(var reader):
            let read = reader.nextBatch()
            self = .ndjson(reader)
            return read.map(FrameBatch.init)
        case .elements(var reader, let array):
            self = .arrow(ArrowStreamReader(), nextRow: 0)
            defer { self = .elements(reader, array) }
            return try reader.nextBatch().map(FrameBatch.init)
        case .arrow(var reader, let nextRow):
            let read = try reader.nextBatch()
            self = .arrow(reader, nextRow: nextRow + (read?.rowCount ?? 0))
            let untyped = UntypedColumns(reader.untypedColumns)
            return read.map {
                FrameBatch(
                    batch: $0, firstRow: nextRow, lines: [], violations: [], isTyped: true, untyped: untyped)
            }
        }
    }

    /// The columns of the input; nil before they are known.
    var fields: [Field]? {
        switch self {
        case .csv(let reader): reader.fields
        case .ndjson(let reader): reader.inferredFields
        case .elements(let reader, _): reader.inferredFields
        case .arrow(let reader, _): reader.fields
        }
    }

    /// The columns of which the input does not say what type their values would have.
    var untyped: UntypedColumns {
        if case .arrow(let reader, _) = self { UntypedColumns(reader.untypedColumns) } else { .none }
    }

    /// The header line of CSV that is read with its records kept.
    var header: [UInt8]? {
        if case .csv(let reader) = self { reader.header } else { nil }
    }

    /// Whether the input says the types of its columns itself.
    var isTyped: Bool {
        if case .arrow = self { true } else { false }
    }
}

extension FrameBatch {
    fileprivate init(_ read: ReadBatch) {
        self.init(
            batch: read.batch, firstRow: read.firstRow, lines: read.lines, violations: read.violations,
            records: read.records)
    }
}
