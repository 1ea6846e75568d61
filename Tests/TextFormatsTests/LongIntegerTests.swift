import FeatureModel
import Testing

@testable import TextFormats

private let zeros = String(repeating: "0", count: 307)

/// Integers that a float may not hold: refused unless the float gives the same digits back.
@Suite("Integers beyond what floats count")
struct LongIntegerTests {
    /// What a field becomes in CSV, in NDJSON and in a JSON array; nil where it is refused as `inexact`.
    private func read(_ text: String, as type: ValueType) throws -> [Value?] {
        let options = TextReadOptions(fields: [Field(name: "x", type: type)])
        return [
            try readCSV("x\n\(text)\n".utf8, options), try readNDJSON("{\"x\":\(text)}\n".utf8, options),
            try readArray("[{\"x\":\(text)}]".utf8, options),
        ].map { read -> Value? in
            #expect(read.violations.allSatisfy { $0.code == "inexact" && $0.feature == "x" }, "\(read.violations)")
            return read.violations.isEmpty ? read.rows[0][0] : nil
        }
    }

    @Test(
        "an integer that is a float64, or has its shortest digits, is one",
        arguments: [
            ("9007199254740992", 0x1p53), ("9007199254740994", 0x1p53 + 2), ("-9007199254740992", -0x1p53),
            ("-9007199254740994", -0x1p53 - 2), ("100000000000000000000", 1e20), ("-100000000000000000000", -1e20),
            ("12345678901234567000", 12_345_678_901_234_567_168), ("12345678901234567168", 12_345_678_901_234_567_168),
            ("5000000000000001000", 5_000_000_000_000_001_024), ("5000000000000001024", 5_000_000_000_000_001_024),
            ("1" + zeros + "0", 1e308), ("999999999999999", 999_999_999_999_999), ("-0", -0.0),
        ] as [(String, Double)])
    func float64(text: String, expected: Double) throws {
        #expect(try read(text, as: .float64).allSatisfy { $0 == .float64(expected) }, "\(text)")
    }

    @Test(
        "any other integer beyond 2^53 is refused",
        arguments: [
            "9007199254740993", "-9007199254740993", "9007199254740995", "12345678901234567169", "12345678901234567001",
            "-12345678901234567169", "100000000000000000001", "1" + zeros + "1",
        ])
    func inexactFloat64(text: String) throws {
        #expect(try read(text, as: .float64) == [nil, nil, nil], "\(text)")
    }

    @Test(
        "a float32 is an integer with its digits, as a float32 or as the double that it is",
        arguments: [
            ("16777216", 0x1p24), ("16777218", 0x1p24 + 2), ("-16777218", -0x1p24 - 2), ("100000000000000000000", 1e20),
            ("100000002004087734272", 1e20), ("100000002004087730000", 1e20), ("16777217", nil), ("123456789", nil),
            ("-16777217", nil), ("100000002004087730001", nil),
        ] as [(String, Float?)])
    func float32(text: String, expected: Float?) throws {
        #expect(try read(text, as: .float32).allSatisfy { $0 == expected.map(Value.float32) }, "\(text)")
    }

    @Test("a fraction or an exponent says that the number is a float")
    func floats() throws {
        for text in ["9007199254740993.0", "9007199254740993e0", "9.007199254740993E15"] {
            #expect(try read(text, as: .float64).allSatisfy { $0 == .float64(0x1p53) }, "\(text)")
        }
        #expect(try read("16777217.0", as: .float32).allSatisfy { $0 == .float32(0x1p24) })
    }

    @Test("leading zeros, as CSV allows them, say nothing")
    func leadingZeros() throws {
        for (text, value) in [
            ("00000000000000000001", 1), ("-000100000000000000000000", -1e20), ("0009007199254740994", 0x1p53 + 2),
            ("0009007199254740993", nil),
        ] as [(String, Double?)] {
            let read = try readCSV("x\n\(text)\n".utf8, options(["x": .float64]))
            #expect(read.rows == [[value.map(Value.float64) ?? .null]], "\(text)")
            #expect(read.violations.map(\.code) == (value == nil ? ["inexact"] : []), "\(text)")
        }
    }

    @Test("an integer beyond every float is out of range")
    func outOfRange() throws {
        let digits = "1" + String(repeating: "0", count: 399)
        for type in [ValueType.float64, .float32] {
            let read = try readNDJSON("{\"x\":\(digits)}\n{\"x\":-\(digits)}\n".utf8, options(["x": type]))
            #expect(read.violations.map(\.code) == ["out_of_range", "out_of_range"])
        }
    }

    @Test("a refusal says what would work")
    func messages() throws {
        let text = """
            {"d":9007199254740993,"f":16777217,"l":[1,12345678901234567169],"v":[0,-123456789]}
            {"d":12345678901234567169,"f":9007199254740993}

            """
        let read = try readNDJSON(
            text.utf8,
            options(["d": .float64, "f": .float32, "l": .array(.float64), "v": .vector(dimension: 2)]))
        #expect(
            read.complaints == [
                "1/1 d inexact", "1/1 f inexact", "1/1 l inexact", "1/1 v inexact", "2/2 d inexact", "2/2 f inexact",
            ])
        let expected = [
            "\"9007199254740993\" is not exact as float64, whose nearest value is 9007199254740992.0: write that, "
                + "or declare int64 or string (line 1, column 6)",
            "\"16777217\" is not exact as float32, whose nearest value is 16777216.0: write that, "
                + "or declare float64 or int64 or string (line 1, column 27)",
            "element 2: \"12345678901234567169\" is not exact as float64, whose nearest value is "
                + "1.2345678901234567e+19: write that, or declare string (line 1, column 40)",
            "element 2: \"-123456789\" is not exact as float32, whose nearest value is -1.2345679e+08: write that, "
                + "or declare float64 or int64 or string (line 1, column 69)",
        ]
        for (violation, message) in zip(read.violations, expected) { #expect(violation.message == message) }
        // What the message tells to write is taken.
        for text in ["9007199254740992.0", "1.2345678901234567e+19"] {
            #expect(try self.read(text, as: .float64).allSatisfy { $0 != nil })
        }
    }

    @Test("integers that were typed as such are refused beyond 2^53")
    func refused() throws {
        var choices = options(["x": .float64])
        choices.longIntegers = .refused
        let texts = [
            "5000000000000001000", "5000000000000001024", "5.000000000000001e18", "9007199254740994",
            "-9007199254740993",
            "9007199254740992",
        ]
        let read = try readNDJSON(texts.map { "{\"x\":\($0)}\n" }.joined().utf8, choices)
        #expect(read.complaints == ["1/1 x inexact", "2/2 x inexact", "4/4 x inexact", "5/5 x inexact"])
        #expect(read.rows.last == [.float64(0x1p53)] && read.rows[2] == [.float64(5_000_000_000_000_001_024)])
    }

    // MARK: Floats as integers

    @Test(
        "JSON may write an integer as a float up to 2^53, CSV may not",
        arguments: [
            ("1000.0", .int64(1000), nil), ("-1e3", .int64(-1000), nil), ("0.0", .int64(0), nil),
            ("9007199254740991.0", .int64(9_007_199_254_740_991), nil),
            ("9007199254740993", .int64(9_007_199_254_740_993), nil),
            ("9007199254740992.0", nil, "inexact"), ("-1e16", nil, "inexact"), ("1e19", nil, "out_of_range"),
            ("1e999", nil, "out_of_range"), ("1.5", nil, "wrong_type"), ("1e-999", nil, "wrong_type"),
            ("7.00000000000000000001", nil, "wrong_type"), ("\"1.0\"", nil, "wrong_type"),
        ] as [(String, Value?, String?)])
    func wholeNumbers(text: String, value: Value?, code: String?) throws {
        let list = try readNDJSON("{\"x\":[\(text)]}\n".utf8, options(["x": .array(.int64)]))
        #expect(list.rows == [[value.map { Value.array([$0]) } ?? .null]], "\(text): \(list.violations)")
        for read in [
            try readNDJSON("{\"x\":\(text)}\n".utf8, options(["x": .int64])),
            try readArray("[{\"x\":\(text)}]".utf8, options(["x": .int64])),
        ] {
            #expect(read.rows == [[value ?? .null]], "\(text): \(read.violations)")
            #expect(read.violations.map(\.code) == (code.map { [$0] } ?? []), "\(text)")
        }
        guard text.contains(where: { ".e".contains($0) }) else { return }
        let csv = try readCSV("x\n\(text)\n".utf8, options(["x": .int64]))
        #expect(csv.violations.map(\.code) == ["wrong_type"], "\(text)")
    }

    @Test func `a float is an int32 where it fits one`() throws {
        let text = ["12.0", "-2147483648.0", "2147483648.0", "1e16"].map { "{\"x\":\($0)}\n" }.joined()
        let read = try readNDJSON(text.utf8, options(["x": .int32]))
        #expect(read.rows == [[.int32(12)], [.int32(.min)], [.null], [.null]])
        #expect(read.complaints == ["3/3 x out_of_range", "4/4 x out_of_range"])
    }

    @Test func `a float that does not tell its integer is refused with what to write`() throws {
        let read = try readNDJSON("{\"x\":1e16}\n".utf8, options(["x": .int64]))
        #expect(
            read.violations.map(\.message) == [
                "\"1e16\" does not tell which integer is meant, because from 2^53 on floats skip some: write its "
                    + "digits, without point or exponent (line 1, column 6)"
            ])
    }

    // MARK: Against decimal strings

    /// The value of an integral double, by doubling a number of many digits as often as its exponent says.
    private func exactDigits(_ value: Double) -> String {
        if value < 0x1p63 { return String(UInt64(value)) }
        // Billions, least significant first.
        var limbs: [UInt64] = []
        var significand = value.significandBitPattern | 1 << 52
        while significand > 0 {
            limbs.append(significand % 1_000_000_000)
            significand /= 1_000_000_000
        }
        for _ in 0..<Int(value.exponent) - 52 {
            var carry: UInt64 = 0
            for index in limbs.indices {
                let doubled = limbs[index] * 2 + carry
                limbs[index] = doubled % 1_000_000_000
                carry = doubled / 1_000_000_000
            }
            if carry > 0 { limbs.append(carry) }
        }
        let rest = limbs.dropLast().reversed().map { limb -> String in
            let digits = String(limb)
            return String(repeating: "0", count: 9 - digits.count) + digits
        }
        return String(limbs[limbs.count - 1]) + rest.joined()
    }

    /// The digits of the standard library's description of an integral float, with zeros up to its size.
    private func shortestDigits(_ description: String) throws -> String {
        let parts = description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let fraction = mantissa.count < 2 || mantissa[1] == "0" ? "" : String(mantissa[1])
        let exponent = parts.count < 2 ? 0 : try #require(Int(parts[1]))
        return String(mantissa[0]) + fraction + String(repeating: "0", count: exponent - fraction.count)
    }

    /// Integers as they are written of a float, and others near them: with another last digit, with another somewhere.
    private func candidates(_ written: [String], using generator: inout SeededGenerator) -> [String] {
        var texts = written
        for text in written {
            for place in [text.count - 1, Int.random(in: 1..<text.count, using: &generator)] {
                var digits = Array(text.utf8)
                digits[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &generator)
                texts.append(String(decoding: digits, as: UTF8.self))
            }
        }
        return texts
    }

    @Test("a float64 takes the digits that its decimal strings have, and no others", arguments: 0..<4 as Range<UInt64>)
    func float64Oracle(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var (taken, refused) = (0, 0)
        for _ in 0..<100 {
            let exponent = Int.random(in: Bool.random(using: &generator) ? 53...70 : 53...1_023, using: &generator)
            let value = Double(
                sign: .plus, exponentBitPattern: UInt(exponent + 1_023), significandBitPattern: generator.next() >> 12)
            let written = [exactDigits(value), try shortestDigits(value.description)]
            for text in candidates(written, using: &generator) {
                let nearest = try #require(Double(text))
                guard nearest.isFinite, nearest >= 0x1p53 else { continue }
                let exact = exactDigits(nearest)
                let shortest = try shortestDigits(nearest.description)
                let isTaken = NumberText.isKept(Array("-\(text)".utf8).span, as: -nearest, .roundTripping)
                let isTyped = NumberText.isKept(Array(text.utf8).span, as: nearest, .refused)
                #expect(isTaken == [exact, shortest].contains(text), "\(text), seed \(seed)")
                #expect(isTyped == (text == "9007199254740992"), "\(text), seed \(seed)")
                if isTaken { taken += 1 } else { refused += 1 }
            }
        }
        #expect(taken > 150 && refused > 150, "\(taken) taken, \(refused) refused, seed \(seed)")
    }

    @Test("a float32 takes the digits that its decimal strings have, and no others", arguments: 0..<4 as Range<UInt64>)
    func float32Oracle(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func writings(_ value: Float) throws -> [String] {
            [
                exactDigits(Double(value)), try shortestDigits(value.description),
                try shortestDigits(Double(value).description),
            ]
        }
        var (taken, refused) = (0, 0)
        for _ in 0..<200 {
            let value = Float(
                sign: .plus, exponentBitPattern: UInt(Int.random(in: 24...127, using: &generator) + 127),
                significandBitPattern: UInt32(truncatingIfNeeded: generator.next() >> 41))
            for text in candidates(try writings(value), using: &generator) {
                let nearest = try #require(Float(text))
                guard nearest.isFinite, nearest >= 0x1p24 else { continue }
                let isExpected = try writings(nearest).contains(text)
                let isTaken = NumberText.isKept(Array(text.utf8).span, as: nearest, .roundTripping)
                #expect(isTaken == isExpected, "\(text), seed \(seed)")
                if isTaken { taken += 1 } else { refused += 1 }
            }
        }
        #expect(taken > 400 && refused > 400, "\(taken) taken, \(refused) refused, seed \(seed)")
    }
}
