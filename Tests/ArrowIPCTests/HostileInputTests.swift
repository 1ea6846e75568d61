import FeatureModel
import Testing

@testable import ArrowIPC

@Suite("Arrow IPC input that nobody vouches for")
struct HostileInputTests {
    /// Small, so that input which would take much memory is told by its error.
    private let limits = ArrowLimits(
        maximumMetadataBytes: 1 << 16, maximumBodyBytes: 1 << 20, maximumHeldFileBytes: 1 << 20,
        maximumDecodedBytes: 1 << 22, maximumRows: 1 << 16, maximumColumns: 64)

    private func sample(seed: UInt64 = 1, rows: Int = 9) -> RecordBatch {
        var generator = SeededGenerator(seed: seed)
        return RandomBatch.make(rows: rows, using: &generator)
    }

    private func failure(_ bytes: [UInt8], limits: ArrowLimits = .default) -> LarderError? {
        do {
            _ = try readAll(bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test("a stream or file cut at any byte is refused")
    func truncation() {
        let batch = sample(rows: 2)
        for whole in [streamBytes([batch], fields: batch.fields), fileBytes([batch], fields: batch.fields)] {
            for length in 0..<whole.count {
                let error = failure(Array(whole[..<length]), limits: limits)
                #expect(error?.code == .fileMalformed, "cut at \(length) of \(whole.count)")
            }
        }
    }

    /// A stream of one int64 column whose record batch states what a test wants it to.
    private func stream(
        fields: [Field] = [Field(name: "x", type: .int64)], rows: Int, nodes: [[Int64]], buffers: [[Int64]],
        body: [UInt8]
    ) -> [UInt8] {
        MessageEncoder.schema(fields)
            + MessageEncoder.recordBatch(rowCount: rows, nodes: nodes, buffers: buffers, bodyLength: body.count)
            + body + ArrowFile.endOfStream
    }

    private let sixteen = [UInt8](repeating: 1, count: 16)

    @Test("what a batch states must fit its body, and the error names the column")
    func wrongStatements() throws {
        let good = stream(rows: 2, nodes: [[2, 0]], buffers: [[0, 0], [0, 16]], body: sixteen)
        #expect(failure(good) == nil)
        let bad: [String: [UInt8]] = [
            "negative rows": stream(rows: -1, nodes: [[2, 0]], buffers: [[0, 0], [0, 16]], body: sixteen),
            "negative node": stream(rows: 2, nodes: [[-2, 0]], buffers: [[0, 0], [0, 16]], body: sixteen),
            "more nulls than rows": stream(rows: 2, nodes: [[2, 3]], buffers: [[0, 8], [0, 16]], body: sixteen),
            "nulls without bitmap": stream(rows: 2, nodes: [[2, 1]], buffers: [[0, 0], [0, 16]], body: sixteen),
            "rows differ": stream(rows: 1, nodes: [[2, 0]], buffers: [[0, 0], [0, 16]], body: sixteen),
            "buffer too short": stream(rows: 2, nodes: [[2, 0]], buffers: [[0, 0], [0, 8]], body: sixteen),
            "buffer outside": stream(rows: 2, nodes: [[2, 0]], buffers: [[0, 0], [8, 16]], body: sixteen),
            "buffer overflows": stream(rows: 2, nodes: [[2, 0]], buffers: [[0, 0], [.max, .max]], body: sixteen),
            "negative offset": stream(rows: 2, nodes: [[2, 0]], buffers: [[0, 0], [-8, 16]], body: sixteen),
            "no node": stream(rows: 2, nodes: [], buffers: [[0, 0], [0, 16]], body: sixteen),
            "no buffers": stream(rows: 2, nodes: [[2, 0]], buffers: [], body: sixteen),
            "too many buffers": stream(
                rows: 2, nodes: [[2, 0]], buffers: [[0, 0], [0, 16], [0, 0]], body: sixteen),
            "bitmap too short": stream(rows: 9, nodes: [[9, 1]], buffers: [[0, 1], [0, 16]], body: sixteen),
        ]
        for (name, bytes) in bad {
            let error = try #require(failure(bytes), "\(name)")
            #expect(error.code == .fileMalformed, "\(name): \(error)")
        }
        #expect(failure(bad["buffer too short"] ?? [])?.message.contains("\"x\"") == true)
    }

    private func offsets(_ values: [Int32]) -> [UInt8] {
        values.flatMap { UInt32(bitPattern: $0).littleEndianBytes }
    }

    @Test("offsets must ascend and stay inside, text must be UTF-8 row by row and hold no NUL")
    func strings() throws {
        let fields = [Field(name: "s", type: .string)]
        func text(_ values: [Int32], _ data: [UInt8]) -> LarderError? {
            let body = offsets(values) + data
            return failure(
                stream(
                    fields: fields, rows: values.count - 1, nodes: [[Int64(values.count - 1), 0]],
                    buffers: [[0, 0], [0, Int64(values.count * 4)], [Int64(values.count * 4), Int64(data.count)]],
                    body: body))
        }
        #expect(text([0, 2, 4], Array("añb".utf8)) != nil)
        #expect(text([0, 3, 4], Array("añb".utf8)) == nil)
        #expect(text([0, 3, 2], Array("añb".utf8))?.message.contains("ascend") == true)
        #expect(text([-1, 3, 4], Array("añb".utf8))?.message.contains("ascend") == true)
        #expect(text([0, 3, 5], Array("añb".utf8))?.message.contains("past its data") == true)
        #expect(text([0, 1, 2, 4], [0x61, 0x62, 0xC3, 0x28])?.message.contains("row 3") == true)
        let nul = try #require(text([0, 1, 2], [0x61, 0]))
        #expect(nul.code == .columnType && nul.message.contains("row 2"))
    }

    @Test("offsets may start anywhere, and what null rows hide is dropped")
    func packedLists() throws {
        let elements = [10, 11, 12, 13].flatMap { offsets([$0]) }
        // Rows: elements 1..<2, a null that hides 2..<3, elements 3..<4; element 0 belongs to none.
        let lists = stream(
            fields: [Field(name: "l", type: .array(.int32))], rows: 3, nodes: [[3, 1], [4, 0]],
            buffers: [[0, 1], [8, 16], [0, 0], [24, 16]],
            body: [0b101, 0, 0, 0, 0, 0, 0, 0] + offsets([1, 2, 3, 4]) + elements)
        let list = try #require(try readAll(lists).batches.first?.columns.first)
        #expect((0..<3).map { list[$0] } == [.array([.int32(11)]), .null, .array([.int32(13)])])
        #expect(list.int32s == [11, 13] && list.listOffsets == [0, 1, 1, 2])
        let late = stream(
            fields: [Field(name: "l", type: .array(.int32))], rows: 2, nodes: [[2, 0], [4, 0]],
            buffers: [[0, 0], [0, 12], [0, 0], [16, 16]], body: offsets([1, 2, 4, 0]) + elements)
        let lateList = try #require(try readAll(late).batches.first?.columns.first)
        #expect((0..<2).map { lateList[$0] } == [.array([.int32(11)]), .array([.int32(12), .int32(13)])])
        let strings = stream(
            fields: [Field(name: "s", type: .string)], rows: 3, nodes: [[3, 1]],
            buffers: [[0, 1], [8, 16], [24, 4]],
            body: [0b101, 0, 0, 0, 0, 0, 0, 0] + offsets([1, 2, 3, 4]) + Array("wxyz".utf8) + [0, 0, 0, 0])
        let string = try #require(try readAll(strings).batches.first?.columns.first)
        #expect((0..<3).map { string[$0] } == [.string("x"), .null, .string("z")])
        #expect(string.bytes == Array("xz".utf8) && string.byteOffsets == [0, 1, 1, 2])
    }

    @Test("rows that no buffer backs are limited")
    func unbackedRows() {
        let rows = Int.max
        let bytes = stream(fields: [], rows: rows, nodes: [], buffers: [], body: [])
        #expect(failure(bytes)?.code == .limitExceeded)
    }

    @Test("metadata, body, columns and decoded size are limited")
    func limitsHold() {
        let batch = sample()
        let bytes = streamBytes([batch], fields: batch.fields)
        #expect(failure(bytes, limits: ArrowLimits(maximumMetadataBytes: 64))?.code == .limitExceeded)
        #expect(failure(bytes, limits: ArrowLimits(maximumBodyBytes: 64))?.code == .limitExceeded)
        #expect(failure(bytes, limits: ArrowLimits(maximumDecodedBytes: 64))?.code == .limitExceeded)
        #expect(failure(bytes, limits: ArrowLimits(maximumRows: 8))?.code == .limitExceeded)
        #expect(failure(bytes, limits: ArrowLimits(maximumColumns: 19))?.code == .limitExceeded)
    }

    @Test("the rows of all batches together are limited, before they are decoded")
    func totalRows() {
        let batch = sample()
        let bytes = streamBytes([batch, batch], fields: batch.fields)
        let rows = 2 * batch.rowCount
        #expect(failure(bytes, limits: ArrowLimits(maximumTotalRows: rows)) == nil)
        #expect(failure(bytes, limits: ArrowLimits(maximumTotalRows: rows - 1))?.code == .tooManyRows)
        let unbacked = stream(fields: [], rows: Int.max, nodes: [], buffers: [], body: [])
        #expect(failure(unbacked, limits: ArrowLimits(maximumTotalRows: 1_000))?.code == .tooManyRows)
    }

    @Test("a stated length is not allocated before its bytes arrive")
    func absurdLengths() {
        let metadata = ArrowFile.continuation + UInt32(0x7FFF_FFFF).littleEndianBytes
        #expect(failure(metadata)?.code == .limitExceeded)
        #expect(failure(ArrowFile.continuation + [0xFF, 0xFF, 0xFF, 0xFF])?.code == .fileMalformed)
    }

    @Test("text given as Arrow, bytes after the end and a second schema are refused")
    func wrongShape() {
        let batch = sample()
        let bytes = streamBytes([batch], fields: batch.fields)
        #expect(failure(Array("origin,time_hour\n".utf8))?.message.contains("not Arrow IPC") == true)
        #expect(failure(bytes + [0])?.message.contains("follow the end") == true)
        #expect(failure(MessageEncoder.schema([]) + bytes)?.message.contains("second schema") == true)
        #expect(failure([])?.code == .fileMalformed)
        let twice = [Field(name: "a", type: .int32), Field(name: "a", type: .int64)]
        #expect(failure(streamBytes([], fields: twice))?.message.contains("two columns named \"a\"") == true)
    }

    @Test("a file whose footer disagrees with its messages is refused")
    func footer() {
        let batch = sample()
        let one = MessageEncoder.footer(batch.fields, blocks: [])
        let stream = streamBytes([batch], fields: batch.fields)
        let file = ArrowFile.magic + [0, 0] + stream + one + UInt32(one.count).littleEndianBytes + ArrowFile.magic
        #expect(failure(file)?.message.contains("lists 0 record batches, the file holds 1") == true)
    }

    @Test("a failed reader stays failed")
    func failedStaysFailed() throws {
        var reader = ArrowStreamReader()
        #expect(throws: LarderError.self) { try reader.feed(Array("definitely not".utf8)) }
        #expect(throws: LarderError.self) { try reader.feed([]) }
        #expect(throws: LarderError.self) { _ = try reader.nextBatch() }
        #expect(throws: LarderError.self) { try reader.finish() }
    }
}
