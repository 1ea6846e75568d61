import Testing

@testable import TextFormats

/// Floats as text against the standard library, which writes the fewest digits too.
@Suite("Shortest decimals")
struct ShortestDecimalTests {
    /// Texts that differ from the standard library's or do not read back to the same bits. One comparison of all, because a
    /// test's expectation costs more than writing a number.
    private struct Differences {
        private(set) var found: [String] = []
        private(set) var count = 0

        mutating func compare(_ value: Double) {
            var text: [UInt8] = []
            ScalarText.write(value, into: &text)
            let written = String(decoding: text, as: UTF8.self)
            let isRead =
                NumberText.double(text.span, isStrict: true)?.bitPattern == value.bitPattern
                && Double(written)?.bitPattern == value.bitPattern
            note(written, value.description, isRead)
        }

        mutating func compare(_ value: Float) {
            var text: [UInt8] = []
            ScalarText.write(value, into: &text)
            let written = String(decoding: text, as: UTF8.self)
            let isRead =
                NumberText.float(text.span, isStrict: true)?.bitPattern == value.bitPattern
                && Float(written)?.bitPattern == value.bitPattern
            note(written, value.description, isRead)
        }

        /// With its neighbours, and all of them negative too.
        mutating func compareAround(_ value: Double) {
            for near in [value.nextDown, value, value.nextUp] where near.isFinite {
                compare(near)
                compare(-near)
            }
        }

        /// With its neighbours, and all of them negative too.
        mutating func compareAround(_ value: Float) {
            for near in [value.nextDown, value, value.nextUp] where near.isFinite {
                compare(near)
                compare(-near)
            }
        }

        private mutating func note(_ written: String, _ expected: String, _ isRead: Bool) {
            count += 1
            if written != expected { found.append("\(written) instead of \(expected)") }
            if !isRead { found.append("\(written) does not read back") }
        }

        var firsts: ArraySlice<String> { found.prefix(5) }
    }

    @Test("every power of two, and what is next to it")
    func powersOfTwo() {
        var differences = Differences()
        for exponent in -1_074...1_023 {
            differences.compareAround(Double(sign: .plus, exponent: exponent, significand: 1))
        }
        for exponent in -149...127 {
            differences.compareAround(Float(sign: .plus, exponent: exponent, significand: 1))
        }
        #expect(differences.count > 14_000)
        #expect(differences.found.isEmpty, "\(differences.firsts)")
    }

    @Test("every power of ten, and what is next to it")
    func powersOfTen() throws {
        var differences = Differences()
        for exponent in -323...308 { differences.compareAround(try #require(Double("1e\(exponent)"))) }
        for exponent in -45...38 { differences.compareAround(try #require(Float("1e\(exponent)"))) }
        #expect(differences.found.isEmpty, "\(differences.firsts)")
    }

    @Test("where the notation changes, where integers end, and the ends of the range")
    func boundaries() {
        var differences = Differences()
        for value in [
            0.0, 1, 1e-3, 1e-4, 1e-5, 0.00099999, 123_456.789, 1e15, 1e16, 1e17, 1e22, 1e23, 0x1p53, 0x1p53 + 2,
            0x1p54, 0x1p54 + 4, 0x1p63, 0x1p64, 9.5e-3, .leastNonzeroMagnitude, .leastNormalMagnitude,
            .leastNormalMagnitude.nextDown, .greatestFiniteMagnitude, .pi, .ulpOfOne,
            // Halfway between two decimals of as many digits.
            9_007_199_254_740_994, 5.684341886080801e-14, 2e-44, 8.41e21, 2.0919495182368195e19, 9.0608011534336e15,
        ] as [Double] {
            differences.compareAround(value)
        }
        for value in [
            0, 1, 1e-3, 1e-4, 1e-5, 1e7, 1e8, 0x1p23, 0x1p24, 0x1p24 + 2, 0x1p25, 16_777_220, .leastNonzeroMagnitude,
            .leastNormalMagnitude, .leastNormalMagnitude.nextDown, .greatestFiniteMagnitude, .pi, 3.3554432e7, 8.5e9,
        ] as [Float] {
            differences.compareAround(value)
        }
        // All the smallest there are.
        for bits in UInt32(0)...3_000 {
            differences.compare(Float(bitPattern: bits))
            differences.compare(Double(bitPattern: UInt64(bits)))
        }
        #expect(differences.found.isEmpty, "\(differences.firsts)")
    }

    @Test("random bits", arguments: 0..<4 as Range<UInt64>)
    func randomBits(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var differences = Differences()
        for _ in 0..<50_000 {
            let double = Double(bitPattern: generator.next())
            if double.isFinite { differences.compare(double) }
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            if float.isFinite { differences.compare(float) }
        }
        #expect(differences.count > 99_000)
        #expect(differences.found.isEmpty, "seed \(seed): \(differences.firsts)")
    }

    @Test("integers and decimals of few digits, as most features are", arguments: 0..<4 as Range<UInt64>)
    func fewDigits(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var differences = Differences()
        for _ in 0..<20_000 {
            let digits = generator.next() % [10, 1_000, 100_000, 1_000_000_000].pick(&generator)
            let text = "\(digits)e\(Int.random(in: -12...12, using: &generator))"
            differences.compare(try #require(Double(text)))
            differences.compare(try #require(Float(text)))
            let integer = generator.next() >> UInt64.random(in: 0..<64, using: &generator)
            differences.compare(Double(integer))
            differences.compare(Float(integer))
        }
        #expect(differences.found.isEmpty, "seed \(seed): \(differences.firsts)")
    }

    @Test("what is no number has a word, whatever its sign and payload")
    func specials() {
        let doubles: [Double] = [.infinity, -.infinity, .nan, -.nan, .signalingNaN, -0.0]
        let floats: [Float] = [.infinity, -.infinity, .nan, -.nan, .signalingNaN, -0.0]
        #expect(doubles.map { value in text { ScalarText.write(value, into: &$0) } } == Self.words)
        #expect(floats.map { value in text { ScalarText.write(value, into: &$0) } } == Self.words)
    }

    private static let words = ["Infinity", "-Infinity", "NaN", "NaN", "NaN", "-0.0"]

    @Test("the digits have no trailing zeros")
    func digits() {
        #expect(ShortestDecimal(0.0) == ShortestDecimal(-0.0))
        #expect(ShortestDecimal(0.0).digits == 0)
        for (value, digits, exponent) in [
            (1e23, 1, 23), (1_200, 12, 2), (-0.5, 5, -1), (.leastNonzeroMagnitude, 5, -324),
            (0x1p53, 9_007_199_254_740_992, 0),
        ] as [(Double, UInt64, Int)] {
            #expect(ShortestDecimal(value).digits == digits, "\(value)")
            #expect(ShortestDecimal(value).exponent == exponent, "\(value)")
        }
        #expect(ShortestDecimal(1e10 as Float).digits == 1)
        #expect(ShortestDecimal(1e10 as Float).exponent == 10)
    }

    // MARK: Into memory that was set aside

    /// What is written where there is room for so many bytes and no more; one too many would stop the test.
    private func written(within bytes: Int, _ write: (inout ByteCursor) -> Void) -> String {
        withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 1) { room in
            var cursor = ByteCursor(room)
            write(&cursor)
            return String(decoding: room.prefix(cursor.count), as: UTF8.self)
        }
    }

    private func text(_ write: (inout [UInt8]) -> Void) -> String {
        var out: [UInt8] = []
        write(&out)
        return String(decoding: out, as: UTF8.self)
    }

    @Test("the room that JSON says it needs is enough, and the text is the same as anywhere else")
    func room() {
        let doubles: [Double] = [
            -.leastNormalMagnitude, -.leastNonzeroMagnitude, -.greatestFiniteMagnitude, -0.00012345678901234567,
            -0x1p54, -1.7976931348623157e-300, .nan, -.infinity, -0.0,
        ]
        for value in doubles {
            let expected = text { JSONText.write(value, into: &$0) }
            #expect(written(within: 24) { JSONText.write(value, into: &$0) } == expected)
        }
        let floats: [Float] = [
            -.leastNormalMagnitude, -.leastNonzeroMagnitude, -.greatestFiniteMagnitude, -0.000123456789, -0x1p24, .nan,
            -.infinity, -0.0,
        ]
        for value in floats {
            let expected = text { JSONText.write(value, into: &$0) }
            #expect(written(within: 16) { JSONText.write(value, into: &$0) } == expected)
        }
        for value in [0, -1, 99, 100, .max, .min] as [Int64] {
            #expect(written(within: 20) { JSONText.write(value, into: &$0) } == String(value))
        }
    }

    @Test("pieces come one behind the other, empty ones too")
    func pieces() {
        let bytes: [UInt8] = [0x2C, 0x30]
        let all = written(within: 9) { cursor in
            cursor.append("null")
            cursor.append(contentsOf: bytes)
            cursor.append(contentsOf: [])
            cursor.append(contentsOf: UnsafeRawBufferPointer(start: nil, count: 0))
            cursor.append(contentsOf: bytes.span.bytes)
            cursor.append(UInt8(ascii: "]"))
        }
        #expect(all == "null,0,0]")
    }
}
