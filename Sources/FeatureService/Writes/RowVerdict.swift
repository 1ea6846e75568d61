import FeatureModel

/// What is wrong with the rows of a write so far.
struct RowVerdict: Sendable {
    /// A row that is not written.
    struct BadRow: Sendable {
        /// Position in the batch, from 0.
        let index: Int
        /// Every reason, where these are kept.
        let violations: [RowViolation]
    }

    let target: WriteTarget
    private let keepsReasons: Bool
    private(set) var rowCount: Int64 = 0
    private(set) var badRowCount: Int64 = 0
    private(set) var violationCount = 0
    /// The first `RowViolation.maximumReported`.
    private(set) var violations: [RowViolation] = []
    /// The exact number of reasons by their code.
    private(set) var reasons: [String: Int] = [:]
    /// Of the batch that was added last, ascending.
    private(set) var badRows: [BadRow] = []
    private var rowsInBatch = 0

    /// - Parameter keepsReasons: whether `badRows` have theirs.
    init(_ target: WriteTarget, keepsReasons: Bool = true) {
        self.target = target
        self.keepsReasons = keepsReasons
    }

    var isClean: Bool { violationCount == 0 }

    /// Of the batch that was added last, ascending from 0; nil when every row is good.
    var goodRows: [Int]? {
        guard !badRows.isEmpty else { return nil }
        var bad = badRows[...]
        return (0..<rowsInBatch).filter { row in
            guard bad.first?.index == row else { return true }
            bad.removeFirst()
            return false
        }
    }

    /// Adds a batch.
    /// - Parameters:
    ///   - firstRow: the number of its first row in the input, as `found` counts them.
    ///   - found: in any order; of one row in the order in which its reasons are told.
    mutating func add(rows: Int, firstRow: Int, violations found: [RowViolation]) {
        rowCount += Int64(rows)
        rowsInBatch = rows
        badRows = []
        guard !found.isEmpty else { return }
        violationCount += found.count
        for violation in found { reasons[violation.code, default: 0] += 1 }
        // Positions alone are sorted: there may be many reasons, and they are large.
        let order = found.indices.sorted { (found[$0].row, $0) < (found[$1].row, $1) }
        violations += order.prefix(RowViolation.maximumReported - violations.count).map { found[$0] }
        for group in order.chunked(by: { found[$0].row }) {
            badRows.append(
                BadRow(
                    index: found[group[group.startIndex]].row - firstRow,
                    violations: keepsReasons ? group.map { found[$0] } : []))
        }
        badRowCount += Int64(badRows.count)
    }

    /// - Throws: `rows_rejected` with every reason of the first rows, and exact counts.
    func check() throws(LarderError) {
        guard !isClean else { return }
        let told = violationCount == 1 ? "1 reason" : "\(violationCount) reasons"
        throw LarderError(
            .rowsRejected,
            "\(badRowCount) of \(rowCount) rows for \(target) are refused for \(told); nothing was written",
            hint: "correct the rows and write them again, or write with mode partial, which quarantines the bad rows",
            rows: violations, violationCount: violationCount)
    }
}

extension Array {
    /// Runs of neighbours with equal keys.
    fileprivate func chunked<Key: Equatable>(by key: (Element) -> Key) -> [ArraySlice<Element>] {
        var chunks: [ArraySlice<Element>] = []
        var start = startIndex
        for index in indices where index > start && key(self[index]) != key(self[start]) {
            chunks.append(self[start..<index])
            start = index
        }
        if start < endIndex { chunks.append(self[start...]) }
        return chunks
    }
}
