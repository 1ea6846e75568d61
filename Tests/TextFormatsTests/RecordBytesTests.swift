import FeatureModel
import Testing

@testable import TextFormats

@Suite("Bytes of records")
struct RecordBytesTests {
    private func records(_ read: ReadText) -> [String] {
        read.batches.flatMap { batch in
            (0..<batch.batch.rowCount).map { row in
                String(decoding: batch.records?[row] ?? [], as: UTF8.self)
            }
        }
    }

    @Test(
        "CSV records come without their line ends, in whatever pieces the input arrives", arguments: [1, 2, 7, 1_000])
    func csv(chunk: Int) throws {
        let text = "\u{FEFF}a,b\r\n1,\"x\r\ny\"\r\n\n2,\n\"3\",\"\"\"\"\r\n4"
        var options = options(["a": .int64, "b": .string])
        options.keepsRecords = true
        options.limits.maximumBatchRows = 2
        let read = try readCSV(Array(text.utf8), options, chunk: chunk)
        #expect(records(read) == ["1,\"x\r\ny\"", "2,", "\"3\",\"\"\"\"", "4"])
        #expect(read.lines == [2, 5, 6, 7])
    }

    @Test(
        "NDJSON lines come without their line ends, in whatever pieces the input arrives", arguments: [1, 2, 7, 1_000])
    func ndjson(chunk: Int) throws {
        let text = "\u{FEFF}{\"a\":1}\r\n\n {\"a\" : 2} \nnothing\r\n{\"a\":3}"
        var options = options(["a": .int64])
        options.keepsRecords = true
        options.limits.maximumBatchRows = 3
        let read = try readNDJSON(Array(text.utf8), options, chunk: chunk)
        #expect(records(read) == ["{\"a\":1}", " {\"a\" : 2} ", "nothing", "{\"a\":3}"])
    }

    @Test("records are not kept unless they are asked for")
    func off() throws {
        let read = try readCSV(Array("a\n1\n".utf8), options(["a": .int64]))
        #expect(read.batches.first?.records == nil)
    }
}
