import FeatureModel

/// The end of an Arrow file: the schema once more, and where its messages lie.
///
/// Only the footer is sure to find them: some writers put no message with the schema at the start of a file.
struct ArrowFileFooter {
    /// A message's place in the file, inside of it.
    struct Block {
        fileprivate let metadata: Range<Int>
        let body: Range<Int>
    }

    private let table: FlatBufferTable
    /// Where in the file the footer starts, and so the messages have ended.
    private let start: Int

    /// - Parameter file: a file, from any of its bytes on but to its last.
    init(_ file: ArraySlice<UInt8>, limits: ArrowLimits) throws(LarderError) {
        guard file.suffix(ArrowFile.magic.count).elementsEqual(ArrowFile.magic) else {
            throw .malformedArrow("the file ends before its footer", hint: "get the file again; it was cut")
        }
        let beforeMagic = file.dropLast(ArrowFile.magic.count)
        let footer = beforeMagic.dropLast(4)
        // An empty slice, where the input has too few bytes for a length, reads as 0.
        let length = Int(littleEndianInt32: beforeMagic.suffix(4))
        guard length > 0, length <= footer.count else {
            throw .malformedArrow("the file's footer has no valid length")
        }
        guard length <= limits.maximumMetadataBytes else { throw .arrowLimit("the file's footer of \(length) bytes") }
        table = try FlatBufferTable(root: Array(footer.suffix(length)))
        start = footer.endIndex - length
    }

    /// How many record batches the file holds.
    var recordBatchCount: Int {
        get throws(LarderError) { try table.blocks(3).count }
    }

    /// The Schema table.
    func schema() throws(LarderError) -> FlatBufferTable {
        guard let schema = try table.table(1) else { throw .malformedArrow("the file's footer has no schema") }
        return schema
    }

    /// Where the dictionaries and the record batches lie, in the order they are to be read in.
    ///
    /// No two share a byte, so that what they decode to is bounded by the size of the file as that of a stream is.
    func blocks(limits: ArrowLimits) throws(LarderError) -> (dictionaries: [Block], recordBatches: [Block]) {
        let dictionaries = try table.blocks(2).map { stated throws(LarderError) in try block(stated, limits: limits) }
        let batches = try table.blocks(3).map { stated throws(LarderError) in try block(stated, limits: limits) }
        let inOrder = (dictionaries + batches).sorted { $0.metadata.lowerBound < $1.metadata.lowerBound }
        for (earlier, later) in zip(inOrder, inOrder.dropFirst())
        where later.metadata.lowerBound < earlier.body.upperBound {
            throw .malformedArrow("two of the messages that the file's footer lists overlap")
        }
        return (dictionaries, batches)
    }

    private func block(_ stated: FlatBufferTable.Block, limits: ArrowLimits) throws(LarderError) -> Block {
        let (offset, metadataLength, bodyLength) = stated
        guard offset >= 8, metadataLength > 8, bodyLength >= 0, offset <= Int64(start),
            Int64(metadataLength) <= Int64(start) - offset,
            bodyLength <= Int64(start) - offset - Int64(metadataLength)
        else { throw .malformedArrow("the file's footer lists a message that lies outside of the file") }
        guard metadataLength <= limits.maximumMetadataBytes else {
            throw .arrowLimit("a message's metadata of \(metadataLength) bytes")
        }
        guard bodyLength <= Int64(limits.maximumBodyBytes) else {
            throw .arrowLimit("a message's body of \(bodyLength) bytes", hint: "write smaller record batches")
        }
        let body = Int(offset) + Int(metadataLength)
        return Block(metadata: Int(offset)..<body, body: body..<body + Int(bodyLength))
    }
}

extension ArrowFileFooter.Block {
    /// The Message table of the block.
    /// - Parameters:
    ///   - file: the whole file.
    ///   - type: the header that the message has to have.
    func message(in file: [UInt8], type: UInt8) throws(LarderError) -> FlatBufferTable {
        var metadata = file[metadata]
        // Arrow before 0.15 wrote the length without the marker before it.
        if metadata.starts(with: ArrowFile.continuation) { metadata = metadata.dropFirst(4) }
        let length = Int(littleEndianInt32: metadata.prefix(4))
        metadata = metadata.dropFirst(4)
        guard length > 0, length <= metadata.count else {
            throw .malformedArrow("a message has no valid length where the file's footer says it lies")
        }
        let message = try FlatBufferTable(root: Array(metadata.prefix(length)))
        guard try message.integer(1, default: 0 as UInt8) == type else {
            throw .malformedArrow("a message is not of the type that the file's footer lists it as")
        }
        return message
    }
}

extension Int {
    /// The value of a little-endian signed 32-bit integer.
    init(littleEndianInt32 bytes: ArraySlice<UInt8>) {
        self.init(Int32(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }))
    }
}
