import FeatureModel
import Testing

@testable import TextFormats

@Suite("Violations of rows")
struct ViolationTests {
    /// One field of a CSV of one typed column `x` beside a string column.
    private func fault(_ field: String, as type: ValueType, nullable: Bool = true) throws -> RowViolation? {
        let fields = [Field(name: "s", type: .string), Field(name: "x", type: type, isNullable: nullable)]
        let read = try readCSV(Array("s,x\n\"multi\nline\",\(field)\n".utf8), TextReadOptions(fields: fields))
        #expect(read.rows.count == 1)
        #expect(read.violations.count <= 1)
        if !read.violations.isEmpty { #expect(read.rows[0][1] == .null) }
        return read.violations.first
    }

    @Test(
        "values that are none of their type",
        arguments: [
            ("True", ValueType.bool), ("t", .bool), ("1", .bool), ("1.0", .int64), ("1e3", .int64), ("+1", .int64),
            (" 1", .int64), ("-", .int64), ("0x10", .int32), ("1_000", .int32), ("1,5", .float64),
            ("abc", .float64), ("+1", .float64), ("nan", .float64), ("inf", .float64), ("1e", .float32),
            (".", .float64), ("AP8", .bytes),
            ("AP9=", .bytes), ("A P8=", .bytes), ("2013-13-01", .date), ("2013-02-29", .date), ("1.1.2013", .date),
            ("2013-01-01T25:00:00Z", .timestamp), ("1357016400", .timestamp), ("2013-01-01", .timestamp),
            ("[1", .array(.int64)), ("1", .array(.int64)), ("[1] 2", .array(.int64)), ("[null]", .array(.int64)),
            ("[1.5]", .array(.int64)), ("[[1]]", .array(.int64)), ("[1]", .vector(dimension: 2)),
            ("{}", .vector(dimension: 2)),
        ])
    func wrongType(field: String, type: ValueType) throws {
        let field = field.contains(",") ? "\"\(field)\"" : field
        let fault = try #require(try fault(field, as: type))
        #expect(fault.code == "wrong_type")
        #expect(fault.row == 1 && fault.line == 2 && fault.feature == "x")
        #expect(fault.message.hasSuffix("(line 3, column 7)"), "\(fault)")
    }

    @Test(
        "values beyond the range of their type",
        arguments: [
            ("2147483648", ValueType.int32), ("-2147483649", .int32), ("9223372036854775808", .int64),
            ("-9223372036854775809", .int64), ("99999999999999999999", .int64), ("1e309", .float64),
            ("-1e39", .float32),
        ])
    func outOfRange(field: String, type: ValueType) throws {
        #expect(try fault(field, as: type)?.code == "out_of_range")
    }

    @Test("the extremes of a type are in its range")
    func extremes() throws {
        for (field, type) in [
            ("2147483647", ValueType.int32), ("-2147483648", .int32), ("9223372036854775807", .int64),
            ("-9223372036854775808", .int64), ("1.7976931348623157e308", .float64), ("5e-324", .float64),
            ("-Infinity", .float32), ("NaN", .float64), (".5", .float64), ("5.", .float64), ("007", .int32),
            ("-0.50", .float64),
        ] {
            #expect(try fault(field, as: type) == nil, "\(field)")
        }
    }

    @Test("a timestamp without an offset says what to do")
    func withoutZone() throws {
        let fault = try #require(try fault("2013-01-01T05:00:00", as: .timestamp))
        #expect(fault.code == "timestamp_without_zone")
        #expect(fault.message.contains("`timezone:`") && fault.message.contains("`--timezone`"))
    }

    @Test("a null where none may be")
    func nulls() throws {
        #expect(try fault("", as: .int64, nullable: false)?.code == "null_not_allowed")
        #expect(try fault("\"\"", as: .string, nullable: false) == nil)
        #expect(try fault("\"\"", as: .int64)?.code == "wrong_type")
    }

    @Test("text that is not UTF-8, and NUL in a string")
    func encodings() throws {
        let text = Array("s\na".utf8) + [0xC3, 0x28, 0x0A] + Array("ok\nn".utf8) + [0, 0x0A]
        let read = try readCSV(text, options(["s": .string]))
        #expect(read.complaints == ["1/2 s invalid_utf8", "3/4 s nul_in_string"])
        #expect(read.rows == [[.null], [.string("ok")], [.null]])
    }

    @Test("rows with too few or too many fields")
    func fieldCount() throws {
        let read = try readCSV("a,b\n1\n1,2,3\n4,5\n".utf8, options(["a": .int64, "b": .int64]))
        #expect(read.complaints == ["1/2 - field_count", "2/3 - field_count"])
        #expect(read.violations[0].message.contains("the row has 1 fields, the header 2"))
        #expect(read.rows == [[.null, .null], [.null, .null], [.int64(4), .int64(5)]])
    }

    @Test("every bad value of every row is reported")
    func everyReason() throws {
        let fields = [
            Field(name: "a", type: .int64), Field(name: "b", type: .bool, isNullable: false),
            Field(name: "c", type: .date),
        ]
        let read = try readCSV(
            "a,b,c\nx,,z\n1,true,2013-01-01\n9999999999999999999,y,\n".utf8, TextReadOptions(fields: fields))
        #expect(
            read.complaints == [
                "1/2 a wrong_type", "1/2 b null_not_allowed", "1/2 c wrong_type", "3/4 a out_of_range",
                "3/4 b wrong_type",
            ])
    }

    @Test(
        "NDJSON: a bool that is a number or a string is told how to be written",
        arguments: [("1", "; write true or false "), ("\"true\"", "; write true or false without quotes ")])
    func boolOfJSON(text: String, hint: String) throws {
        let read = try readNDJSON("{\"b\":\(text)}".utf8, options(["b": .bool]))
        let message = try #require(read.violations.first?.message)
        #expect(message.contains(hint), "\(message)")
    }

    @Test("NDJSON: each reason with its line and column")
    func ndjson() throws {
        let fields = [
            Field(name: "key", type: .string, isNullable: false), Field(name: "n", type: .int64),
            Field(name: "t", type: .timestamp), Field(name: "v", type: .vector(dimension: 2)),
        ]
        let text = """
            {"key":"a","n":1.5}
            {"key":null,"n":1e-3}

            {"n":"5","key":"b","more":[{"deep":[1]}]}
            {"key":"c","n":1,"n":2}
            {"key":"d","t":"2013-01-01T00:00:00"}
            {"key":"e","n":9223372036854775808,"v":[1,2,3]}
            {"key":"f","n":1
            [1]
            {"key":"g","t":5,"v":{"x":1}} trailing
            {"n":3}
            {"key":"ok","n":-9223372036854775808,"v":["Infinity",0.5],"t":"2013-01-01T00:00:00Z"}
            """
        let read = try readNDJSON(text.utf8, TextReadOptions(fields: fields))
        #expect(
            read.complaints == [
                "1/1 n wrong_type", "2/2 key null_not_allowed", "2/2 n wrong_type", "3/4 n wrong_type",
                "3/4 more extra_field", "4/5 n duplicate_member", "5/6 t timestamp_without_zone", "6/7 n out_of_range",
                "6/7 v wrong_type", "7/8 - invalid_json", "8/9 - invalid_json", "9/10 t wrong_type",
                "9/10 v wrong_type",
                "9/10 - invalid_json", "10/11 key missing",
            ])
        #expect(read.violations[0].message.hasSuffix("(line 1, column 16)"))
        #expect(read.violations[4].message.hasSuffix("(line 4, column 20)"))
        #expect(
            read.rows.last == [
                .string("ok"), .int64(.min), .timestamp(Timestamp(microsecondsSince1970: 1_356_998_400_000_000)),
                .vector([.infinity, 0.5]),
            ])
    }
}
