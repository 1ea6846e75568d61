extension RowChecker {
    /// Bytes that text and bytes among the keys of a row may have together. An entry of PostgreSQL's index holds 2,704, of
    /// which times, numbers and headers take some.
    public static let maximumKeyBytes = 2_000
    /// The reason of a row whose keys are longer.
    public static let longKeyCode = "key_too_long"

    /// Checks that PostgreSQL's index can hold the keys of rows. The longest key of a row is told.
    /// - Parameters:
    ///   - columns: the keys; nulls have no bytes.
    ///   - names: of the columns, in their order.
    ///   - firstRow: the number of the batch's first row in the input, from 1.
    ///   - report: called for each violation, by row.
    public static func checkKeys(
        _ columns: [Column], names: [String], firstRow: Int, report: (_ rowInBatch: Int, RowViolation) -> Void
    ) {
        let keys = zip(names, columns).filter { [ValueType.string, .bytes].contains($0.1.type) }
        let rowCount = keys.first?.1.count ?? 0
        // Most batches have no such bytes in all.
        guard keys.reduce(0, { $0 + $1.1.bytes.count }) > maximumKeyBytes else { return }
        let offsets = keys.map { $0.1.byteOffsets }
        for row in 0..<rowCount {
            var byteCount = 0
            for ends in offsets { byteCount += ends[row + 1] - ends[row] }
            guard byteCount > maximumKeyBytes else { continue }
            let longest = keys.max { $0.1.byteRun(row).count < $1.1.byteRun(row).count }
            report(
                row,
                RowViolation(
                    row: firstRow + row, feature: longest?.0, code: longKeyCode,
                    message: "the keys of the row have \(byteCount) bytes together, more than \(maximumKeyBytes)"))
        }
    }
}
