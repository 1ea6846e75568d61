// Many rows at once: by bytes of eight rows, and without touching bits where there is no null.

extension Validity {
    public mutating func append(_ isValid: Bool, repeating times: Int) {
        if isValid, nullCount == 0 {
            count += times
        } else if times > 0 {
            if nullCount == 0 { keepBits() }
            if isValid, count & 7 != 0 { bits[bits.count - 1] |= 0xFF << UInt8(count & 7) }
            count += times
            bits.append(contentsOf: repeatElement(isValid ? 0xFF : 0, count: (count + 7) / 8 - bits.count))
            clearSpareBits()
            if !isValid { nullCount += times }
        }
    }

    public mutating func append(contentsOf other: Validity) {
        if other.nullCount == 0 {
            append(true, repeating: other.count)
        } else {
            if nullCount == 0 { keepBits() }
            appendBits(of: other, 0..<other.count)
        }
    }

    public func slice(_ rows: Range<Int>) -> Validity {
        guard nullCount > 0 else { return Validity(allValid: rows.count) }
        var result = Validity()
        result.appendBits(of: self, rows)
        if result.nullCount == 0 { result.bits = [] }
        return result
    }

    /// Appends rows of `other`, which keeps bits, to the bits kept here.
    private mutating func appendBits(of other: Validity, _ rows: Range<Int>) {
        var row = rows.lowerBound
        while count & 7 != 0, row < rows.upperBound {
            if !other[row] { nullCount += 1 }
            appendBit(other[row])
            row += 1
        }
        let start = bits.count
        let rest = rows.upperBound - row
        let source = other.bits.span
        bits.append(addingCapacity: (rest + 7) / 8) { output in
            for byte in row >> 3..<row >> 3 + (rest + 7) / 8 {
                let high = byte + 1 < source.count ? source[byte + 1] : 0
                let pair = UInt16(high) << 8 | UInt16(source[byte])
                output.append(UInt8(truncatingIfNeeded: pair >> UInt16(row & 7)))
            }
        }
        count += rest
        clearSpareBits()
        nullCount += rest - bits.setBitCount(from: start)
    }

    /// The rows at `indices`; a negative index is not valid.
    func gathered(at indices: Span<some FixedWidthInteger & SignedInteger>) -> Validity {
        if nullCount > 0 {
            let source = bits.span
            return Validity(count: indices.count) { row in
                let index = Int(indices[row])
                return index >= 0 && source[index >> 3] & (1 << UInt8(index & 7)) != 0
            }
        }
        // Looked for first, because it is the quicker of the two loops and most columns end here.
        var sign = 0
        for row in indices.indices { sign |= Int(indices[row]) }
        if sign >= 0 { return Validity(allValid: indices.count) }
        return Validity(count: indices.count) { row in indices[row] >= 0 }
    }

    /// The rows for which `isValid` holds.
    @inline(__always)
    private init(count: Int, where isValid: (_ row: Int) -> Bool) {
        var nullCount = count
        bits = [UInt8](capacity: (count + 7) / 8) { output in
            for start in stride(from: 0, to: count, by: 8) {
                var byte: UInt8 = 0
                for row in start..<min(start + 8, count) where isValid(row) { byte |= 1 << UInt8(row & 7) }
                nullCount -= byte.nonzeroBitCount
                output.append(byte)
            }
        }
        self.count = count
        self.nullCount = nullCount
        if nullCount == 0 { bits = [] }
    }
}
