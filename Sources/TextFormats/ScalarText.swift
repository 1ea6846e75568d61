/// Numbers as text, shared by JSON and CSV. Floats have the fewest digits that read back as the same number, as the standard
/// library's `description` writes them.
enum ScalarText {
    static func write(_ value: Int64, into out: inout some ByteSink) {
        if value < 0 { out.append(UInt8(ascii: "-")) }
        write(value.magnitude, into: &out)
    }

    static func write(_ value: Double, into out: inout some ByteSink) {
        guard value.isFinite else { return write(special: value, into: &out) }
        if value.sign == .minus { out.append(UInt8(ascii: "-")) }
        // From here on not every integer is a double, and the digits of an integer would say more than is known.
        write(ShortestDecimal(value), isIntegral: value.magnitude <= 0x1p53, into: &out)
    }

    static func write(_ value: Float, into out: inout some ByteSink) {
        guard value.isFinite else { return write(special: Double(value), into: &out) }
        if value.sign == .minus { out.append(UInt8(ascii: "-")) }
        write(ShortestDecimal(value), isIntegral: value.magnitude <= 0x1p24, into: &out)
    }

    private static func write(special value: Double, into out: inout some ByteSink) {
        if value.isNaN { return out.append("NaN") }
        out.append(value < 0 ? "-Infinity" : "Infinity")
    }

    /// - Parameter isIntegral: whether a number of that size is written without an exponent.
    private static func write(_ decimal: ShortestDecimal, isIntegral: Bool, into out: inout some ByteSink) {
        guard decimal.digits > 0 else { return out.append("0.0") }
        var digits = Digits(decimal.digits)
        // The number is 0.DIGITS * 10^point.
        let point = digits.count + decimal.exponent
        if point < -3 || !isIntegral {
            digits.write(0..<1, into: &out)
            if digits.count > 1 {
                out.append(UInt8(ascii: "."))
                digits.write(1..<digits.count, into: &out)
            }
            return write(exponent: point - 1, into: &out)
        }
        if point <= 0 {
            out.append("0.")
            for _ in point..<0 { out.append(UInt8(ascii: "0")) }
            digits.write(0..<digits.count, into: &out)
        } else if point < digits.count {
            digits.write(0..<point, into: &out)
            out.append(UInt8(ascii: "."))
            digits.write(point..<digits.count, into: &out)
        } else {
            digits.write(0..<digits.count, into: &out)
            for _ in digits.count..<point { out.append(UInt8(ascii: "0")) }
            out.append(".0")
        }
    }

    private static func write(exponent: Int, into out: inout some ByteSink) {
        out.append(exponent < 0 ? "e-" : "e+")
        if exponent.magnitude < 10 { out.append(UInt8(ascii: "0")) }
        write(UInt64(exponent.magnitude), into: &out)
    }

    private static func write(_ value: UInt64, into out: inout some ByteSink) {
        if value < 10 { return out.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)) }
        var digits = Digits(value)
        digits.write(0..<digits.count, into: &out)
    }

    /// The decimal digits of an integer.
    private struct Digits {
        private var bytes = InlineArray<20, UInt8>(repeating: 0)
        private var first = 20

        private static let pairs: StaticString = """
            0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
            5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
            """

        init(_ value: UInt64) {
            let pairs = Self.pairs.utf8Start
            var rest = value
            while rest >= 100 {
                let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
                rest = quotient
                put(pairs + 2 * Int(pair))
            }
            if rest >= 10 {
                put(pairs + 2 * Int(rest))
            } else {
                first -= 1
                bytes[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest)
            }
        }

        private mutating func put(_ pair: UnsafePointer<UInt8>) {
            first -= 2
            bytes[first] = pair[0]
            bytes[first + 1] = pair[1]
        }

        var count: Int { 20 - first }

        mutating func write(_ range: Range<Int>, into out: inout some ByteSink) {
            let start = first + range.lowerBound
            bytes.span.withUnsafeBytes { all in
                out.append(contentsOf: UnsafeRawBufferPointer(rebasing: all[start..<start + range.count]))
            }
        }
    }
}
