import FeatureModel
import Testing

@testable import TextFormats

@Suite("JSON")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    @Test("values keep the order of members and the digits of numbers")
    func values() throws {
        let value = try parse(
            " {\"b\": [1, -0.0, 1e+5, 9223372036854775807], \"a\": {\"x\": null, \"y\": [true, false]}, \"\": \"\\u00e9\"} "
        )
        #expect(
            value
                == .object([
                    .init(
                        "b", .array([.number("1"), .number("-0.0"), .number("1e+5"), .number("9223372036854775807")])),
                    .init("a", .object([.init("x", .null), .init("y", .array([.bool(true), .bool(false)]))])),
                    .init("", .string("é")),
                ]))
        #expect(value["a"]?["y"] == .array([.bool(true), .bool(false)]))
        #expect(value["c"] == nil)
        #expect(try JSONValue.parse(value.serialized()) == value)
        #expect(try JSONValue.parse(value.serialized(pretty: true)) == value)
    }

    @Test("pretty text is indented, compact text has no spaces")
    func serialized() throws {
        let value = JSONValue.object([
            .init("a", .array([.integer(1), .null])), .init("e", .object([])), .init("s", .string("\"\n\u{7}")),
        ])
        #expect(String(decoding: value.serialized(), as: UTF8.self) == #"{"a":[1,null],"e":{},"s":"\"\n\u0007"}"#)
        #expect(
            String(decoding: value.serialized(pretty: true), as: UTF8.self) == """
                {
                  "a": [
                    1,
                    null
                  ],
                  "e": {},
                  "s": "\\"\\n\\u0007"
                }
                """)
    }

    @Test(
        "what is not JSON is refused with its place",
        arguments: [
            ("", 1, 1), ("{", 1, 2), ("[1,]", 1, 4), ("{\"a\":1,}", 1, 8), ("{\"a\" 1}", 1, 6), ("{a:1}", 1, 2),
            ("[1 2]", 1, 4),
            ("[1}", 1, 3), ("01", 1, 1), ("1.", 1, 1), (".5", 1, 1), ("+1", 1, 1), ("-", 1, 1), ("nul", 1, 1),
            ("tru e", 1, 1),
            ("NaN", 1, 1), ("\"a", 1, 1), ("\"a\nb\"", 1, 3), ("\"\\x\"", 1, 2), ("\"\\u12\"", 1, 2),
            ("\"\\ud800\"", 1, 2),
            ("\"\\udc00\"", 1, 2), ("\"\\ud800\\u0061\"", 1, 2), ("1 2", 1, 3), ("{}\n]", 2, 1),
            ("[\n  1,\n  é\n]", 3, 3),
            ("]", 1, 1), ("{\"a\":1 \"b\":2}", 1, 8), ("'a'", 1, 1), ("{\"a\":1,\"a\":2}", 1, 9), (",", 1, 1),
            ("[,1]", 1, 2),
        ])
    func invalid(text: String, line: Int, column: Int) throws {
        let error = try #require(failure { () throws(LarderError) in try JSONValue.parse(Array(text.utf8)) }, "\(text)")
        #expect(error.code == .requestInvalid)
        #expect(error.message.hasSuffix("(line \(line), column \(column))"), "\(text): \(error)")
    }

    @Test("a string must be UTF-8")
    func encoding() throws {
        let text = Array("{\"a\":\"x".utf8) + [0xC3, 0x28] + Array("\"}".utf8)
        let error = try #require(failure { () throws(LarderError) in try JSONValue.parse(text, code: .fileMalformed) })
        #expect(error.code == .fileMalformed && error.message.contains("not UTF-8 (line 1, column 8)"))
    }

    @Test("depth, members and size are limited")
    func limits() {
        let limits = TextLimits(maximumLineBytes: 40, maximumColumns: 2, maximumDepth: 3)
        func failed(_ text: String) -> LarderError? {
            failure { () throws(LarderError) in try JSONValue.parse(Array(text.utf8), limits: limits) }
        }
        #expect(failed("[[[1]]]") == nil)
        #expect(failed("[[[[1]]]]")?.message.contains("deeper than 3") == true)
        #expect(failed("{\"a\":1,\"b\":2,\"c\":3}")?.message.contains("more than 2 members") == true)
        #expect(failed(String(repeating: " ", count: 41))?.code == .bodyTooLarge)
        let deep = String(repeating: "[", count: 100_000)
        #expect(failure { () throws(LarderError) in try JSONValue.parse(Array(deep.utf8)) } != nil)
    }

    @Test("beyond 64 levels nothing is read, whatever the limit")
    func deepest() throws {
        let limits = TextLimits(maximumDepth: 100)
        func nested(_ levels: Int) -> [UInt8] {
            let opening = (0..<levels).map { $0.isMultiple(of: 2) ? "[" : "{\"a\":" }.joined()
            let closing = (0..<levels).reversed().map { $0.isMultiple(of: 2) ? "]" : "}" }.joined()
            return Array((opening + (levels.isMultiple(of: 2) ? "1" : "") + closing).utf8)
        }
        _ = try JSONValue.parse(nested(64), limits: limits)
        let error = failure { () throws(LarderError) in try JSONValue.parse(nested(65), limits: limits) }
        #expect(error?.message.contains("deeper than 64") == true)
    }

    @Test("a number is one when all of its text is", arguments: 0..<4 as Range<UInt64>)
    func numbers(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var found = 0
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 1...7, using: &generator)).map { _ in
                Array("00123-+.eE".utf8).pick(&generator)
            }
            let isNumber = NumberText.decimal(text.span, isStrict: true) != nil
            let end = JSONScanner.endOfNumber(text.span, from: 0, to: text.count)
            #expect(end == (isNumber ? text.count : nil), "\(String(decoding: text, as: UTF8.self))")
            if isNumber { found += 1 }
        }
        #expect(found > 100, "seed \(seed)")
    }

    // MARK: Arrays that are left

    @Test("an array may be left where it stands")
    func leaving() throws {
        let text = Array(#"{"a": {"rows": [1]}, "\u0072ows" : [ {"x":1,"x":2}, [] ] , "b": 2}"#.utf8)
        let (value, array) = try JSONValue.parse(text, leaving: "rows")
        #expect(
            value
                == .object([
                    .init("a", .object([.init("rows", .array([.number("1")]))])), .init("rows", .array([])),
                    .init("b", .number("2")),
                ]))
        let range = try #require(array)
        #expect(String(decoding: text[range], as: UTF8.self) == #"[ {"x":1,"x":2}, [] ]"#)
        for other in [#"{"rows":1}"#, "{}", #"[{"rows":[1]}]"#, #"{"rows":{"rows":[1]}}"#, #"{"rows":null}"#] {
            let (value, array) = try JSONValue.parse(Array(other.utf8), leaving: "rows")
            #expect(try array == nil && value == parse(other), "\(other)")
        }
    }

    @Test(
        "what is wrong with a text is wrong with it whether or not an array is left",
        arguments: [
            #"{"rows":[1,]}"#, #"{"rows":[{"a":1}"#, #"{"rows":[1]}]"#, #"{"rows":[],"rows":[]}"#, #"{"rows":["\x"]}"#,
            #"{"rows":[{"a" 1}],"b":nul}"#, #"{"b":1,"b":2,"rows":[}"#, "{\"rows\":[\n{\"a\":01}]}",
            #"{"rows":[1 2]}"#, "{\"rows\":" + String(repeating: "[", count: 40), #"{"rows":[{]}"#, #"{"rows":["a"#, "",
        ])
    func leavingInvalid(text: String) throws {
        let bytes = Array(text.utf8)
        let error = try #require(failure { () throws(LarderError) in try JSONValue.parse(bytes) })
        let found = failure { () throws(LarderError) in
            // What is wrong with the array is found when it is read.
            guard let range = try JSONValue.parse(bytes, leaving: "rows").array else { return }
            var reader = try JSONArrayReader(TextReadOptions(fields: [Field(name: "a", type: .int64)]))
            try reader.begin(bytes, range)
            while try reader.nextBatch() != nil {}
        }
        #expect(found == error)
    }

    @Test("strings with every kind of escape come back")
    func escapes() throws {
        let text = String(String.UnicodeScalarView((0...0x24F).compactMap(Unicode.Scalar.init))) + "🦉\u{2028}\u{10FFFF}"
        #expect(try JSONValue.parse(JSONValue.string(text).serialized()) == .string(text))
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u0041\uD83E\uDD89""#) == .string("\"\\/\u{8}\u{C}\n\r\tA🦉"))
    }

    @Test("tokens are told with their bytes, and a value can be passed over")
    func tokens() throws {
        let text = Array("{\"a\":[1,{\"b\":2}],\"c\":\"\\n\"}".utf8)
        var tokenizer = JSONTokenizer(text)
        func expectNext(_ expected: JSONTokenizer.Token) throws {
            let token = try tokenizer.next()
            #expect(token == expected)
        }
        try expectNext(.beginObject)
        try expectNext(.name)
        #expect(tokenizer.text == "a")
        try expectNext(.beginArray)
        try tokenizer.skip(from: .beginArray)
        try expectNext(.name)
        try expectNext(.string)
        #expect(tokenizer.hasEscapes && tokenizer.text == "\n")
        #expect(Array(tokenizer.tokenBytes) == Array("\\n".utf8))
        try expectNext(.endObject)
        try expectNext(.end)
        try expectNext(.end)
    }
}
