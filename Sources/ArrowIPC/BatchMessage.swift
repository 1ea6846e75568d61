import FeatureModel

/// A RecordBatch message: its metadata, and the buffers of its body as the columns hold them.
struct BatchMessage {
    let metadata: [UInt8]
    let bodyLength: Int
    private let buffers: [BodyBuffer]

    init(_ batch: RecordBatch) {
        var layout = BodyLayout()
        for column in batch.columns { layout.add(column) }
        buffers = layout.buffers
        bodyLength = layout.length
        metadata = MessageEncoder.recordBatch(
            rowCount: batch.rowCount, nodes: layout.nodes, buffers: layout.places, bodyLength: layout.length)
    }

    /// - Parameter target: of the message's length.
    func write(to target: UnsafeMutableRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: target[..<metadata.count]).copyBytes(from: metadata)
        var start = metadata.count
        for buffer in buffers {
            let end = start + buffer.length
            if end > start { buffer.write(to: UnsafeMutableRawBufferPointer(rebasing: target[start..<end])) }
            start = end.roundedUpToEight
            for place in end..<start { target[place] = 0 }
        }
    }
}

/// Where the buffers of a message's body lie, each at a multiple of 8 bytes.
private struct BodyLayout {
    var nodes: [[Int64]] = []
    var buffers: [BodyBuffer] = []
    /// Offset and length of each buffer.
    var places: [[Int64]] = []
    var length = 0

    mutating func add(_ column: Column) {
        nodes.append([Int64(column.count), Int64(column.nullCount)])
        append(.bytes(column.validity.bits))
        switch column.type {
        case .scalar:
            addElements(column)
        case .array:
            append(.offsets(column.listOffsets))
            addChild(column)
        case .vector:
            addChild(column)
        }
    }

    private mutating func addChild(_ column: Column) {
        nodes.append([Int64(column.elementCount), 0])
        append(.bytes([]))
        addElements(column)
    }

    private mutating func addElements(_ column: Column) {
        switch column.elementType {
        case .bool: append(.bools(column.bools))
        case .int32, .date: append(.int32s(column.int32s))
        case .int64, .timestamp: append(.int64s(column.int64s))
        case .float32: append(.float32s(column.float32s))
        case .float64: append(.float64s(column.float64s))
        case .string, .bytes:
            append(.offsets(column.byteOffsets))
            append(.bytes(column.bytes))
        }
    }

    private mutating func append(_ buffer: BodyBuffer) {
        buffers.append(buffer)
        places.append([Int64(length), Int64(buffer.length)])
        length += buffer.length.roundedUpToEight
    }
}

/// One buffer, shared with its column until it is written.
private enum BodyBuffer {
    case bytes([UInt8])
    case bools([Bool])
    case int32s([Int32])
    case int64s([Int64])
    case float32s([Float])
    case float64s([Double])
    /// Written with 32 bits.
    case offsets([Int])

    var length: Int {
        switch self {
        case .bytes(let values): values.count
        case .bools(let values): (values.count + 7) / 8
        case .int32s(let values): values.count * 4
        case .int64s(let values): values.count * 8
        case .float32s(let values): values.count * 4
        case .float64s(let values): values.count * 8
        case .offsets(let values): values.count * 4
        }
    }

    /// - Parameter target: of the buffer's length, which is not 0.
    func write(to target: UnsafeMutableRawBufferPointer) {
        switch self {
        case .bytes(let values): values.withUnsafeBytes(target.copyMemory)
        case .bools(let values): BitPacking.pack(values, into: target)
        case .int32s(let values): values.withUnsafeBytes(target.copyMemory)
        case .int64s(let values): values.withUnsafeBytes(target.copyMemory)
        case .float32s(let values): values.withUnsafeBytes(target.copyMemory)
        case .float64s(let values): values.withUnsafeBytes(target.copyMemory)
        case .offsets(let values):
            precondition(values[values.count - 1] <= Int(Int32.max), "a value has more than 2 GiB")
            let offsets = values.span
            target.withMemoryRebound(to: Int32.self) { target in
                for index in offsets.indices { target[index] = Int32(truncatingIfNeeded: offsets[index]) }
            }
        }
    }
}

extension Int {
    fileprivate var roundedUpToEight: Int { (self + 7) & ~7 }
}
