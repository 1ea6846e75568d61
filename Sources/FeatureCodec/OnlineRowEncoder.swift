public import FeatureModel

/// Rows of feature columns to online values.
public struct OnlineRowEncoder: Sendable {
    public let layout: OnlineRowLayout
    private let columns: [Column]

    /// - Parameter columns: the features in schema order, each of its declared type.
    public init(layout: OnlineRowLayout, columns: [Column]) {
        precondition(columns.map(\.type) == layout.schema.features.map(\.type), "columns do not fit the schema version")
        self.layout = layout
        self.columns = columns
    }

    /// Appends the value of one row to `out`.
    /// - Parameter order: its schema version is the layout's.
    /// - Throws: `tooLarge`, with `out` as it was, when strings, bytes and arrays of the row exceed 4 GiB.
    public func encode(row: Int, order: RowOrder, into out: inout [UInt8]) throws(CodecError) {
        precondition(order.schemaVersion == layout.schema.version, "the row is of another schema version")
        let start = out.count
        OnlineRowHeader(order: order, isTombstone: false).append(to: &out)
        appendNullBitmap(row: row, to: &out)
        for column in columns where OnlineRowLayout.fixedWidth(of: column.type) != nil {
            Self.appendFixed(column, row: row, to: &out)
        }
        let endsStart = out.count
        out.append(contentsOf: repeatElement(0, count: 4 * layout.variableFeatures.count))
        let payloadStart = out.count
        for (number, feature) in layout.variableFeatures.enumerated() {
            Self.appendVariable(columns[feature], row: row, to: &out)
            guard let end = UInt32(exactly: out.count - payloadStart) else {
                out.removeSubrange(start...)
                throw .tooLarge
            }
            Self.store(end, at: endsStart + 4 * number, in: &out)
        }
    }

    private func appendNullBitmap(row: Int, to out: inout [UInt8]) {
        var byte: UInt8 = 0
        for index in columns.indices {
            if columns[index].isNull(row) { byte |= 1 << UInt8(index & 7) }
            if index & 7 == 7 {
                out.append(byte)
                byte = 0
            }
        }
        if columns.count & 7 != 0 { out.append(byte) }
    }

    /// Null rows of a column may hold anything underneath; in a value they are zeros.
    private static func appendFixed(_ column: Column, row: Int, to out: inout [UInt8]) {
        if column.isNull(row) {
            out.append(contentsOf: repeatElement(0, count: OnlineRowLayout.fixedWidth(of: column.type) ?? 0))
        } else if case .vector(let dimension) = column.type {
            for index in row * dimension..<(row + 1) * dimension { appendElement(column, index: index, to: &out) }
        } else {
            appendElement(column, index: row, to: &out)
        }
    }

    private static func appendElement(_ column: Column, index: Int, to out: inout [UInt8]) {
        switch column.elementType {
        case .bool: out.append(column.bools[index] ? 1 : 0)
        case .int32, .date: out.append(littleEndian: column.int32s[index])
        case .int64, .timestamp: out.append(littleEndian: column.int64s[index])
        case .float32: out.append(littleEndian: column.float32s[index].bitPattern)
        case .float64: out.append(littleEndian: column.float64s[index].bitPattern)
        case .string, .bytes: out.append(contentsOf: column.byteRun(index))
        }
    }

    private static func appendVariable(_ column: Column, row: Int, to out: inout [UInt8]) {
        guard !column.isNull(row) else { return }
        guard case .array(let element) = column.type else {
            out.append(contentsOf: column.byteRun(row))
            return
        }
        let range = column.elementRange(row)
        if OnlineRowLayout.fixedWidth(of: element) == nil {
            // An end beyond 32 bits means a run beyond 32 bits, which the caller refuses.
            out.append(littleEndian: UInt32(truncatingIfNeeded: range.count))
            let start = column.byteOffsets[range.lowerBound]
            for index in range {
                out.append(littleEndian: UInt32(truncatingIfNeeded: column.byteOffsets[index + 1] - start))
            }
        }
        for index in range { appendElement(column, index: index, to: &out) }
    }

    private static func store(_ number: UInt32, at offset: Int, in out: inout [UInt8]) {
        for byte in 0..<4 { out[offset + byte] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(byte))) }
    }
}
