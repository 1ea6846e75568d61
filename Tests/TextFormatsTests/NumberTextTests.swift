import FeatureModel
import Testing

@testable import TextFormats

@Suite("Numbers, base64 and inferred types")
struct NumberTextTests {
    @Test("floats are read as the nearest value", arguments: 0..<4 as Range<UInt64>)
    func nearest(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let digits = String(generator.next() >> UInt64.random(in: 0..<64, using: &generator))
            let point = Int.random(in: 0...digits.count, using: &generator)
            let exponent = Int.random(in: -40...40, using: &generator)
            let text = digits.prefix(point) + "." + digits.dropFirst(point) + "e\(exponent)"
            let bytes = Array(text.utf8)
            #expect(NumberText.double(bytes.span, isStrict: false) == Double(text), "\(text)")
            #expect(NumberText.float(bytes.span, isStrict: false) == Float(text), "\(text)")
        }
    }

    @Test("digits that do not fit a float round to the nearest, ties to even", arguments: 0..<4 as Range<UInt64>)
    func manyDigits(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        // Ties, one below and one above, in each of the shapes that division meets: 2^53 + 1, and halves at other places.
        var texts = [
            "9007199254740992", "9007199254740993", "9007199254740994", "9007199254740995", "9007199254740993.000",
            "9007199254740993.001", "4503599627370496.5", "4503599627370497.5", "4503599627370497.500",
            "4503599627370497.501", "16777217", "16777219", "8388608.5", "8388609.5", "8388609.501",
            "18446744073709551615", "9999999999999999999", "0.0000000000000000000000000001",
            "0.000000000000000000000000001",
        ]
        for _ in 0..<20_000 {
            let whole = generator.next() >> UInt64.random(in: 44..<64, using: &generator)
            let digits = String(generator.next()).prefix(Int.random(in: 1...18, using: &generator))
            texts.append("\(whole).\(digits)")
        }
        for text in texts {
            let bytes = Array("-\(text)".utf8)
            #expect(NumberText.double(bytes.span, isStrict: false) == Double("-\(text)"), "-\(text), seed \(seed)")
            #expect(NumberText.float(bytes.span, isStrict: false) == Float("-\(text)"), "-\(text), seed \(seed)")
        }
    }

    @Test("every float is written so that it reads back", arguments: 0..<4 as Range<UInt64>)
    func shortest(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let double = Double(bitPattern: generator.next())
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            guard double.isFinite, float.isFinite else { continue }
            var text: [UInt8] = []
            ScalarText.write(double, into: &text)
            #expect(NumberText.double(text.span, isStrict: true)?.bitPattern == double.bitPattern)
            text = []
            ScalarText.write(float, into: &text)
            #expect(NumberText.float(text.span, isStrict: true)?.bitPattern == float.bitPattern)
        }
    }

    @Test("integers are written as they are read")
    func integers() throws {
        for value in [0, 1, -1, 9, 10, -10, 1_234_567_890, .max, .min] as [Int64] {
            var text: [UInt8] = []
            ScalarText.write(value, into: &text)
            #expect(String(decoding: text, as: UTF8.self) == String(value))
            #expect(try NumberText.integer(text.span) == value)
        }
    }

    @Test("base64 by RFC 4648, both ways, and nothing else")
    func base64() {
        for (plain, text) in [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            var out: [UInt8] = []
            Base64.encode(plain.utf8, into: &out)
            #expect(out == Array(text.utf8))
            #expect(Base64.decode(Array(text.utf8).span) == Array(plain.utf8))
        }
        for text in ["Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 8", "Zm8-", "=Zm8", "Z===", "====", "Zg==Zg=="] {
            #expect(Base64.decode(Array(text.utf8).span) == nil, "\(text)")
        }
    }

    private func inferred(_ texts: [String?]) -> ValueType {
        var inference = TypeInference()
        for text in texts {
            guard let column = Column(type: .string, values: [text.map { .string($0) } ?? .null]) else { continue }
            inference.observe(column)
        }
        return inference.type
    }

    @Test("a type is inferred only where no text would change its meaning")
    func inference() {
        #expect(inferred(["1", "-5", nil, "9223372036854775807"]) == .int64)
        #expect(inferred(["1", "007"]) == .string)
        #expect(inferred(["1", "+1"]) == .string)
        #expect(inferred(["9223372036854775808"]) == .string)
        #expect(inferred(["1", "2.5", "1e3", "-0"]) == .float64)
        #expect(inferred(["9007199254740993", "2.5"]) == .string)
        #expect(inferred(["2.5", "nan"]) == .string)
        #expect(inferred(["1e999"]) == .string)
        #expect(inferred(["true", "false", nil]) == .bool)
        #expect(inferred(["true", "1"]) == .string)
        #expect(inferred(["2013-01-01T00:00:00Z"]) == .string)
        #expect(inferred([""]) == .string)
        #expect(inferred([nil, nil]) == .string)
        #expect(inferred([]) == .string)
    }

    @Test func `NaN and infinities are numbers beside a number, and else words`() throws {
        #expect(inferred(["NaN", "2.5", nil, "-Infinity", "Infinity"]) == .float64)
        #expect(inferred(["1", "NaN"]) == .float64)
        for texts in [
            ["NaN"], ["NaN", "Infinity", nil], ["true", "NaN"], ["9007199254740993", "NaN"], ["2.5", "NaN", "a"],
        ] as [[String?]] {
            #expect(inferred(texts) == .string, "\(texts)")
        }
        let texts = try #require(
            Column(
                type: .string,
                values: [.string("2.5"), .string("NaN"), .string("Infinity"), .string("-Infinity"), .null]))
        #expect(
            TypeInference.convert(texts, to: .float64)
                == Column(
                    type: .float64,
                    values: [.float64(2.5), .float64(.nan), .float64(.infinity), .float64(-.infinity), .null]))
        let outOfRange = try #require(Column(type: .string, values: [.string("1e999")]))
        #expect(TypeInference.convert(outOfRange, to: .float64) == nil)
        var options = TextReadOptions(fields: [])
        options.extraColumns = .keep
        let lines = "{\"x\":2.5,\"y\":\"NaN\"}\n{\"x\":\"NaN\",\"y\":\"a\"}\n"
        var reader = try NDJSONReader(options)
        try reader.feed(Array(lines.utf8))
        try reader.finish()
        #expect(
            reader.inferredFields == [Field(name: "x", type: .float64), Field(name: "y", type: .string)],
            "\(String(describing: reader.inferredFields))")
    }

    @Test("a column becomes the type inferred for it")
    func conversion() throws {
        let texts = try #require(Column(type: .string, values: [.string("1"), .null, .string("-2")]))
        #expect(
            TypeInference.convert(texts, to: .int64) == Column(type: .int64, values: [.int64(1), .null, .int64(-2)]))
        #expect(
            TypeInference.convert(texts, to: .float64)
                == Column(type: .float64, values: [.float64(1), .null, .float64(-2)]))
        #expect(TypeInference.convert(texts, to: .bool) == nil)
        #expect(TypeInference.convert(texts, to: .string) == texts)
    }

    @Test(
        "a number of JSON is an integer however it is written, and nothing is rounded to be one",
        arguments: [
            ("7", 7), ("-0", 0), ("7.0", 7), ("70e-1", 7), ("0.7e1", 7), ("-1.20e2", -120), ("0e-999", 0),
            ("9223372036854775807", .max), ("9223372036854775807.0", .max), ("-9223372036854775808", .min),
            ("1e18", 1_000_000_000_000_000_000), ("9007199254740993.0", 9_007_199_254_740_993),
            ("6.9999999999999999999", nil), ("7.00000000000000000001", nil), ("1e-999", nil),
            ("4503599627370497.5", nil), ("1e19", nil), ("9223372036854775808", nil), ("0.5", nil), ("1e999", nil),
            ("x", nil),
        ] as [(String, Int64?)])
    func integers(_ digits: String, _ expected: Int64?) {
        #expect(JSONValue.integer(digits) == expected, "\(digits)")
    }
}
