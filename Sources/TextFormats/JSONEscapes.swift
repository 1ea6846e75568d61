/// Escape sequences in JSON strings.
enum JSONEscapes {
    /// The length of the valid escape sequence at `position`; a surrogate pair is one sequence.
    static func length(_ bytes: [UInt8], at position: Int, end: Int) -> Int? {
        guard position + 1 < end else { return nil }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 2
        case UInt8(ascii: "u"):
            guard let unit = codeUnit(bytes[position..<end]) else { return nil }
            if unit & 0xFC00 == 0xDC00 { return nil }
            guard unit & 0xFC00 == 0xD800 else { return 6 }
            guard position + 6 < end, let low = codeUnit(bytes[position + 6..<end]), low & 0xFC00 == 0xDC00 else {
                return nil
            }
            return 12
        default:
            return nil
        }
    }

    /// The UTF-16 code unit of a `\uXXXX` that `text` starts with.
    private static func codeUnit(_ text: ArraySlice<UInt8>) -> UInt32? {
        guard text.count >= 6, text[text.startIndex] == UInt8(ascii: "\\"),
            text[text.startIndex + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt32 = 0
        for byte in text[text.startIndex + 2..<text.startIndex + 6] {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    /// The text of a string whose escapes are all valid.
    static func resolve(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.first {
            guard byte == UInt8(ascii: "\\"), rest.count > 1 else {
                out.append(byte)
                rest.removeFirst()
                continue
            }
            let escaped = rest[rest.startIndex + 1]
            guard escaped == UInt8(ascii: "u"), let unit = codeUnit(rest) else {
                out.append(short(escaped))
                rest = rest.dropFirst(2)
                continue
            }
            rest = rest.dropFirst(6)
            var scalar = unit
            if unit & 0xFC00 == 0xD800, let low = codeUnit(rest) {
                scalar = 0x1_0000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
                rest = rest.dropFirst(6)
            }
            if let scalar = Unicode.Scalar(scalar) { out.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? []) }
        }
        return out
    }

    private static func short(_ escaped: UInt8) -> UInt8 {
        switch escaped {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: escaped
        }
    }
}
