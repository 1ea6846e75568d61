internal import FeatureCodec
public import FeatureModel

/// A spine sorted by (entity key, timestamp), ready to be merged with histories.
///
/// One index serves every view with the same entity and key mapping. Rows with a null key are set aside.
/// About 20 bytes a row and the bytes of each distinct key once, with the timestamps shared with the caller.
public struct SpineIndex: Sendable {
    /// In key-name order.
    public let joinKeys: [JoinKey]
    /// Microseconds since 1970, in spine order.
    public let timestamps: [Int64]
    /// Rows with a null join key, ascending.
    public let invalidRows: [Int32]
    /// The other rows, by (key, timestamp).
    public let sortedRows: [Int32]
    /// Where each distinct key's rows start in `sortedRows`, and the end of the last.
    public let groupStarts: [Int32]
    /// Of the rows with keys; nil when there are none.
    public let minimumTimestamp: Timestamp?
    /// Of the rows with keys; nil when there are none.
    public let maximumTimestamp: Timestamp?

    let encoder: EntityKeyEncoder
    /// The distinct keys, ascending, behind one another.
    let keyArena: [UInt8]
    let keyOffsets: [Int]

    public var rowCount: Int { timestamps.count }
    public var distinctKeyCount: Int { keyOffsets.count - 1 }

    /// - Parameters:
    ///   - joinKeys: of the entity; empty for views without one.
    ///   - keyColumns: one for each join key, in key-name order.
    ///   - timestamps: one for each row.
    /// - Throws: `join_key_type`, naming key and row, when a key does not fit; `limit_exceeded` beyond 2^31 - 1 rows.
    public init(joinKeys: [JoinKey], keyColumns: [Column], timestamps: [Int64]) throws(LarderError) {
        precondition(keyColumns.allSatisfy { $0.count == timestamps.count }, "columns of a spine differ in length")
        guard let rowCount = Int32(exactly: timestamps.count) else {
            throw LarderError(.limitExceeded, "the spine has \(timestamps.count) rows, more than \(Int32.max)")
        }
        encoder = EntityKeyEncoder(joinKeys: joinKeys)
        self.joinKeys = encoder.joinKeys
        self.timestamps = timestamps

        var interner = KeyInterner()
        var keyOfRow: [Int32] = []
        keyOfRow.reserveCapacity(timestamps.count)
        var invalidRows: [Int32] = []
        var scratch: [UInt8] = []
        for row in 0..<rowCount {
            scratch.removeAll(keepingCapacity: true)
            if try encoder.append(row: Int(row), of: keyColumns, to: &scratch) {
                keyOfRow.append(interner.intern(scratch))
            } else {
                keyOfRow.append(-1)
                invalidRows.append(row)
            }
        }
        self.invalidRows = invalidRows

        let numbers = interner.sorted()
        (keyArena, keyOffsets) = Self.arranged(interner, by: numbers)
        (sortedRows, groupStarts) = Self.grouped(keyOfRow, numbers: numbers, timestamps: timestamps)
        let times = sortedRows.lazy.map { timestamps[Int($0)] }
        minimumTimestamp = times.min().map(Timestamp.init(microsecondsSince1970:))
        maximumTimestamp = times.max().map(Timestamp.init(microsecondsSince1970:))
    }

    /// The distinct keys as columns of the declared types, in key-name order, rows ascending by key.
    public func distinctKeyColumns() -> [Column] {
        var columns = joinKeys.map { Column(type: $0.type) }
        for index in 0..<distinctKeyCount {
            let key = EntityKey(bytes: Array(keyArena[keyOffsets[index]..<keyOffsets[index + 1]]))
            guard let values = try? encoder.decode(key) else {
                preconditionFailure("a key that was just encoded does not decode")
            }
            for (position, value) in values.enumerated() { columns[position].append(value) }
        }
        return columns
    }

    /// As `EntityKeyEncoder` compares them: before, the same as, or after the distinct key at `index`.
    func compare(_ key: [UInt8], toKeyAt index: Int) -> Int {
        ByteOrder.compare(key.span.bytes, keyArena.span.bytes.extracting(keyOffsets[index]..<keyOffsets[index + 1]))
    }

    private static func arranged(_ interner: KeyInterner, by numbers: [Int32]) -> (arena: [UInt8], offsets: [Int]) {
        var arena: [UInt8] = []
        arena.reserveCapacity(interner.arena.count)
        var offsets = [0]
        offsets.reserveCapacity(numbers.count + 1)
        for number in numbers {
            arena.append(contentsOf: interner.arena[interner.offsets[Int(number)]..<interner.offsets[Int(number) + 1]])
            offsets.append(arena.count)
        }
        return (arena, offsets)
    }

    /// A counting sort by key, then each key's rows by timestamp.
    private static func grouped(
        _ keyOfRow: [Int32], numbers: [Int32], timestamps: [Int64]
    ) -> (rows: [Int32], starts: [Int32]) {
        var rank = [Int32](repeating: 0, count: numbers.count)
        for (position, number) in numbers.enumerated() { rank[Int(number)] = Int32(position) }
        var starts = [Int32](repeating: 0, count: numbers.count + 1)
        for key in keyOfRow where key >= 0 { starts[Int(rank[Int(key)]) + 1] += 1 }
        for index in numbers.indices { starts[index + 1] += starts[index] }

        var rows = [Int32](repeating: 0, count: Int(starts[numbers.count]))
        var next = starts
        for (row, key) in keyOfRow.enumerated() where key >= 0 {
            let group = Int(rank[Int(key)])
            rows[Int(next[group])] = Int32(row)
            next[group] += 1
        }
        for index in numbers.indices where starts[index + 1] - starts[index] > 1 {
            rows[Int(starts[index])..<Int(starts[index + 1])].sort { timestamps[Int($0)] < timestamps[Int($1)] }
        }
        return (rows, starts)
    }
}
