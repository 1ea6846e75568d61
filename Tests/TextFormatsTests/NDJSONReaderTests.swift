import FeatureModel
import Testing

@testable import TextFormats

@Suite("NDJSON reading")
struct NDJSONReaderTests {
    @Test("members in any order, absent ones null, escapes resolved, CRLF and a last line without its end")
    func shapes() throws {
        let text =
            "{\"a\":\"x\",\"n\":1}\r\n { \"n\" : 2 , \"a\" : \"\\u00e4\\n\\ud83e\\udd89\" } \n\n{}\n{\"\\u0061\":\"\"}"
        let read = try readNDJSON(text.utf8, options(["a": .string, "n": .int32]))
        #expect(read.violations.isEmpty)
        #expect(
            read.rows == [
                [.string("x"), .int32(1)], [.string("ä\n🦉"), .int32(2)], [.null, .null], [.string(""), .null],
            ])
        #expect(read.lines == [1, 2, 4, 5])
    }

    @Test("members go into their columns in every order, whichever are left out", arguments: 0..<6 as Range<UInt64>)
    func orders(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let names = ["user_id", "at", "a", "ab", "b", "__deleted"]
        var order = names
        var text = ""
        var expected: [[Value]] = []
        for row in 0..<300 {
            // An order stays for some rows.
            if Int.random(in: 0..<8, using: &generator) == 0 { order.shuffle(using: &generator) }
            let present = order.filter { _ in Int.random(in: 0..<6, using: &generator) > 0 }
            let values = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int64(row * 10 + $0)) })
            text += "{" + present.map { "\"\($0)\":\(values[$0] ?? 0)" }.joined(separator: ",") + "}\n"
            expected.append(names.map { present.contains($0) ? .int64(values[$0] ?? 0) : .null })
        }
        let fields = names.map { Field(name: $0, type: .int64) }
        let read = try readNDJSON(text.utf8, TextReadOptions(fields: fields))
        #expect(read.violations.isEmpty && read.rows == expected, "seed \(seed)")
    }

    @Test("the same comes out whatever the chunks are")
    func everySplit() throws {
        let text = Array("\u{FEFF}{\"a\":\"ä\"}\r\n\n{\"a\":5}\n{\"a\":\"\\\"\"}".utf8)
        let whole = try readNDJSON(text, options(["a": .string]))
        #expect(whole.rows.count == 3 && whole.violations.count == 1)
        for chunk in 1...text.count {
            let read = try readNDJSON(text, options(["a": .string]), chunk: chunk)
            #expect(read.rows == whole.rows && read.violations == whole.violations && read.lines == whole.lines)
        }
    }

    @Test("no input is no rows, with the declared columns")
    func empty() throws {
        let read = try readNDJSON([], options(["a": .string]))
        #expect(read.rows.isEmpty && read.fields.map(\.name) == ["a"])
    }

    @Test("kept members come through as text, and tell what type they could have")
    func keepExtra() throws {
        var options = options(["n": .int64])
        options.extraColumns = .keep
        let text = """
            {"label":"007","n":5,"delay":1.50,"count":12,"ok":true,"mixed":1,"tags":["a", 1]}
            {"label":"b","n":null,"delay":2,"count":-3,"ok":null,"mixed":"1","tags":null}
            {"label":"c","late":1}
            """
        var reader = try NDJSONReader(options)
        try reader.feed(Array(text.utf8))
        try reader.finish()
        let next = reader.nextBatch()
        let read = try #require(next)
        #expect(read.batch.fields.map(\.name) == ["label", "n", "delay", "count", "ok", "mixed", "tags"])
        #expect(
            read.batch.columns.map { $0[0] } == [
                .string("007"), .int64(5), .string("1.50"), .string("12"), .string("true"), .string("1"),
                .string("[\"a\", 1]"),
            ])
        #expect(reader.inferredFields.map(\.type) == [.string, .int64, .float64, .int64, .bool, .string, .string])
        #expect(read.violations.map(\.code) == ["extra_field"])
        let late = try #require(read.violations.first)
        #expect(late.line == 3 && late.row == 3 && late.feature == "late")
        #expect(late.message.contains("not in the first object") && late.message.contains("line 3, column 14"))
    }

    @Test("depth and line length are limited")
    func limits() throws {
        var options = options(["a": .string])
        options.limits = TextLimits(maximumLineBytes: 64, maximumDepth: 4)
        let deep = try readNDJSON("{\"a\":[[[[1]]]]}\n".utf8, options)
        #expect(deep.violations.first?.code == "invalid_json")
        #expect(deep.violations.first?.message.contains("deeper than 4") == true)
        let long = String(repeating: " ", count: 65)
        for text in [long, long + "\n"] {
            #expect(failure { () throws(LarderError) in try readNDJSON(text.utf8, options) }?.code == .limitExceeded)
        }
    }

    @Test("a row of a column that may be absent is null without complaint, a needed one is missing")
    func optional() throws {
        var options = TextReadOptions(fields: [
            Field(name: "k", type: .string, isNullable: false),
            Field(name: "__deleted", type: .bool, isNullable: false),
        ])
        options.optionalMissing = ["__deleted"]
        let read = try readNDJSON("{\"k\":\"a\"}\n{\"__deleted\":true}\n".utf8, options)
        #expect(read.rows == [[.string("a"), .null], [.null, .bool(true)]])
        #expect(read.complaints == ["2/2 k missing"])
    }

    @Test("a column that allows absence is null where it is absent, and complains of a null that is written out")
    func absence() throws {
        let options = TextReadOptions(
            fields: [Field(name: "k", type: .string), Field(name: "n", type: .int64, isNullable: false)],
            absenceAllowed: ["n"])
        let read = try readNDJSON("{\"k\":\"a\"}\n{\"n\":null}\n{\"n\":1}\n".utf8, options)
        #expect(read.rows == [[.string("a"), .null], [.null, .null], [.null, .int64(1)]])
        #expect(read.complaints == ["2/2 n null_not_allowed"])
    }
}
