/// Code points of UTF-8.
enum CodePoints {
    static func isContinuation(_ byte: UInt8) -> Bool {
        byte & 0xC0 == 0x80
    }

    /// Bytes of the code point that starts with `lead`.
    static func byteCount(lead: UInt8) -> Int {
        switch lead {
        case ..<0xC0: 1
        case ..<0xE0: 2
        case ..<0xF0: 3
        default: 4
        }
    }

    /// How many code points a valid text has: its bytes less the continuation bytes, eight at a time.
    static func count(in text: RawSpan) -> Int {
        var continuations = 0
        var offset = 0
        while offset + 8 <= text.byteCount {
            let word = text.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 {
                // The top bit of a byte set, the next one not.
                continuations += ((word &>> 7) & (~word &>> 6) & 0x0101_0101_0101_0101).nonzeroBitCount
            }
            offset += 8
        }
        while offset < text.byteCount {
            if isContinuation(text.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) { continuations += 1 }
            offset += 1
        }
        return text.byteCount - continuations
    }
}
