/// The rule for strings: UTF-8 without NUL.
enum TextCheck {
    enum Kind {
        case notUTF8
        case nul
    }

    /// The first row that breaks the rule. Checks all rows in one go, then the edges between them.
    static func firstFault(_ bytes: [UInt8], offsets: [Int]) -> (row: Int, kind: Kind)? {
        let (isASCII, hasNUL) = survey(bytes)
        if !isASCII, let row = firstRowNotUTF8(bytes, offsets: offsets) { return (row, .notUTF8) }
        return hasNUL ? bytes.firstIndex(of: 0).map { (row(of: $0, offsets), .nul) } : nil
    }

    /// Looks at eight bytes at a time: most text is ASCII without NUL, and then needs no other look.
    private static func survey(_ bytes: [UInt8]) -> (isASCII: Bool, hasNUL: Bool) {
        bytes.withUnsafeBytes { bytes in
            let whole = bytes.count & ~7
            var any: UInt64 = 0
            // The high bit of a byte that is 0, and perhaps of others beside it.
            var zeros: UInt64 = 0
            for start in stride(from: 0, to: whole, by: 8) {
                let word = bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
                any |= word
                zeros |= (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            }
            let rest = bytes[whole...]
            return (any & 0x8080_8080_8080_8080 == 0 && rest.allSatisfy { $0 < 0x80 }, zeros != 0 || rest.contains(0))
        }
    }

    private static func firstRowNotUTF8(_ bytes: [UInt8], offsets: [Int]) -> Int? {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            return row(of: error.byteOffsets.lowerBound, offsets)
        }
        // The bytes as a whole are; a character that begins in one row and ends in another is not.
        let text = bytes.span
        let edges = offsets.span
        for row in edges.indices where edges[row] < text.count && text[edges[row]] & 0xC0 == 0x80 {
            return max(row - 1, 0)
        }
        return nil
    }

    private static func row(of byte: Int, _ offsets: [Int]) -> Int {
        var low = 0
        var high = offsets.count - 1
        while low < high {
            let middle = (low + high) / 2
            if offsets[middle + 1] > byte { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
