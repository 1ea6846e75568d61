public import FeatureModel

enum ArrowFile {
    static let magic = Array("ARROW1".utf8)
    /// What every message starts with.
    static let continuation: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
    static let endOfStream: [UInt8] = continuation + [0, 0, 0, 0]
}

/// Writes record batches in the Arrow IPC streaming format (metadata V5, little-endian, uncompressed).
///
/// The bytes of `schema`, of any number of `batch` calls and of `end`, in this order, are one stream. A stream without
/// the bytes of `end` shows its reader that it was cut.
public struct ArrowStreamWriter: Sendable {
    private let fields: [Field]
    private let encoder: BatchEncoder

    public init(fields: [Field]) {
        self.init(fields: fields, encoder: BatchEncoder())
    }

    init(fields: [Field], encoder: BatchEncoder) {
        self.fields = fields
        self.encoder = encoder
    }

    public mutating func schema() -> [UInt8] {
        MessageEncoder.schema(fields)
    }

    /// The batch, whose fields are those of the writer. One of more than 512 MiB is written as several; no single value
    /// may be larger than 2 GiB.
    public mutating func batch(_ batch: RecordBatch) -> [UInt8] {
        precondition(batch.fields == fields, "the batch has other fields than its stream")
        return encoder.encode(batch) { _, _ in }
    }

    public mutating func end() -> [UInt8] {
        ArrowFile.endOfStream
    }
}

/// Writes record batches in the Arrow IPC file format: a stream between magic bytes, and a footer that lists where
/// each batch lies. Use as `ArrowStreamWriter`; the bytes must all go to one file, in order.
public struct ArrowFileWriter: Sendable {
    private let fields: [Field]
    private let encoder = BatchEncoder()
    private var position = 0
    private var blocks: [ArrowBlock] = []

    public init(fields: [Field]) {
        self.fields = fields
    }

    public mutating func schema() -> [UInt8] {
        let bytes = ArrowFile.magic + [0, 0] + MessageEncoder.schema(fields)
        position += bytes.count
        return bytes
    }

    public mutating func batch(_ batch: RecordBatch) -> [UInt8] {
        precondition(batch.fields == fields, "the batch has other fields than its file")
        return encoder.encode(batch) { metadata, body in
            blocks.append(ArrowBlock(offset: position, metadataLength: metadata, bodyLength: body))
            position += metadata + body
        }
    }

    public mutating func end() -> [UInt8] {
        let footer = MessageEncoder.footer(fields, blocks: blocks)
        return ArrowFile.endOfStream + footer + UInt32(footer.count).littleEndianBytes + ArrowFile.magic
    }
}

extension UInt32 {
    var littleEndianBytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
    }
}
