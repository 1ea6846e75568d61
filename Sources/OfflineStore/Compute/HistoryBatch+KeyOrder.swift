import FeatureModel
import PointInTime

extension HistoryBatch {
    private static let bucketBits = 11

    /// The rows by first join key, roughly: rows that are copied so go through the index from left to right, and find the
    /// pages of their neighbours still at hand.
    ///
    /// One pass of a radix sort, over the highest bits in which the keys differ; of text the first eight bytes count.
    var rowsByKey: [Int] {
        // A view without an entity has no keys.
        let keys = keyColumns.first.map(Self.numbers) ?? []
        guard let least = keys.min(), let greatest = keys.max(), least < greatest else { return Array(0..<rowCount) }
        let shift = max(0, UInt64.bitWidth - (greatest - least).leadingZeroBitCount - Self.bucketBits)
        func bucket(_ key: UInt64) -> Int { Int((key - least) >> UInt64(shift)) }

        var starts = [Int](repeating: 0, count: 1 << Self.bucketBits + 1)
        for key in keys { starts[bucket(key) + 1] += 1 }
        for index in starts.indices.dropFirst() { starts[index] += starts[index - 1] }
        var rows = [Int](repeating: 0, count: keys.count)
        for row in keys.indices {
            let bucket = bucket(keys[row])
            rows[starts[bucket]] = row
            starts[bucket] += 1
        }
        return rows
    }

    /// A number for each row that ascends with its key; empty for keys of two values.
    private static func numbers(_ column: Column) -> [UInt64] {
        switch column.elementType {
        case .int32, .date: column.int32s.map { number(Int64($0)) }
        case .int64, .timestamp: column.int64s.map(number)
        case .string, .bytes: (0..<column.count).map { number(column.byteRun($0)) }
        case .bool, .float32, .float64: []
        }
    }

    private static func number(_ integer: Int64) -> UInt64 { UInt64(bitPattern: integer) ^ 1 << 63 }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var number: UInt64 = 0
        for byte in bytes.prefix(8) { number = number << 8 | UInt64(byte) }
        return number << UInt64(8 * (8 - min(8, bytes.count)))
    }
}
