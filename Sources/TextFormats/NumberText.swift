/// Reads numbers from ASCII text without making strings where it can.
enum NumberText {
    enum IntegerFault: Error {
        case notAnInteger
        case outOfRange
    }

    /// A decimal integer: an optional minus, then digits.
    static func integer(_ text: Span<UInt8>) throws(IntegerFault) -> Int64 {
        var index = 0
        let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        let digits = text.count - index
        guard digits > 0 else { throw .notAnInteger }
        var value: Int64 = 0
        var overflows = false
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { throw .notAnInteger }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.subtractingReportingOverflow(Int64(digit))
            overflows = overflows || overflow || carry
            value = sum
            index += 1
        }
        // Counted downwards, because there is one negative number more than there are positive ones.
        guard !overflows else { throw .outOfRange }
        if isNegative { return value }
        guard value != .min else { throw .outOfRange }
        return -value
    }

    /// A number in text, taken apart: `±mantissa * 10^exponent`.
    struct Decimal {
        var isNegative = false
        /// The first 19 digits.
        var mantissa: UInt64 = 0
        var exponent = 0
        /// False when digits did not fit the mantissa.
        var isExact = true
    }

    /// - Parameter isStrict: the grammar of JSON; else also leading zeros, and no digits on one side of the point.
    /// - Returns: nil when the text is not a number of that grammar.
    static func decimal(_ text: Span<UInt8>, isStrict: Bool) -> Decimal? {
        var result = Decimal()
        var index = 0
        let count = text.count
        if index < count, text[index] == UInt8(ascii: "-") {
            result.isNegative = true
            index += 1
        }
        let whole = index
        takeDigits(text, &index, &result, scale: 0)
        let wholeDigits = index - whole
        if isStrict, wholeDigits == 0 || (wholeDigits > 1 && text[whole] == UInt8(ascii: "0")) { return nil }
        var fractionDigits = 0
        if index < count, text[index] == UInt8(ascii: ".") {
            index += 1
            let fraction = index
            takeDigits(text, &index, &result, scale: -1)
            fractionDigits = index - fraction
            if isStrict, fractionDigits == 0 { return nil }
        }
        guard wholeDigits + fractionDigits > 0 else { return nil }
        if index < count, text[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            guard let exponent = takeExponent(text, &index) else { return nil }
            result.exponent += exponent
        }
        return index == count ? result : nil
    }

    private static func takeDigits(_ text: Span<UInt8>, _ index: inout Int, _ result: inout Decimal, scale: Int) {
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return }
            if result.mantissa < 1_000_000_000_000_000_000 {
                result.mantissa = result.mantissa * 10 + UInt64(digit)
                result.exponent += scale
            } else {
                if digit != 0 { result.isExact = false }
                result.exponent += scale + 1
            }
            index += 1
        }
    }

    private static func takeExponent(_ text: Span<UInt8>, _ index: inout Int) -> Int? {
        var isNegative = false
        if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            isNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        let start = index
        var exponent = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            exponent = min(exponent * 10 + Int(digit), 1_000_000)
            index += 1
        }
        return index == start ? nil : isNegative ? -exponent : exponent
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The nearest Double. Where mantissa and power of ten are both exact, one operation rounds once and so
    /// correctly; where the digits are all there, a division of integers does; else the standard library reads the text.
    /// - Returns: nil when the text is no number; an infinity when it is too large.
    static func double(_ text: Span<UInt8>, isStrict: Bool) -> Double? {
        guard let decimal = decimal(text, isStrict: isStrict) else { return nil }
        if decimal.isExact, decimal.mantissa <= 1 << 53, (-22...22).contains(decimal.exponent) {
            let mantissa = Double(decimal.mantissa)
            let power = powersOfTen[abs(decimal.exponent)]
            let value = decimal.exponent < 0 ? mantissa / power : mantissa * power
            return decimal.isNegative ? -value : value
        }
        if let (significand, exponent) = decimal.rounded(toBits: 53) {
            return Double(
                sign: decimal.isNegative ? .minus : .plus, exponent: exponent, significand: Double(significand))
        }
        return Double(string(text))
    }

    /// The nearest Float, rounded once from the text.
    static func float(_ text: Span<UInt8>, isStrict: Bool) -> Float? {
        guard let decimal = decimal(text, isStrict: isStrict) else { return nil }
        if decimal.isExact, decimal.mantissa <= 1 << 24, (-10...10).contains(decimal.exponent) {
            let mantissa = Float(decimal.mantissa)
            let power = Float(powersOfTen[abs(decimal.exponent)])
            let value = decimal.exponent < 0 ? mantissa / power : mantissa * power
            return decimal.isNegative ? -value : value
        }
        if let (significand, exponent) = decimal.rounded(toBits: 24) {
            return Float(sign: decimal.isNegative ? .minus : .plus, exponent: exponent, significand: Float(significand))
        }
        return Float(string(text))
    }

    static func string(_ text: Span<UInt8>) -> String {
        text.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
}

extension NumberText.Decimal {
    /// 5^27 is the last power of five that 64 bits hold.
    private static let powersOfFive: [UInt64] = (0...27).map { exponent in
        (0..<exponent).reduce(1) { power, _ in power * 5 }
    }

    /// The number rounded to `bits` bits, ties to even: `significand * 2^exponent`, without the sign.
    ///
    /// `mantissa / 10^k` is `mantissa / 5^k * 2^-k`. With both sides of the division shifted up to 64 bits, its quotient has at
    /// least 63 bits and its remainder says whether there is more, so that one rounding sees all there is to know.
    /// - Returns: nil where that does not apply: digits were lost, or the exponent is positive or below -27.
    func rounded(toBits bits: Int) -> (significand: UInt64, exponent: Int)? {
        guard isExact, mantissa > 0, (-27...0).contains(exponent) else { return nil }
        let divisor = Self.powersOfFive[-exponent]
        let dividendShift = mantissa.leadingZeroBitCount
        let divisorShift = divisor.leadingZeroBitCount
        let dividend = mantissa << dividendShift
        let (quotient, remainder) = (divisor << divisorShift).dividingFullWidth((dividend >> 1, dividend << 63))
        let surplus = 64 - quotient.leadingZeroBitCount - bits
        let half: UInt64 = 1 << (surplus - 1)
        let rest = quotient & ((half << 1) - 1)
        var significand = quotient >> surplus
        if rest > half || (rest == half && (remainder > 0 || significand & 1 == 1)) { significand += 1 }
        return (significand, surplus - 63 + divisorShift - dividendShift + exponent)
    }
}
