import FeatureModel
import Testing

@testable import TextFormats

@Suite("Text round trips")
struct TextRoundTripTests {
    @Test("random batches come back equal through CSV", arguments: 0..<30 as Range<UInt64>)
    func csv(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let batch = RandomBatch.make(rows: [0, 1, 60].pick(&generator), using: &generator)
        let writer = CSVWriter(fields: batch.fields)
        var text = writer.header()
        writer.write(batch, into: &text)
        let read = try readCSV(text, TextReadOptions(fields: batch.fields), chunk: [7, 1_000, .max].pick(&generator))
        #expect(read.violations.isEmpty, "seed \(seed): \(read.violations.prefix(3))")
        #expect(read.fields == batch.fields)
        #expect(read.rows == (0..<batch.rowCount).map { row in batch.columns.map { $0[row] } }, "seed \(seed)")
    }

    @Test("random batches come back equal through NDJSON", arguments: 0..<30 as Range<UInt64>)
    func ndjson(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let batch = RandomBatch.make(rows: [0, 1, 60].pick(&generator), using: &generator)
        let writer = NDJSONWriter(fields: batch.fields)
        var text = writer.header()
        writer.write(batch, into: &text)
        let read = try readNDJSON(
            text, TextReadOptions(fields: batch.fields), chunk: [7, 1_000, .max].pick(&generator))
        #expect(read.violations.isEmpty, "seed \(seed): \(read.violations.prefix(3))")
        #expect(read.rows == (0..<batch.rowCount).map { row in batch.columns.map { $0[row] } }, "seed \(seed)")
    }

    @Test("a column of nulls and empty strings alone comes back equal through CSV")
    func singleColumn() throws {
        let column = try #require(Column(type: .string, values: [.null, .string(""), .string("x"), .null]))
        let batch = RecordBatch(fields: [Field(name: "a", type: .string)], columns: [column], rowCount: 4)
        let writer = CSVWriter(fields: batch.fields)
        var text = writer.header()
        writer.write(batch, into: &text)
        #expect(String(decoding: text, as: UTF8.self) == "a\n\n\"\"\nx\n\n")
        #expect(try readCSV(text, TextReadOptions(fields: batch.fields)).batches.first?.batch == batch)
    }

    private var sample: RecordBatch {
        let columns: [(String, ValueType, [Value])] = [
            ("s", .string, [.string("a,\"b\"\n"), .string(""), .null]),
            ("f", .float64, [.float64(0.1), .float64(.nan), .float64(-0.0)]),
            ("g", .float32, [.float32(0.1), .float32(-.infinity), .float32(16_777_216)]),
            ("t", .timestamp, [.timestamp(Timestamp(microsecondsSince1970: 1_500_000)), .null, .null]),
            ("d", .date, [.date(CalendarDate(daysSince1970: 0)), .null, .null]),
            ("x", .bytes, [.bytes([0, 255]), .bytes([]), .null]),
            ("l", .array(.string), [.array([.string("é\u{1}"), .string("\\")]), .array([]), .null]),
        ]
        return RecordBatch(
            fields: columns.map { Field(name: $0.0, type: $0.1) },
            columns: columns.compactMap { Column(type: $0.1, values: $0.2) }, rowCount: 3)
    }

    @Test("CSV is written as documented")
    func csvText() {
        let writer = CSVWriter(fields: sample.fields)
        var text = writer.header()
        writer.write(sample, into: &text)
        #expect(
            String(decoding: text, as: UTF8.self) == """
                s,f,g,t,d,x,l
                "a,""b""
                ",0.1,0.1,1970-01-01T00:00:01.5Z,1970-01-01,AP8=,"[""é\\u0001"",""\\\\""]"
                "",NaN,-Infinity,,,"",[]
                ,-0.0,16777216.0,,,,

                """)
    }

    @Test("NDJSON is written as documented")
    func ndjsonText() {
        var text: [UInt8] = []
        NDJSONWriter(fields: sample.fields).write(sample, into: &text)
        #expect(
            String(decoding: text, as: UTF8.self) == """
                {"s":"a,\\"b\\"\\n","f":0.1,"g":0.1,"t":"1970-01-01T00:00:01.5Z","d":"1970-01-01","x":"AP8=","l":["é\\u0001","\\\\"]}
                {"s":"","f":"NaN","g":"-Infinity","t":null,"d":null,"x":"","l":[]}
                {"s":null,"f":-0.0,"g":16777216.0,"t":null,"d":null,"x":null,"l":null}

                """)
    }

    @Test("a value is written as the row of a column that holds it")
    func valueAndColumn() {
        for column in sample.columns {
            for row in 0..<3 {
                var fromColumn: [UInt8] = []
                var fromValue: [UInt8] = []
                JSONText.write(column, row: row, into: &fromColumn)
                JSONText.write(column[row], into: &fromValue)
                #expect(fromColumn == fromValue)
            }
        }
    }

    @Test(
        "mutated CSV, NDJSON and JSON give rows, violations or an error, never a crash",
        arguments: 0..<6 as Range<UInt64>)
    func mutation(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let batch = RandomBatch.make(rows: 4, using: &generator)
        var options = TextReadOptions(fields: batch.fields, timeZone: "Europe/London")
        options.limits = TextLimits(
            maximumFieldBytes: 1_000, maximumLineBytes: 4_000, maximumColumns: 30, maximumDepth: 8)
        var csv = CSVWriter(fields: batch.fields).header()
        CSVWriter(fields: batch.fields).write(batch, into: &csv)
        var ndjson: [UInt8] = []
        NDJSONWriter(fields: batch.fields).write(batch, into: &ndjson)
        var faults = 0
        let rounds = 400
        for round in 0..<rounds {
            var text = round % 2 == 0 ? csv : ndjson
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: text[place] = Array("\",\n\r\\{}[]:0-e.\u{0}é".utf8).pick(&generator)
                case 1: text.remove(at: place)
                default: text.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
            }
            options.extraColumns = round % 4 < 2 ? .keep : .reject
            let error = failure { () throws(LarderError) in
                let read =
                    round % 2 == 0 ? try readCSV(text, options, chunk: 50) : try readNDJSON(text, options, chunk: 50)
                if !read.violations.isEmpty { faults += 1 }
            }
            if error != nil { faults += 1 }
            _ = failure { () throws(LarderError) in try JSONValue.parse(text, limits: options.limits) }
        }
        #expect(faults > rounds / 2, "seed \(seed)")
    }
}
