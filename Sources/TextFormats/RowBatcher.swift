import FeatureModel

/// Collects rows into batches, with the line of each and what is wrong with it.
struct RowBatcher {
    /// Past this many, a batch is handed out early, so that hopeless input does not fill the memory.
    private static let maximumViolations = 10_000

    let fields: [Field]
    private let limits: TextLimits
    /// What a row takes in memory besides its text: a null vector is as large as any other.
    private let bytesPerRow: Int
    var columns: [Column]
    /// Of the rows that have one.
    private var lines: [Int] = []
    private var rowCount = 0
    private var violations: [RowViolation] = []
    private var records: RecordBytes?
    private var bytes = 0
    private var firstRow = 1
    private var finished: [ReadBatch] = []

    init(fields: [Field], limits: TextLimits, keepsRecords: Bool) {
        self.fields = fields
        self.limits = limits
        records = keepsRecords ? RecordBytes() : nil
        columns = fields.map { Column(type: $0.type) }
        bytesPerRow = fields.reduce(0) { sum, field in
            if case .vector(let dimension) = field.type { sum + dimension * 4 } else { sum + 8 }
        }
    }

    private var currentRow: Int { firstRow + rowCount }

    /// Says what is wrong with the row under construction.
    mutating func report(_ code: String, feature: String?, line: Int?, _ message: String) {
        violations.append(RowViolation(row: currentRow, line: line, feature: feature, code: code, message: message))
    }

    /// Keeps the bytes of the row under construction, if they are wanted.
    mutating func keep(_ record: ArraySlice<UInt8>) {
        records?.append(record)
    }

    /// Ends the row under construction: each column has got its value.
    /// - Parameters:
    ///   - line: nil where rows have none.
    ///   - bytes: the length of its text.
    mutating func endRow(line: Int?, bytes: Int) {
        if let line { lines.append(line) }
        rowCount += 1
        self.bytes += bytes + bytesPerRow
        if rowCount >= limits.maximumBatchRows || self.bytes >= limits.maximumBatchBytes
            || violations.count >= Self.maximumViolations
        {
            flush()
        }
    }

    /// Hands out what has been collected, also when it is little.
    mutating func flush() {
        guard rowCount > 0 else { return }
        let batch = RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
        finished.append(
            ReadBatch(batch: batch, firstRow: firstRow, lines: lines, violations: violations, records: records))
        firstRow += rowCount
        columns = fields.map { Column(type: $0.type) }
        lines.removeAll()
        rowCount = 0
        violations.removeAll()
        if records != nil { records = RecordBytes() }
        bytes = 0
    }

    mutating func next() -> ReadBatch? {
        finished.isEmpty ? nil : finished.removeFirst()
    }
}
