public import FeatureModel

/// Rows of feature columns to online values.
///
/// Columns are reached by their position throughout: one that is passed on or iterated over is copied each time, eight
/// references up and down for each value of each row.
public struct OnlineRowEncoder: Sendable {
    public let layout: OnlineRowLayout
    private let columns: [Column]
    /// Without any, the bitmap of every row is zero.
    private let hasNulls: Bool

    /// - Parameter columns: the features in schema order, each of its declared type.
    public init(layout: OnlineRowLayout, columns: [Column]) {
        precondition(columns.map(\.type) == layout.schema.features.map(\.type), "columns do not fit the schema version")
        self.layout = layout
        self.columns = columns
        hasNulls = columns.contains { $0.nullCount > 0 }
    }

    /// Appends the value of one row to `out`.
    /// - Parameter order: its schema version is the layout's.
    /// - Throws: `tooLarge`, with `out` as it was, when strings, bytes and arrays of the row exceed 4 GiB.
    public func encode(row: Int, order: RowOrder, into out: inout [UInt8]) throws(CodecError) {
        precondition(order.schemaVersion == layout.schema.version, "the row is of another schema version")
        let start = out.count
        OnlineRowHeader(order: order, isTombstone: false).append(to: &out)
        appendNullBitmap(row: row, to: &out)
        for feature in layout.fixedFeatures { appendFixed(feature, row: row, to: &out) }
        let endsStart = out.count
        out.append(contentsOf: repeatElement(0, count: 4 * layout.variableFeatures.count))
        let payloadStart = out.count
        for (number, position) in layout.variableFeatures.enumerated() {
            appendVariable(position, row: row, to: &out)
            guard let end = UInt32(exactly: out.count - payloadStart) else {
                out.removeSubrange(start...)
                throw .tooLarge
            }
            Self.store(end, at: endsStart + 4 * number, in: &out)
        }
    }

    private func appendNullBitmap(row: Int, to out: inout [UInt8]) {
        guard hasNulls else {
            out.append(contentsOf: repeatElement(0, count: (columns.count + 7) / 8))
            return
        }
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
    private func appendFixed(_ feature: OnlineRowLayout.FixedFeature, row: Int, to out: inout [UInt8]) {
        if columns[feature.position].isNull(row) {
            out.append(contentsOf: repeatElement(0, count: feature.byteCount))
            return
        }
        for index in row * feature.elementCount..<(row + 1) * feature.elementCount {
            appendElement(feature.position, feature.elementType, index: index, to: &out)
        }
    }

    private func appendElement(_ position: Int, _ type: ScalarType, index: Int, to out: inout [UInt8]) {
        switch type {
        case .bool: out.append(columns[position].bools[index] ? 1 : 0)
        case .int32, .date: out.append(littleEndian: columns[position].int32s[index])
        case .int64, .timestamp: out.append(littleEndian: columns[position].int64s[index])
        case .float32: out.append(littleEndian: columns[position].float32s[index].bitPattern)
        case .float64: out.append(littleEndian: columns[position].float64s[index].bitPattern)
        case .string, .bytes: out.append(contentsOf: columns[position].byteRun(index))
        }
    }

    private func appendVariable(_ position: Int, row: Int, to out: inout [UInt8]) {
        guard !columns[position].isNull(row) else { return }
        guard case .array(let element) = columns[position].type else {
            out.append(contentsOf: columns[position].byteRun(row))
            return
        }
        let range = columns[position].elementRange(row)
        if OnlineRowLayout.fixedWidth(of: element) == nil {
            // An end beyond 32 bits means a run beyond 32 bits, which the caller refuses.
            out.append(littleEndian: UInt32(truncatingIfNeeded: range.count))
            let start = columns[position].byteOffsets[range.lowerBound]
            for index in range {
                out.append(littleEndian: UInt32(truncatingIfNeeded: columns[position].byteOffsets[index + 1] - start))
            }
        }
        for index in range { appendElement(position, element, index: index, to: &out) }
    }

    private static func store(_ number: UInt32, at offset: Int, in out: inout [UInt8]) {
        for byte in 0..<4 { out[offset + byte] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(byte))) }
    }
}
