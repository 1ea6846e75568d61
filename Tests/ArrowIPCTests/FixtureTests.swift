import ArrowIPC
import FeatureModel
import Foundation
import Testing

/// Files written by pyarrow and polars; `pyarrow_roundtrip.py fixtures` makes them.
enum Fixtures {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.contains(".arrow") }.sorted())
        ?? []

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: directory.appending(path: name)))
    }
}

@Suite("Arrow IPC written by other implementations")
struct FixtureTests {
    private func read(_ name: String, rounding: SubMicrosecondRounding = .up) throws -> [RecordBatch] {
        try readAll(try Fixtures.bytes(name), chunk: 100, options: ArrowReadOptions(rounding: rounding)).batches
    }

    private func values(_ batches: [RecordBatch], _ column: String) throws -> [Value] {
        try batches.flatMap { batch in
            let column = try #require(batch.column(column))
            return (0..<column.count).map { column[$0] }
        }
    }

    private func refusal(_ name: String) throws -> LarderError {
        let bytes = try Fixtures.bytes(name)
        do {
            _ = try readAll(bytes)
        } catch {
            return error
        }
        Issue.record("\(name) was read")
        return LarderError(.internalError, "")
    }

    private let plain: [(String, ValueType, [Value])] = [
        ("b", .bool, [.bool(true), .null, .bool(false)]),
        ("i32", .int32, [.int32(1), .null, .int32(.min)]),
        ("i64", .int64, [.int64(.max), .null, .int64(.min)]),
        ("f32", .float32, [.float32(1.5), .null, .float32(.nan)]),
        ("f64", .float64, [.float64(0.1), .null, .float64(-.infinity)]),
        ("s", .string, [.string("naïve"), .null, .string("")]),
        ("bin", .bytes, [.bytes([0, 255]), .null, .bytes([])]),
        (
            "ts", .timestamp,
            [
                .timestamp(Timestamp(microsecondsSince1970: 1)), .null,
                .timestamp(Timestamp(microsecondsSince1970: -1)),
            ]
        ),
        (
            "d", .date,
            [.date(CalendarDate(daysSince1970: 15_706)), .null, .date(CalendarDate(daysSince1970: -719_162))]
        ),
        ("arr", .array(.string), [.array([.string("a"), .string("bc")]), .null, .array([])]),
        ("vec", .vector(dimension: 2), [.vector([1, 2]), .null, .vector([3, 4])]),
    ]

    @Test("a stream and a file of every type that is written", arguments: ["plain.arrows", "plain.arrow"])
    func plainTypes(name: String) throws {
        let batches = try read(name)
        #expect(batches.map(\.rowCount) == [3])
        #expect(batches.first?.fields == plain.map { Field(name: $0.0, type: $0.1) })
        for (column, _, expected) in plain { #expect(try values(batches, column) == expected, "\(column)") }
    }

    @Test("slices of larger tables, whose offsets and bitmaps do not start at zero")
    func slices() throws {
        let batches = try read("sliced.arrows")
        #expect(batches.map(\.rowCount) == [3, 1])
        for (column, _, once) in plain {
            #expect(try values(batches, column) == Array((once + once)[1..<5]), "\(column)")
        }
    }

    @Test("narrower, wider and other types become the nearest type of a column")
    func widths() throws {
        let batches = try read("widths.arrows")
        let expected: [(String, [Value])] = [
            ("i8", [.int32(-128), .null, .int32(127)]), ("i16", [.int32(-32_768), .null, .int32(32_767)]),
            ("u8", [.int32(0), .null, .int32(255)]), ("u16", [.int32(0), .null, .int32(65_535)]),
            ("u32", [.int64(0), .null, .int64(4_294_967_295)]), ("u64", [.int64(0), .null, .int64(.max)]),
            ("f16", [.float32(0.5), .float32(-2), .float32(Float(sign: .plus, exponent: -24, significand: 1_023))]),
            ("large_s", [.string("x"), .null, .string("yz")]),
            ("large_bin", [.bytes([120]), .null, .bytes([121, 122])]),
            ("large_list", [.array([.int64(1)]), .null, .array([.int64(2), .int64(3)])]),
            ("fixed_bin", [.bytes([97, 98]), .null, .bytes([99, 100])]),
            ("fixed_list", [.array([.int32(1), .int32(2)]), .null, .array([.int32(3), .int32(4)])]),
            ("nulls", [.null, .null, .null]),
            ("s_view", [.string("short"), .null, .string("longer than twelve bytes")]),
            (
                "date64",
                [.date(CalendarDate(daysSince1970: 15_706)), .null, .date(CalendarDate(daysSince1970: -1))]
            ),
        ]
        #expect(batches.first?.fields.map(\.name) == expected.map(\.0))
        for (column, expected) in expected { #expect(try values(batches, column) == expected, "\(column)") }
        #expect(batches.first?.column("nulls")?.type == .string)
    }

    @Test("columns whose type nothing is known of are told from columns of strings")
    func untypedColumns() throws {
        var reader = ArrowStreamReader()
        try reader.feed(try Fixtures.bytes("widths.arrows"))
        #expect(reader.untypedColumns == ["nulls"])
    }

    @Test("timestamps of every unit, with and without a zone; nanoseconds round as asked")
    func times() throws {
        func micros(_ values: Int64...) -> [Value] {
            let some = values.map { Value.timestamp(Timestamp(microsecondsSince1970: $0)) }
            return [some[0], .null, some[1]]
        }
        let up = try read("times.arrows", rounding: .up)
        #expect(try values(up, "s") == micros(1_000_000, -1_000_000))
        #expect(try values(up, "ms") == micros(1_000, -1_000))
        #expect(try values(up, "us") == micros(1, -1))
        #expect(try values(up, "ns") == micros(1, 0))
        #expect(try values(try read("times.arrows", rounding: .down), "ns") == micros(0, -1))
    }

    @Test("dictionaries, replaced and grown, become plain strings")
    func dictionaries() throws {
        let first: [Value] = [.string("JFK"), .null, .string("EWR"), .string("JFK")]
        let second: [Value] = [.string("LGA"), .string("JFK")]
        #expect(try values(try read("dictionary.arrows"), "origin") == first)
        for name in ["dictionary_replaced.arrows", "dictionary_delta.arrows"] {
            #expect(try values(try read(name), "origin") == first + second, "\(name)")
        }
    }

    @Test("what polars writes without being asked: string views and categories")
    func polars() throws {
        let batches = try read("polars.arrows")
        #expect(try values(batches, "s") == [.string("short"), .null, .string("longer than twelve bytes")])
        #expect(try values(batches, "c") == [.string("a"), .string("b"), .null])
    }

    @Test("a file of polars, which only its footer finds the messages of", arguments: [1, 100, .max])
    func polarsFile(chunk: Int) throws {
        let read = try readAll(try Fixtures.bytes("polars.arrow"), chunk: chunk)
        #expect(read.fields == ["s", "c"].map { Field(name: $0, type: .string) })
        #expect(read.batches.map(\.rowCount) == [2, 1])
        #expect(try values(read.batches, "s") == [.string("short"), .null, .string("longer than twelve bytes")])
        #expect(try values(read.batches, "c") == [.string("a"), .string("b"), .null])
    }

    @Test("no rows, and rows without columns")
    func empty() throws {
        #expect(try read("empty.arrows").allSatisfy { $0.rowCount == 0 })
        #expect(try read("no_columns.arrows").map(\.rowCount) == [2])
    }

    @Test(
        "what is not read is refused, naming the column, its Arrow type and a way out",
        arguments: [
            ("compressed.arrows", ErrorCode.fileMalformed, "compressed", "compression=None"),
            ("decimal.arrows", .columnType, "column \"price\" has Arrow type Decimal", "cast it to float64"),
            ("struct.arrows", .columnType, "column \"point\" has Arrow type Struct", "column of its own"),
            ("nested.arrows", .columnType, "column \"matrix\" is a list of Arrow type List", "flatten"),
            ("null_element.arrows", .columnType, "column \"xs\", row 2: element 2 of the list is null", "leave"),
            ("uint64.arrows", .columnType, "column \"big\", row 2: 9223372036854775808 does not fit", "cast"),
            ("far_timestamp.arrows", .columnType, "column \"t\", row 2", "unit"),
        ])
    func refusals(name: String, code: ErrorCode, message: String, hint: String) throws {
        let error = try refusal(name)
        #expect(error.code == code)
        #expect(error.message.contains(message), "\(error)")
        #expect(error.hint?.contains(hint) == true, "\(error)")
    }
}
