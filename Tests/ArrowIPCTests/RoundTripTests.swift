import FeatureModel
import Testing

@testable import ArrowIPC

/// Everything a reader gives for some bytes.
func readAll(
    _ bytes: [UInt8], chunk: Int = .max, limits: ArrowLimits = .default, options: ArrowReadOptions = .init()
) throws(LarderError) -> (fields: [Field]?, batches: [RecordBatch]) {
    var reader = ArrowStreamReader(limits: limits, options: options)
    var batches: [RecordBatch] = []
    var start = 0
    while start < bytes.count {
        let end = chunk < bytes.count - start ? start + chunk : bytes.count
        try reader.feed(bytes[start..<end])
        while let batch = try reader.nextBatch() { batches.append(batch) }
        start = end
    }
    try reader.finish()
    while let batch = try reader.nextBatch() { batches.append(batch) }
    return (reader.fields, batches)
}

func streamBytes(_ batches: [RecordBatch], fields: [Field]) -> [UInt8] {
    var writer = ArrowStreamWriter(fields: fields)
    var bytes = writer.schema()
    for batch in batches { bytes += writer.batch(batch) }
    return bytes + writer.end()
}

func fileBytes(_ batches: [RecordBatch], fields: [Field]) -> [UInt8] {
    var writer = ArrowFileWriter(fields: fields)
    var bytes = writer.schema()
    for batch in batches { bytes += writer.batch(batch) }
    return bytes + writer.end()
}

@Suite("Arrow IPC round trips")
struct RoundTripTests {
    @Test("random batches of all types come back equal, as stream and as file, whatever the chunks", arguments: 0..<40)
    func randomBatches(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let batches = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
            RandomBatch.make(
                rows: [0, 1, 7, 8, 9, 64, 65].pick(&generator), nulls: [0, 0.2, 1].pick(&generator), using: &generator)
        }
        let fields = batches.first?.fields ?? [Field(name: "only", type: .int64, isNullable: false)]
        let chunk = [1, 3, 8, 100, .max].pick(&generator)
        for bytes in [streamBytes(batches, fields: fields), fileBytes(batches, fields: fields)] {
            let read = try readAll(bytes, chunk: chunk)
            #expect(read.fields == fields, "seed \(seed)")
            #expect(read.batches == batches, "seed \(seed)")
        }
    }

    @Test("rows without columns keep their number")
    func rowsWithoutColumns() throws {
        let batch = RecordBatch(fields: [], columns: [], rowCount: 12)
        let read = try readAll(streamBytes([batch], fields: []))
        #expect(read.batches == [batch])
    }

    @Test("a million rows come back equal")
    func millionRows() throws {
        let rows = 1_000_000
        let integers = try Column(
            type: .int64, validity: Validity(allValid: rows), int64s: Array(0..<Int64(rows)))
        let floats = try Column(
            type: .float64, validity: Validity(allValid: rows), float64s: (0..<rows).map { Double($0) / 3 })
        let fields = [Field(name: "i", type: .int64), Field(name: "f", type: .float64)]
        let batch = RecordBatch(fields: fields, columns: [integers, floats], rowCount: rows)
        let read = try #require(try readAll(streamBytes([batch], fields: fields), chunk: 1 << 20).batches.first)
        #expect(read.columns[0].int64s == integers.int64s)
        #expect(read.columns[1].float64s == floats.float64s)
        #expect(read.columns[0].nullCount == 0)
    }

    @Test("a batch that is too large for one message is split into several, in order")
    func splitting() throws {
        var generator = SeededGenerator(seed: 5)
        let batch = RandomBatch.make(types: [.string, .array(.int64)], rows: 100, using: &generator)
        var writer = ArrowStreamWriter(fields: batch.fields, encoder: BatchEncoder(maximumBatchBytes: 500))
        let read = try readAll(writer.schema() + writer.batch(batch) + writer.end())
        #expect(read.batches.count > 1)
        #expect(read.batches.allSatisfy { $0.columns.reduce(0) { $0 + $1.storedBytes } <= 500 })
        var next = 0
        for part in read.batches {
            #expect(part == batch.slice(next..<next + part.rowCount))
            next += part.rowCount
        }
        #expect(next == 100)
    }

    @Test("nullability and names of columns are kept")
    func schema() throws {
        let fields = [
            Field(name: "key", type: .string, isNullable: false), Field(name: "größe", type: .vector(dimension: 3)),
            Field(name: "", type: .array(.timestamp)),
        ]
        #expect(try readAll(streamBytes([], fields: fields)).fields == fields)
    }
}
