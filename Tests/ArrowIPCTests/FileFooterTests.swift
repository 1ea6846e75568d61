import FeatureModel
import Testing

@testable import ArrowIPC

@Suite("Arrow files of which only the footer finds the messages")
struct FileFooterTests {
    private let limits = ArrowLimits(
        maximumMetadataBytes: 1 << 16, maximumBodyBytes: 1 << 20, maximumHeldFileBytes: 1 << 20,
        maximumDecodedBytes: 1 << 22, maximumRows: 1 << 16, maximumColumns: 64)

    /// What lies where a file with its schema in front would have that message.
    private static let lead: [UInt8] = ArrowFile.magic + [0, 0, 4, 0, 0, 0, 0, 0, 0, 0]
    private let fields = [Field(name: "x", type: .int64)]

    /// The message of a batch of one int64 column.
    private func message(_ values: [UInt8]) -> [UInt8] {
        let body: [UInt8] = values.flatMap { [$0] + [UInt8](repeating: 0, count: 7) }
        return MessageEncoder.recordBatch(
            rowCount: values.count, nodes: [[Int64(values.count), 0]], buffers: [[0, 0], [0, Int64(body.count)]],
            bodyLength: body.count) + body
    }

    /// How many bytes of a message with `rows` rows are metadata.
    private func metadataLength(_ message: [UInt8], rows: Int) -> Int { message.count - rows * 8 }

    private func file(_ messages: [UInt8], blocks: [[Int64]]) -> [UInt8] {
        var builder = FlatBufferBuilder()
        let schema = SchemaEncoder.encode(fields, into: &builder)
        return close(Self.lead + messages, schema: schema, batches: blocks, &builder)
    }

    private func close(
        _ messages: [UInt8], schema: FlatBufferBuilder.Reference, dictionaries: [[Int64]] = [], batches: [[Int64]],
        _ builder: inout FlatBufferBuilder
    ) -> [UInt8] {
        let dictionaries = builder.vector(structs: dictionaries)
        let batches = builder.vector(structs: batches)
        let footer = builder.finish(
            root: builder.table([
                0: .int16(MetadataVersion.v5), 1: .reference(schema), 2: .reference(dictionaries),
                3: .reference(batches),
            ]))
        return messages + footer + UInt32(footer.count).littleEndianBytes + ArrowFile.magic
    }

    /// A stream of one dictionary-encoded text column "origin" as a file that only its footer finds.
    private func file(ofStream name: String) throws -> [UInt8] {
        var bytes = Self.lead
        var blocks: [UInt8: [[Int64]]] = [:]
        var rest = try Fixtures.bytes(name)[...]
        while case let length = Int(littleEndianInt32: rest.dropFirst(4).prefix(4)), length > 0 {
            let message = try FlatBufferTable(root: Array(rest.dropFirst(8).prefix(length)))
            let body: Int64 = try message.integer(3, default: 0)
            let type: UInt8 = try message.integer(1, default: 0)
            blocks[type, default: []].append([Int64(bytes.count), Int64(8 + length), body])
            bytes += rest.prefix(8 + length + Int(body))
            rest = rest.dropFirst(8 + length + Int(body))
        }
        var builder = FlatBufferBuilder()
        let name = builder.string("origin")
        let type = builder.table([:])
        let dictionary = builder.table([0: .int64(0)])
        let field = builder.table([
            0: .reference(name), 1: .bool(true), 2: .int8(TypeTag.utf8), 3: .reference(type),
            4: .reference(dictionary),
        ])
        let fields = builder.vector([field])
        let schema = builder.table([1: .reference(fields)])
        return close(
            bytes, schema: schema, dictionaries: blocks[MessageHeader.dictionaryBatch] ?? [],
            batches: blocks[MessageHeader.recordBatch] ?? [], &builder)
    }

    private func failure(_ bytes: [UInt8], limits: ArrowLimits = .default) -> LarderError? {
        do {
            _ = try readAll(bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test("batches come in the footer's order, with gaps between them and without markers before their lengths")
    func order() throws {
        let first = message([1, 2])
        let second = Array(message([3]).dropFirst(4))
        let start = Int64(Self.lead.count)
        let metadata = Int64(metadataLength(first, rows: 2))
        let blocks: [[Int64]] = [
            [start + Int64(first.count) + 5, Int64(metadataLength(second, rows: 1)), 8], [start, metadata, 16],
        ]
        let bytes = file(first + [9, 9, 9, 9, 9] + second + [7], blocks: blocks)
        var reader = ArrowStreamReader()
        try reader.feed(bytes)
        #expect(reader.fields == nil)
        #expect(try reader.nextBatch() == nil)
        try reader.finish()
        #expect(reader.fields == fields)
        #expect(try reader.nextBatch()?.columns[0].int64s == [3])
        #expect(try reader.nextBatch()?.columns[0].int64s == [1, 2])
        #expect(try reader.nextBatch() == nil)
        #expect(failure(file([], blocks: [])) == nil)
        #expect(throws: LarderError.self) { try reader.feed([0]) }
    }

    @Test("blocks that leave the file, overlap or state lengths that are none are refused")
    func blocks() throws {
        let one = message([1, 2])
        let start = Int64(Self.lead.count)
        let metadata = Int64(metadataLength(one, rows: 2))
        let good: [Int64] = [start, metadata, 16]
        #expect(failure(file(one, blocks: [good])) == nil)
        let bad: [String: [[Int64]]] = [
            "negative offset": [[-8, metadata, 16]],
            "inside of the magic": [[0, metadata, 16]],
            "far offset": [[.max, metadata, 16]],
            "past the footer": [[start + 8, metadata, 16]],
            "negative metadata": [[start, Int64(UInt32(bitPattern: -1)), 16]],
            "no metadata": [[start, 0, 16]],
            "metadata to the brink": [[start, Int64(Int32.max), 16]],
            "cut metadata": [[start, 16, 16]],
            "negative body": [[start, metadata, -1]],
            "endless body": [[start, metadata, .max]],
            "body too short for its buffers": [[start, metadata, 8]],
            "not at a message": [[start + 4, metadata - 8, 16]],
            "twice the same": [good, good],
            "one inside of the other": [good, [start + metadata, 16, 0]],
        ]
        for (name, blocks) in bad {
            let error = try #require(failure(file(one, blocks: blocks)), "\(name)")
            #expect(error.code == .fileMalformed, "\(name): \(error)")
        }
    }

    @Test("a message of another type than listed is refused")
    func types() throws {
        let schema = MessageEncoder.schema(fields)
        let error = failure(file(schema, blocks: [[Int64(Self.lead.count), Int64(schema.count), 0]]))
        #expect(error?.message.contains("not of the type") == true, "\(String(describing: error))")
    }

    @Test("dictionaries are read before any batch: they may grow, and replaced they are refused")
    func dictionaries() throws {
        for name in ["dictionary.arrows", "dictionary_delta.arrows"] {
            let streamed = try readAll(try Fixtures.bytes(name))
            #expect(try readAll(try file(ofStream: name)).batches == streamed.batches, "\(name)")
        }
        let error = failure(try file(ofStream: "dictionary_replaced.arrows"))
        #expect(error?.message.contains("replaces a dictionary") == true, "\(String(describing: error))")
    }

    @Test("what is held, the footer, metadata and body are limited")
    func limitsHold() throws {
        let one = message([1, 2])
        let bytes = file(one, blocks: [[Int64(Self.lead.count), Int64(metadataLength(one, rows: 2)), 16]])
        #expect(failure(bytes, limits: ArrowLimits(maximumHeldFileBytes: bytes.count)) == nil)
        #expect(failure(bytes, limits: ArrowLimits(maximumHeldFileBytes: bytes.count - 1))?.code == .limitExceeded)
        #expect(failure(bytes, limits: ArrowLimits(maximumMetadataBytes: 64))?.code == .limitExceeded)
        #expect(failure(bytes, limits: ArrowLimits(maximumBodyBytes: 8))?.code == .limitExceeded)
        #expect(failure(bytes, limits: ArrowLimits(maximumRows: 1))?.code == .limitExceeded)
    }

    @Test("a file of polars cut at any byte is refused")
    func truncation() throws {
        let whole = try Fixtures.bytes("polars.arrow")
        for length in 0..<whole.count {
            #expect(failure(Array(whole[..<length]), limits: limits)?.code == .fileMalformed, "cut at \(length)")
        }
    }

    @Test("a mutated footer gives batches or an error, never a crash; a reader that failed stays so", arguments: 0..<4)
    func mutation(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let whole = try Fixtures.bytes("polars.arrow")
        let footer = whole.count - 10 - Int(littleEndianInt32: whole[(whole.count - 10)..<(whole.count - 6)])
        var refused = 0
        let rounds = 2_000
        for _ in 0..<rounds {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: footer..<bytes.count, using: &generator)
                bytes[place] = [0, 1, 4, 8, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &generator)]
                    .pick(&generator)
            }
            var reader = ArrowStreamReader(limits: limits)
            do {
                try reader.feed(bytes)
                try reader.finish()
                while try reader.nextBatch() != nil {}
            } catch {
                refused += 1
                #expect(throws: LarderError.self, "seed \(seed)") { try reader.finish() }
                #expect(throws: LarderError.self, "seed \(seed)") { _ = try reader.nextBatch() }
            }
        }
        #expect(refused > rounds / 10, "seed \(seed): \(refused)")
        #expect(refused < rounds, "seed \(seed)")
    }
}
