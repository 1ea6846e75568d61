import FeatureModel
import Testing

@testable import TextFormats

@Suite("CSV reading")
struct CSVReaderTests {
    private let ab = options(["a": .string, "b": .string])

    private func strings(_ read: ReadText) -> [[String?]] {
        read.rows.map { row in
            row.map { value in if case .string(let text) = value { text } else { nil } }
        }
    }

    @Test(
        "RFC 4180: line ends, the last line, quotes, doubled quotes, commas and line ends in quotes",
        arguments: [
            ("a,b\n1,2\n", [["1", "2"]]),
            ("a,b\r\n1,2\r\n3,4\r\n", [["1", "2"], ["3", "4"]]),
            ("a,b\n1,2", [["1", "2"]]),
            ("a,b\r\n1,\"2\"", [["1", "2"]]),
            ("\"a\",\"b\"\n\"1\",\"2\"\n", [["1", "2"]]),
            ("a,b\n\"x \"\"y\"\" z\",\"\"\"\"\n", [["x \"y\" z", "\""]]),
            ("a,b\n\"1,5\",\"two\nlines\"\n", [["1,5", "two\nlines"]]),
            ("a,b\n\"two\r\nlines\",2\n", [["two\r\nlines", "2"]]),
            ("b,a\n1,2\n", [["2", "1"]]),
            ("a,b\n 1 , 2 \n", [[" 1 ", " 2 "]]),
            ("\u{FEFF}a,b\n1,2\n", [["1", "2"]]),
            ("a,b\n1,2\n\n\n3,4\n\n", [["1", "2"], ["3", "4"]]),
            ("a,b\n,\"\"\n", [[nil, ""]]),
            ("a,b\n1,", [["1", nil]]),
            ("a,b\n", []),
            ("a,b", []),
        ] as [(String, [[String?]])])
    func rfc4180(text: String, expected: [[String?]]) throws {
        let read = try readCSV(text.utf8, ab)
        #expect(strings(read) == expected)
        #expect(read.violations.isEmpty)
    }

    @Test("the same rows, lines and violations come out whatever the chunks are")
    func everySplit() throws {
        let text = Array(
            "\u{FEFF}a,n,\"b\"\r\n\"x\"\"\",1,\"q\r\n\"\r\n\r\nä,zz,\n\"\",-5\n\"two\n\nlines\",7,NA".utf8)
        var options = options(["a": .string, "n": .int32, "b": .string])
        options.nullSpelling = "NA"
        let whole = try readCSV(text, options)
        #expect(whole.rows.count == 4)
        #expect(whole.lines == [2, 5, 6, 7])
        #expect(whole.complaints == ["2/5 n wrong_type", "3/6 - field_count"])
        for first in 0...text.count {
            var reader = try CSVReader(options)
            var result = ReadText()
            try reader.feed(Array(text[..<first]))
            try reader.feed(Array(text[first...]))
            try reader.finish()
            while let batch = reader.nextBatch() { result.add(batch) }
            #expect(result.rows == whole.rows, "split at \(first)")
            #expect(result.lines == whole.lines, "split at \(first)")
            #expect(result.violations == whole.violations, "split at \(first)")
        }
        #expect(try readCSV(text, options, chunk: 1).rows == whole.rows)
    }

    @Test("a column of its own keeps its nulls, blank lines included")
    func singleColumn() throws {
        let read = try readCSV("a\n1\n\n\"\"\n".utf8, options(["a": .string]))
        #expect(strings(read) == [["1"], [nil], [""]])
    }

    @Test("every type is read, and a null where the field is empty")
    func types() throws {
        let text = """
            b,i,l,f,d,s,x,t,day,list,v
            true,-2147483648,9223372036854775807,1.5e-3,-0.0,ä,AP8=,2013-01-01T00:00:00-05:00,2013-02-28,"[1,2]","[1.5,""NaN""]"
            ,,,,,,,,,,
            """
        let columns: KeyValuePairs<String, ValueType> = [
            "b": .bool, "i": .int32, "l": .int64, "f": .float32, "d": .float64, "s": .string, "x": .bytes,
            "t": .timestamp, "day": .date, "list": .array(.int64), "v": .vector(dimension: 2),
        ]
        let read = try readCSV(text.utf8, options(columns))
        #expect(read.violations.isEmpty)
        #expect(
            read.rows.first == [
                .bool(true), .int32(.min), .int64(.max), .float32(0.0015), .float64(-0.0), .string("ä"),
                .bytes([0, 255]),
                .timestamp(Timestamp(microsecondsSince1970: 1_357_016_400_000_000)),
                .date(CalendarDate(daysSince1970: 15_764)), .array([.int64(1), .int64(2)]), .vector([1.5, .nan]),
            ])
        #expect(read.rows.last == [Value](repeating: .null, count: 11))
    }

    @Test("a null spelling counts without quotes only")
    func nullSpelling() throws {
        var options = ab
        options.nullSpelling = "NA"
        #expect(strings(try readCSV("a,b\nNA,\"NA\"\n".utf8, options)) == [[nil, "NA"]])
    }

    @Test(
        "broken structure is refused with its line and column",
        arguments: [
            ("a,b\n1,2\nx\"y,3\n", ErrorCode.fileMalformed, "(line 3, column 2)"),
            ("a,b\n1,2\n\"x\"y,3\n", .fileMalformed, "(line 3, column 4)"),
            ("a,b\n\"l\n\"z,3\n", .fileMalformed, "(line 3, column 2)"),
            ("a,b\n1,2\nä,\"open\n\n", .fileMalformed, "not closed (line 3, column 3)"),
            ("a,b\n1\r2,3\n", .fileMalformed, "carriage return stands without a line feed (line 2, column 2)"),
            ("a,a\n", .fileMalformed, "column \"a\" is there twice (line 1, column 3)"),
            ("a,\n", .fileMalformed, "column 2 has no name (line 1, column 3)"),
            ("a\n", .columnMissing, "column \"b\" is missing from the header (line 1)"),
            ("a,b,bb\n", .columnUnknown, "column \"bb\" is not declared (line 1, column 5)"),
            ("", .fileMalformed, "empty"),
            ("\n\n", .fileMalformed, "empty"),
        ])
    func broken(text: String, code: ErrorCode, message: String) throws {
        let error = try #require(failure { () throws(LarderError) in try readCSV(text.utf8, ab) })
        #expect(error.code == code)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test("all columns that do not fit are named at once, with a hint")
    func severalColumns() throws {
        let declared = options(["amount": .string, "b": .string])
        let error = try #require(failure { () throws(LarderError) in try readCSV("amuont,c,bee\n".utf8, declared) })
        #expect(
            error.errors.map(\.code) == [
                .columnUnknown, .columnUnknown, .columnUnknown, .columnMissing, .columnMissing,
            ])
        #expect(error.errors.first?.hint == "did you mean \"amount\"?")
        #expect(error.errors[1].hint == "declared are: amount, b")
    }

    @Test("UTF-16 and a header that is not UTF-8 are refused")
    func encodings() throws {
        let utf16 = failure { () throws(LarderError) in try readCSV([0xFF, 0xFE, 0x61, 0], ab) }
        #expect(utf16?.message.contains("UTF-16") == true)
        let latin1 = failure { () throws(LarderError) in try readCSV([0x61, 0x2C, 0xE4, 0x0A], ab) }
        #expect(latin1?.message.contains("column 2 is not UTF-8 (line 1, column 3)") == true)
    }

    @Test("a column that may be absent is null, and is read when there")
    func optionalColumn() throws {
        var options = options(["a": .string, "__deleted": .bool])
        options.optionalMissing = ["__deleted"]
        #expect(try readCSV("a\nx\n".utf8, options).rows == [[.string("x"), .null]])
        #expect(try readCSV("__deleted,a\ntrue,x\n".utf8, options).rows == [[.string("x"), .bool(true)]])
    }

    @Test("kept columns come through as text in their place")
    func keepExtra() throws {
        var options = options(["n": .int64])
        options.extraColumns = .keep
        let read = try readCSV("label,n,when\n007,5,2013\n\"\",,\n".utf8, options)
        #expect(read.fields.map(\.name) == ["label", "n", "when"])
        #expect(read.fields.map(\.type) == [.string, .int64, .string])
        #expect(read.rows == [[.string("007"), .int64(5), .string("2013")], [.string(""), .null, .null]])
        options.extraColumns = .reject
        options.extraAllowed = ["when"]
        #expect(try readCSV("when,n\nx,5\n".utf8, options).rows == [[.int64(5), .string("x")]])
    }

    @Test("limits of fields, lines and columns are errors of their own")
    func limits() {
        var options = ab
        options.limits = TextLimits(maximumFieldBytes: 4, maximumLineBytes: 12, maximumColumns: 2)
        for text in ["a,b\n12345,1\n", "a,b\n\"1234567890123", "a,b\n1,2,3\n"] {
            let error = failure { () throws(LarderError) in try readCSV(text.utf8, options) }
            #expect(error?.code == .limitExceeded, "\(text)")
        }
    }

    @Test("batches are cut at the row limit and count rows from the start of the input")
    func batches() throws {
        var options = options(["n": .int64, "m": .int64])
        options.limits.maximumBatchRows = 3
        let text = "n,m\n" + (1...8).map { "\($0),x\n" }.joined()
        let read = try readCSV(text.utf8, options)
        #expect(read.batches.map(\.firstRow) == [1, 4, 7])
        #expect(read.batches.map(\.batch.rowCount) == [3, 3, 2])
        #expect(read.violations.map(\.row) == Array(1...8))
        #expect(read.violations.map(\.line) == (2...9).map { $0 })
    }

    @Test("a header may lack a column that allows absence, a field of it may not be empty")
    func absence() throws {
        let options = TextReadOptions(
            fields: [Field(name: "k", type: .string), Field(name: "n", type: .int64, isNullable: false)],
            absenceAllowed: ["n"])
        let absent = try readCSV("k\na\n".utf8, options)
        #expect(absent.rows == [[.string("a"), .null]])
        #expect(absent.complaints.isEmpty)
        #expect(try readCSV("k,n\na,\n".utf8, options).complaints == ["1/2 n null_not_allowed"])
    }

    @Test("an unknown time zone is refused when the reader is made")
    func unknownZone() {
        var options = ab
        options.timeZone = "Mars/Olympus"
        let error = failure { () throws(LarderError) in try CSVReader(options) }
        #expect(error?.message.contains("Mars/Olympus") == true)
        #expect(error?.hint?.contains("tzdata") == true)
    }
}
