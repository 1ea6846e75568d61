/// One field of several rows, none of them null.
public enum PostgresCopyField: Sendable {
    case int32([Int32])
    case int64([Int64])
    case timestamp([PostgresTimestamp])
}

extension PostgresCopyEncoder {
    /// Appends whole rows of fields that are all of a fixed width: room is made once, and what a field is asked once.
    /// - Parameters:
    ///   - fields: in the order of the columns, each with a value for every row.
    ///   - count: of rows.
    /// - Throws: `PostgresError` for an instant that 64 bits since 2000 cannot hold; nothing is appended then.
    public mutating func appendRows(_ fields: [PostgresCopyField], count: Int) throws(PostgresError) {
        assert(missingFields == 0, "the row before lacks \(missingFields) fields")
        var columns: [FixedWidthColumn] = []
        for field in fields { columns.append(try FixedWidthColumn(field)) }
        precondition(columns.allSatisfy { $0.count == count }, "fields of rows differ in number")
        let row = Self.row(of: columns)
        var offset = writer.bytes.count + MemoryLayout<Int16>.size
        writer.bytes.reserveCapacity(writer.bytes.count + count * row.count)
        for _ in 0..<count { writer.bytes.append(contentsOf: row) }
        for column in columns {
            offset += MemoryLayout<Int32>.size
            switch column {
            case .narrow(let values): store(values, at: offset, stride: row.count)
            case .wide(let values): store(values, at: offset, stride: row.count)
            }
            offset += column.width
        }
    }

    /// A row of zeros, with the lengths of its fields.
    private static func row(of columns: [FixedWidthColumn]) -> [UInt8] {
        var row = PostgresBinaryWriter()
        row.append(Int16(truncatingIfNeeded: columns.count))
        for column in columns {
            switch column {
            case .narrow: row.append(counted: Int32(0))
            case .wide: row.append(counted: Int64(0))
            }
        }
        return row.bytes
    }

    /// Overwrites a number in each of the last rows.
    /// - Parameters:
    ///   - offset: of the first.
    ///   - stride: from each to the next.
    private mutating func store<Number: FixedWidthInteger & BitwiseCopyable>(
        _ values: [Number], at offset: Int, stride: Int
    ) {
        unsafe writer.bytes.withUnsafeMutableBytes { bytes in
            for index in values.indices {
                unsafe bytes.storeBytes(
                    of: values[index].bigEndian, toByteOffset: offset + index * stride, as: Number.self)
            }
        }
    }
}

/// Values as PostgreSQL counts them.
private enum FixedWidthColumn {
    case narrow([Int32])
    case wide([Int64])

    init(_ field: PostgresCopyField) throws(PostgresError) {
        switch field {
        case .int32(let values): self = .narrow(values)
        case .int64(let values): self = .wide(values)
        case .timestamp(let values):
            var encoded: [Int64] = []
            encoded.reserveCapacity(values.count)
            for value in values { encoded.append(try value.encoded()) }
            self = .wide(encoded)
        }
    }

    var count: Int {
        switch self {
        case .narrow(let values): values.count
        case .wide(let values): values.count
        }
    }

    /// In bytes.
    var width: Int {
        switch self {
        case .narrow: MemoryLayout<Int32>.size
        case .wide: MemoryLayout<Int64>.size
        }
    }
}
