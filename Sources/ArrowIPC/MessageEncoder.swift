import FeatureModel

/// Where a message lies in a file.
struct ArrowBlock {
    let offset: Int
    /// With its prefix and padding.
    let metadataLength: Int
    let bodyLength: Int
}

/// Writes messages: a prefix, the metadata as a flatbuffer, and for batches a body.
enum MessageEncoder {
    static func schema(_ fields: [Field]) -> [UInt8] {
        var builder = FlatBufferBuilder()
        let schema = SchemaEncoder.encode(fields, into: &builder)
        return message(MessageHeader.schema, header: schema, bodyLength: 0, &builder)
    }

    /// - Parameters:
    ///   - nodes: rows and nulls of each column, children after their parent.
    ///   - buffers: offset in the body and length of each buffer.
    static func recordBatch(
        rowCount: Int, nodes: [[Int64]], buffers: [[Int64]], bodyLength: Int
    ) -> [UInt8] {
        var builder = FlatBufferBuilder()
        let buffers = builder.vector(structs: buffers)
        let nodes = builder.vector(structs: nodes)
        let batch = builder.table([0: .int64(Int64(rowCount)), 1: .reference(nodes), 2: .reference(buffers)])
        return message(MessageHeader.recordBatch, header: batch, bodyLength: bodyLength, &builder)
    }

    static func footer(_ fields: [Field], blocks: [ArrowBlock]) -> [UInt8] {
        var builder = FlatBufferBuilder()
        let schema = SchemaEncoder.encode(fields, into: &builder)
        let dictionaries = builder.vector(structs: [])
        let batches = builder.vector(
            structs: blocks.map { [Int64($0.offset), Int64($0.metadataLength), Int64($0.bodyLength)] })
        let footer = builder.table([
            0: .int16(MetadataVersion.v5), 1: .reference(schema), 2: .reference(dictionaries), 3: .reference(batches),
        ])
        return builder.finish(root: footer)
    }

    private static func message(
        _ type: UInt8, header: FlatBufferBuilder.Reference, bodyLength: Int, _ builder: inout FlatBufferBuilder
    ) -> [UInt8] {
        let message = builder.table([
            0: .int16(MetadataVersion.v5), 1: .int8(type), 2: .reference(header), 3: .int64(Int64(bodyLength)),
        ])
        let metadata = builder.finish(root: message)
        return ArrowFile.continuation + UInt32(metadata.count).littleEndianBytes + metadata
    }
}
