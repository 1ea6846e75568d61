internal import FeatureCodec
public import FeatureModel

/// A spine sorted by (entity key, timestamp), ready to be merged with histories or to be looked up.
///
/// One index serves every view with the same entity and key mapping. Rows with a null key are set aside.
/// About 20 bytes a row, with the keys and timestamps shared with the caller.
public struct SpineIndex: Sendable {
    /// In key-name order, of `JoinKey.storedType`.
    public let joinKeys: [JoinKey]
    /// One for each join key, in spine order and of its type.
    public let keyColumns: [Column]
    /// Number of rows of the spine.
    public let rowCount: Int
    /// Rows with a null join key, ascending.
    public let invalidRows: [Int32]
    /// The other rows, by (key, timestamp), and in spine order where those are equal.
    public let sortedRows: [Int32]
    /// The timestamp of each of `sortedRows`, in microseconds since 1970.
    public let sortedTimes: [Int64]
    /// Where each distinct key's rows start in `sortedRows`, and the end of the last.
    public let groupStarts: [Int32]
    /// Of the rows with keys; nil when there are none.
    public let minimumTimestamp: Timestamp?
    /// Of the rows with keys; nil when there are none.
    public let maximumTimestamp: Timestamp?

    let encoder: EntityKeyEncoder

    public var distinctKeyCount: Int { groupStarts.count - 1 }

    /// - Parameters:
    ///   - joinKeys: of the entity; empty for views without one.
    ///   - keyColumns: one for each join key, in key-name order; integers in either width.
    ///   - timestamps: one for each row, in microseconds since 1970.
    /// - Throws: `join_key_type`, naming key and row, when a key does not fit; `limit_exceeded` beyond 2^31 - 1 rows.
    public init(joinKeys: [JoinKey], keyColumns: [Column], timestamps: [Int64]) throws(LarderError) {
        let declared = EntityKeyEncoder(joinKeys: joinKeys)
        let keys = try Self.keys(keyColumns, encodedBy: declared, timestamps)
        self.init(declared, keyColumns, keys, SpineOrder(keys, timestamps))
    }

    /// The same, sorted by several tasks side by side where there is enough to sort.
    /// - Parameter tasks: how many at most.
    public init(
        joinKeys: [JoinKey], keyColumns: [Column], timestamps: [Int64], tasks: Int
    ) async throws(LarderError) {
        let declared = EntityKeyEncoder(joinKeys: joinKeys)
        let keys = try Self.keys(keyColumns, encodedBy: declared, timestamps)
        let order = await SpineOrder(keys, timestamps, tasks: tasks)
        self.init(declared, keyColumns, keys, order)
    }

    private static func keys(
        _ columns: [Column], encodedBy encoder: EntityKeyEncoder, _ timestamps: [Int64]
    ) throws(LarderError) -> SpineKeys {
        precondition(columns.allSatisfy { $0.count == timestamps.count }, "columns of a spine differ in length")
        guard timestamps.count <= Int(Int32.max) else {
            throw LarderError(.limitExceeded, "the spine has \(timestamps.count) rows, more than \(Int32.max)")
        }
        return try SpineKeys(columns, encodedBy: encoder, rowCount: timestamps.count)
    }

    private init(_ declared: EntityKeyEncoder, _ keyColumns: [Column], _ keys: SpineKeys, _ order: SpineOrder) {
        sortedRows = order.rows
        sortedTimes = order.times
        groupStarts = order.starts
        invalidRows = keys.invalidRows
        rowCount = keys.numbers.count
        joinKeys = declared.joinKeys.map { JoinKey(name: $0.name, type: $0.storedType) }
        self.keyColumns = zip(joinKeys, keyColumns).map { key, column in
            column.widened(to: key.type, onLoss: { _ in }) ?? column
        }
        encoder = EntityKeyEncoder(joinKeys: joinKeys)
        minimumTimestamp = sortedTimes.min().map(Timestamp.init(microsecondsSince1970:))
        maximumTimestamp = sortedTimes.max().map(Timestamp.init(microsecondsSince1970:))
    }

    /// The spine row that a distinct key is read from.
    public func firstRow(ofGroup group: Int) -> Int {
        Int(sortedRows[Int(groupStarts[group])])
    }

    /// Some of the distinct keys, ascending, as columns of their types.
    public func keys(ofGroups groups: some Sequence<Int>) -> [Column] {
        let rows = groups.map { Int32(firstRow(ofGroup: $0)) }
        return keyColumns.map { $0.gathered(at: rows) }
    }

    /// Where the rows of some distinct keys are in `sortedRows`.
    public func positions(ofGroups groups: Range<Int>) -> Range<Int> {
        Int(groupStarts[groups.lowerBound])..<Int(groupStarts[groups.upperBound])
    }

    /// Cuts the distinct keys into at most `count` ranges of about as many rows each; a key is never cut.
    public func groupRanges(count: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        for part in 1...max(1, count) where start < distinctKeyCount {
            let end = max(start + 1, firstGroup(startingAt: sortedRows.count * part / max(1, count)))
            ranges.append(start..<end)
            start = end
        }
        return ranges
    }

    /// The first distinct key whose rows start at or after a position; their number when there is none.
    private func firstGroup(startingAt position: Int) -> Int {
        var lower = 0
        var upper = distinctKeyCount
        while lower < upper {
            let middle = (lower + upper) / 2
            if Int(groupStarts[middle]) < position { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }

    /// Replaces `key` by the bytes of a distinct key, as `EntityKeyEncoder` writes them.
    func encodeKey(ofGroup group: Int, into key: inout [UInt8]) {
        key.removeAll(keepingCapacity: true)
        // It was read once before, so it can be read.
        let isKey = try? encoder.append(row: firstRow(ofGroup: group), of: keyColumns, to: &key)
        assert(isKey == true, "a key of the index is null or of another type")
    }
}
