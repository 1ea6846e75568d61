import ArrowIPC
import FeatureModel
import TextFormats

/// Reads the rows of one write, no more than it may have, in batches whose reasons fit into memory should every value
/// be bad.
struct RowReader {
    /// Values of a batch. A reason takes some hundred bytes, and a value may have more than one.
    private static let maximumValues = 1 << 16
    /// Bytes of text that are read at a time. Of them all rows are made, with their reasons, before the first is taken.
    private static let pieceBytes = 1 << 17

    /// What is read from; knows the columns of the input.
    private(set) var frames: FrameReader
    private let maximumRows: Int
    private let maximumBatchRows: Int
    private let maximumPieceBytes: Int
    /// What has not been read yet.
    private var pending: ArraySlice<UInt8> = []
    private var isComplete = false
    private var isFinished = false
    private var rowCount = 0
    /// A batch that is too large, of which the rows from `nextRow` on are still to be handed out.
    private var large: FrameBatch?
    private var nextRow = 0

    /// - Parameters:
    ///   - array: of JSON whose elements are the rows, in the bytes that are fed; these then come in one piece, and the
    ///     format does not matter. Nil where the bytes are rows from end to end.
    ///   - maximumRows: one row more is `too_many_rows`.
    init(
        format: FrameFormat, array: Range<Int>? = nil, maximumRows: Int = .max, options: TextReadOptions
    ) throws(LarderError) {
        self.maximumRows = maximumRows
        maximumBatchRows = max(1, Self.maximumValues / max(1, options.fields.count))
        let isText = format == .csv || format == .ndjson
        maximumPieceBytes = isText && array == nil ? Self.pieceBytes : .max
        var options = options
        // With one row too many in it, a batch need not become larger.
        let enoughRows = maximumRows == .max ? maximumRows : maximumRows + 1
        options.limits.maximumBatchRows = min(options.limits.maximumBatchRows, maximumBatchRows, enoughRows)
        frames = try FrameReader(
            format: format, array: array, options: options, arrowLimits: ArrowLimits(maximumTotalRows: maximumRows))
    }

    /// Takes the next bytes of the input.
    mutating func feed(_ bytes: [UInt8]) {
        pending = pending.isEmpty ? bytes[...] : pending + bytes
    }

    /// Says that the input has ended.
    mutating func finish() {
        isComplete = true
    }

    /// The next rows; nil when more bytes are needed or there are no more.
    /// - Throws: `too_many_rows`, and what makes the whole input unusable.
    mutating func next() throws(LarderError) -> FrameBatch? {
        if large == nil {
            guard let read = try nextFrame() else { return nil }
            rowCount += read.batch.rowCount
            guard rowCount <= maximumRows else { throw .tooManyRows(maximumRows) }
            guard read.batch.rowCount > maximumBatchRows else { return read }
            large = read
        }
        return nextPart()
    }

    private mutating func nextFrame() throws(LarderError) -> FrameBatch? {
        while true {
            if let read = try frames.next() { return read }
            if !pending.isEmpty {
                let piece = Array(pending.prefix(maximumPieceBytes))
                pending = pending.dropFirst(piece.count)
                try frames.feed(piece)
            } else if isComplete, !isFinished {
                isFinished = true
                try frames.finish()
            } else {
                return nil
            }
        }
    }

    /// Only batches of Arrow are too large: its writer chose their size.
    private mutating func nextPart() -> FrameBatch? {
        guard let whole = large else { return nil }
        let rows = nextRow..<min(nextRow + maximumBatchRows, whole.batch.rowCount)
        nextRow = rows.upperBound
        if nextRow == whole.batch.rowCount {
            large = nil
            nextRow = 0
        }
        return FrameBatch(
            batch: whole.batch.slice(rows), firstRow: whole.firstRow + rows.lowerBound, lines: [], violations: [],
            isTyped: whole.isTyped, untyped: whole.untyped)
    }
}
