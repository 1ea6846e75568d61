import FeatureCodec
import FeatureModel

/// A number for each row of a spine, such that numbers compare as the rows' entity keys do.
struct SpineKeys: Sendable {
    /// One for each row; has no meaning where the key is null.
    private(set) var numbers: [UInt64] = []
    /// Rows with a null join key, ascending.
    private(set) var invalidRows: [Int32] = []

    /// - Throws: `join_key_type`, naming key and row.
    init(_ columns: [Column], encodedBy encoder: EntityKeyEncoder, rowCount: Int) throws(LarderError) {
        if let column = columns.first, columns.count == 1, column.type == .int64, encoder.joinKeys[0].type == .int64 {
            // As the encoding does: the sign bit flipped.
            numbers = column.int64s.map { UInt64(bitPattern: $0) ^ (1 << 63) }
            if column.nullCount > 0 {
                invalidRows = (0..<Int32(rowCount)).filter { column.isNull(Int($0)) }
            }
        } else {
            try rank(columns, encodedBy: encoder, rowCount: rowCount)
        }
    }

    /// Numbers the distinct keys by their order.
    private mutating func rank(
        _ columns: [Column], encodedBy encoder: EntityKeyEncoder, rowCount: Int
    ) throws(LarderError) {
        var interner = KeyInterner()
        var keyOfRow: [Int32] = []
        keyOfRow.reserveCapacity(rowCount)
        var scratch: [UInt8] = []
        for row in 0..<rowCount {
            scratch.removeAll(keepingCapacity: true)
            if try encoder.append(row: row, of: columns, to: &scratch) {
                keyOfRow.append(interner.intern(scratch))
            } else {
                keyOfRow.append(0)
                invalidRows.append(Int32(row))
            }
        }
        var rankOfKey = [UInt64](repeating: 0, count: max(1, interner.count))
        for (rank, key) in interner.sorted().enumerated() { rankOfKey[Int(key)] = UInt64(rank) }
        numbers = keyOfRow.map { rankOfKey[Int($0)] }
    }
}
