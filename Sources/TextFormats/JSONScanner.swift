/// Runs of bytes in JSON text. They keep no state, so that where they are stays in a register.
enum JSONScanner {
    /// Where the characters of a string end that stand for themselves: at a quote, an escape or a control character.
    /// - Parameter isASCII: made false when one of them is not.
    static func endOfCharacters(
        _ text: Span<UInt8>, from start: Int, to end: Int, isASCII: inout Bool
    ) -> Int {
        var index = start
        var seen: UInt8 = 0
        while index < end {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            seen |= byte
            index += 1
        }
        if seen >= 0x80 { isASCII = false }
        return index
    }

    /// Behind the end of the array that begins at `start`, found by quotes and brackets alone: whether what is between them
    /// is JSON is not looked at.
    /// - Returns: nil when no array ends there, as far as that tells.
    static func endOfArray(_ text: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        let text = text.extracting(start..<end)
        var index = 0
        var depth = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\"") {
                guard let next = endOfString(text, from: index) else { return nil }
                index = next
            } else if byte | 0x26 == 0x7F {
                // The brackets, and few others that there may be.
                switch byte {
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    depth += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"):
                    depth -= 1
                    if depth == 0 { return byte == UInt8(ascii: "]") ? start + index : nil }
                default: break
                }
            }
        }
        return nil
    }

    /// Behind the quote that closes a string, whose characters begin at `start`.
    private static func endOfString(_ text: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return index }
            // Whatever is escaped, a quote above all.
            if byte == UInt8(ascii: "\\") { index += 1 }
        }
        return nil
    }

    /// Where the number ends that stands at `start`.
    /// - Returns: nil when what stands there is no number as JSON writes numbers (RFC 8259, section 6).
    static func endOfNumber(_ text: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        var index = start
        if index < end, text[index] == UInt8(ascii: "-") { index += 1 }
        let whole = index
        index = endOfDigits(text, from: whole, to: end)
        guard index == whole + 1 || (index > whole && text[whole] != UInt8(ascii: "0")) else { return nil }
        if index < end, text[index] == UInt8(ascii: ".") {
            let fraction = index + 1
            index = endOfDigits(text, from: fraction, to: end)
            guard index > fraction else { return nil }
        }
        if index < end, text[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") { index += 1 }
            let exponent = index
            index = endOfDigits(text, from: exponent, to: end)
            guard index > exponent else { return nil }
        }
        return index < end && isOfNumbers(text[index]) ? nil : index
    }

    /// Whether numbers have the byte somewhere.
    static func isOfNumbers(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private static func endOfDigits(_ text: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, text[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
        return index
    }
}
