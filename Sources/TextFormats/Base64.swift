/// Base64 by RFC 4648, section 4: padded, without line breaks, and strict, so that every run of bytes has one text.
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    /// The value of each character, 0xFF for those outside of the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    public static func encode(_ bytes: some Collection<UInt8>, into out: inout [UInt8]) {
        out.reserveCapacity(out.count + (bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var held = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 1
            if held == 3 {
                for shift in [18, 12, 6, 0] as [UInt32] { out.append(alphabet[Int(group >> shift & 63)]) }
                group = 0
                held = 0
            }
        }
        if held == 1 {
            out.append(alphabet[Int(group >> 2)])
            out.append(alphabet[Int(group << 4 & 63)])
            out.append(padding)
            out.append(padding)
        } else if held == 2 {
            out.append(alphabet[Int(group >> 10)])
            out.append(alphabet[Int(group >> 4 & 63)])
            out.append(alphabet[Int(group << 2 & 63)])
            out.append(padding)
        }
    }

    /// - Returns: nil when the text has other characters, a wrong length or padding, or stray bits at its end.
    public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var characters = text.count
        while characters > 0, text.count - characters < 2, text[characters - 1] == padding { characters -= 1 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters * 3 / 4)
        var group: UInt32 = 0
        for index in 0..<characters {
            let value = values[Int(text[index])]
            guard value != 0xFF else { return nil }
            group = group << 6 | UInt32(value)
            if index % 4 == 3 {
                bytes.append(UInt8(truncatingIfNeeded: group >> 16))
                bytes.append(UInt8(truncatingIfNeeded: group >> 8))
                bytes.append(UInt8(truncatingIfNeeded: group))
                group = 0
            }
        }
        switch characters % 4 {
        case 0: return bytes
        case 2 where group & 0xF == 0:
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
            return bytes
        case 3 where group & 0x3 == 0:
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
            return bytes
        default: return nil
        }
    }
}
