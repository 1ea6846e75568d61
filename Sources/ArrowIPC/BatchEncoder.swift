import FeatureModel

/// Writes record batches as messages.
struct BatchEncoder {
    /// The largest offset of strings, bytes and arrays.
    let maximumOffset: Int

    /// Appends the batch as one message, or as several where one needs larger offsets.
    /// - Parameter onMessage: told the length of each message's metadata and body.
    func encode(
        _ batch: RecordBatch, into out: inout [UInt8], onMessage: (_ metadata: Int, _ body: Int) -> Void
    ) {
        if batch.rowCount > 1, batch.columns.contains(where: { $0.largestOffset > maximumOffset }) {
            let middle = batch.rowCount / 2
            encode(batch.slice(0..<middle), into: &out, onMessage: onMessage)
            encode(batch.slice(middle..<batch.rowCount), into: &out, onMessage: onMessage)
            return
        }
        var body = BodyLayout()
        for column in batch.columns { body.add(column) }
        let metadata = MessageEncoder.recordBatch(
            rowCount: batch.rowCount, nodes: body.nodes, buffers: body.buffers, bodyLength: body.bytes.count)
        onMessage(metadata.count, body.bytes.count)
        out.append(contentsOf: metadata)
        out.append(contentsOf: body.bytes)
    }
}

extension Column {
    fileprivate var largestOffset: Int { max(bytes.count, listOffsets.last ?? 0) }
}

/// A message's body under construction: each buffer starts at a multiple of 8 bytes.
private struct BodyLayout {
    var bytes: [UInt8] = []
    var nodes: [[Int64]] = []
    var buffers: [[Int64]] = []

    mutating func add(_ column: Column) {
        nodes.append([Int64(column.count), Int64(column.nullCount)])
        append(column.validity.bits)
        switch column.type {
        case .scalar:
            addElements(column)
        case .array:
            addOffsets(column.listOffsets)
            addChild(column)
        case .vector:
            addChild(column)
        }
    }

    private mutating func addChild(_ column: Column) {
        nodes.append([Int64(column.elementCount), 0])
        append([UInt8]())
        addElements(column)
    }

    private mutating func addElements(_ column: Column) {
        switch column.elementType {
        case .bool: append(packed(column.bools))
        case .int32, .date: append(column.int32s)
        case .int64, .timestamp: append(column.int64s)
        case .float32: append(column.float32s)
        case .float64: append(column.float64s)
        case .string, .bytes:
            addOffsets(column.byteOffsets)
            append(column.bytes)
        }
    }

    private mutating func addOffsets(_ offsets: [Int]) {
        append(offsets.map { Int32($0) })
    }

    private mutating func append(_ values: [some BitwiseCopyable]) {
        let start = bytes.count
        values.withUnsafeBytes { bytes.append(contentsOf: $0) }
        buffers.append([Int64(start), Int64(bytes.count - start)])
        let padding = (8 - bytes.count % 8) % 8
        for _ in 0..<padding { bytes.append(0) }
    }

    private func packed(_ bools: [Bool]) -> [UInt8] {
        var bits = [UInt8](repeating: 0, count: (bools.count + 7) / 8)
        for (index, value) in bools.enumerated() where value { bits[index >> 3] |= 1 << UInt8(index & 7) }
        return bits
    }
}
