/// Just enough of integers of many words to compute the table of powers of ten once, exactly, and to tell which of the
/// long integers in text are floats.
struct WideInteger {
    /// Least significant first; the last one is not 0.
    private var words: [UInt64]

    /// - Parameter digits: decimal digits and nothing else.
    init(digits: Span<UInt8>) {
        words = []
        var index = 0
        while index < digits.count {
            // As many as a word takes at once.
            var (chunk, scale): (UInt64, UInt64) = (0, 1)
            while index < digits.count, scale < 1_000_000_000_000_000_000 {
                chunk = chunk * 10 + UInt64(digits[index] &- UInt8(ascii: "0"))
                scale *= 10
                index += 1
            }
            multiply(by: scale, adding: chunk)
        }
    }

    private init(words: [UInt64]) {
        self.words = words
    }

    static func powerOfFive(_ exponent: Int) -> WideInteger {
        var power = WideInteger(words: [1])
        for _ in 0..<exponent { power.multiply(by: 5) }
        return power
    }

    private mutating func multiply(by factor: UInt64, adding addend: UInt64 = 0) {
        var carry = addend
        for index in words.indices {
            let (high, low) = words[index].multipliedFullWidth(by: factor)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            words[index] = sum
            carry = high + (overflow ? 1 : 0)
        }
        if carry > 0 { words.append(carry) }
    }

    private var bitCount: Int {
        words.count * 64 - (words.last?.leadingZeroBitCount ?? 0)
    }

    /// From the highest bit that is set to the lowest; 0 for zero.
    var significantBitCount: Int {
        guard let lowest = words.firstIndex(where: { $0 > 0 }) else { return 0 }
        return bitCount - lowest * 64 - words[lowest].trailingZeroBitCount
    }

    private func bit(_ index: Int) -> Bool {
        index >= 0 && words[index / 64] >> UInt64(index % 64) & 1 == 1
    }

    /// The 128 leading bits, rounded up.
    func leadingBits() -> PowersOfTen.Significand {
        var bits: UInt128 = 0
        let count = bitCount
        for index in 1...128 { bits = bits << 1 | (bit(count - index) ? 1 : 0) }
        if count > 128, (0..<count - 128).contains(where: bit) { bits += 1 }
        return PowersOfTen.Significand(high: UInt64(bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }

    /// The 128 leading bits of 1 divided by the integer (odd, greater than 1), rounded up.
    func reciprocalBits() -> PowersOfTen.Significand {
        // The remainder starts as the power of two below the divisor and doubles with each bit of the quotient.
        var remainder = WideInteger(words: Array(repeating: 0, count: words.count + 1))
        let first = bitCount - 1
        remainder.words[first / 64] |= 1 << UInt64(first % 64)
        var bits: UInt128 = 0
        for _ in 0..<128 {
            remainder.double()
            bits <<= 1
            if remainder.subtract(ifNotLess: self) { bits |= 1 }
        }
        // An odd divisor above 1 never divides a power of two.
        bits += 1
        return PowersOfTen.Significand(high: UInt64(bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }

    private mutating func double() {
        var carry: UInt64 = 0
        for index in words.indices {
            let next = words[index] >> 63
            words[index] = words[index] << 1 | carry
            carry = next
        }
    }

    private mutating func subtract(ifNotLess other: WideInteger) -> Bool {
        for index in words.indices.reversed() {
            let right = index < other.words.count ? other.words[index] : 0
            if words[index] != right {
                if words[index] < right { return false }
                break
            }
        }
        var borrow: UInt64 = 0
        for index in words.indices {
            let right = index < other.words.count ? other.words[index] : 0
            let (first, under) = words[index].subtractingReportingOverflow(right)
            let (second, underAgain) = first.subtractingReportingOverflow(borrow)
            words[index] = second
            borrow = under || underAgain ? 1 : 0
        }
        return true
    }
}
