/// Which integers a float is read from beyond 2^53, or beyond 2^24 for a float32: from there on floats skip some. Text
/// with a fraction or an exponent is no integer, and is read as the nearest float.
public enum LongIntegers: Sendable {
    /// Those that the float gives back: with the digits of its exact value, or with the fewest that read back as it,
    /// filled up with zeros, as JavaScript writes floats. So `100000000000000000000` is 1e20.
    case roundTripping
    /// None: for integers that were typed as such before they became text, as Arrow's are.
    case refused
}

extension NumberText {
    /// Whether a text is no integer, or one that may be read as the float.
    /// - Parameter value: the nearest to the text; its magnitude is at least 2^53.
    static func isKept(_ text: Span<UInt8>, as value: Double, _ longIntegers: LongIntegers) -> Bool {
        guard let digits = integerDigits(of: text) else { return true }
        // An integer one beyond is nearest to it.
        if longIntegers == .refused, value.magnitude > 0x1p53 { return false }
        if longIntegers == .roundTripping, states(text, digits, ShortestDecimal(value)) { return true }
        return significantBits(text, digits) <= Double.significandBitCount + 1
    }

    /// - Parameter value: the nearest to the text; its magnitude is at least 2^24.
    static func isKept(_ text: Span<UInt8>, as value: Float, _ longIntegers: LongIntegers) -> Bool {
        guard let digits = integerDigits(of: text) else { return true }
        if longIntegers == .refused, value.magnitude > 0x1p24 { return false }
        if longIntegers == .roundTripping {
            if states(text, digits, ShortestDecimal(value)) { return true }
            // Who computes with doubles writes a float32 with the digits of the double that it is.
            if states(text, digits, ShortestDecimal(Double(value))) { return true }
        }
        return significantBits(text, digits) <= Float.significandBitCount + 1
    }

    /// Where the digits of an integer are, without its sign and leading zeros.
    /// - Returns: nil for a number with a fraction or an exponent.
    private static func integerDigits(of text: Span<UInt8>) -> Range<Int>? {
        var start = text.count > 0 && text[0] == UInt8(ascii: "-") ? 1 : 0
        for index in start..<text.count where text[index] &- UInt8(ascii: "0") > 9 { return nil }
        while start < text.count, text[start] == UInt8(ascii: "0") { start += 1 }
        return start..<text.count
    }

    /// Whether digits are those of an integer, with zeros up to its size.
    private static func states(_ text: Span<UInt8>, _ digits: Range<Int>, _ integer: ShortestDecimal) -> Bool {
        let end = digits.upperBound - integer.exponent
        // No float needs more than 17.
        guard (1...17).contains(end - digits.lowerBound) else { return false }
        for index in end..<digits.upperBound where text[index] != UInt8(ascii: "0") { return false }
        return text.digits(digits.lowerBound..<end) == Int(integer.digits)
    }

    /// How many bits a significand needs that is exactly the integer.
    private static func significantBits(_ text: Span<UInt8>, _ digits: Range<Int>) -> Int {
        WideInteger(digits: text.extracting(digits)).significantBitCount
    }
}
