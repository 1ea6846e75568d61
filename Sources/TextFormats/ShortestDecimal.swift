/// The fewest decimal digits that read back as the same binary floating-point number, and of those the nearest to it.
///
/// The method is Raffaello Giulietti's Schubfach ("The Schubfach way to render doubles", 2020): of the decimals `s * 10^k` at the
/// one scale `k` where the interval that rounds to the number holds at least one and at most a few, it tests the neighbours of the
/// number itself, with products of 64 by 128 bits rounded to odd.
struct ShortestDecimal: Equatable {
    /// The digits as an integer without trailing zeros; 0 for zero.
    var digits: UInt64
    /// The number is `digits * 10^exponent`.
    var exponent: Int

    /// - Parameter value: finite; its sign does not matter.
    init(_ value: Double) {
        let bits = value.bitPattern & (1 << 63 - 1)
        self.init(fraction: bits & (1 << 52 - 1), biasedExponent: Int(bits >> 52), fractionBits: 52, bias: 1_075)
    }

    /// - Parameter value: finite; its sign does not matter.
    init(_ value: Float) {
        let bits = value.bitPattern & (1 << 31 - 1)
        self.init(
            fraction: UInt64(bits & (1 << 23 - 1)), biasedExponent: Int(bits >> 23), fractionBits: 23, bias: 150)
    }

    private init(fraction: UInt64, biasedExponent: Int, fractionBits: UInt64, bias: Int) {
        if fraction == 0 && biasedExponent == 0 {
            self.init(digits: 0, exponent: 0)
            return
        }
        // The number is `significand * 2^binaryExponent`.
        let significand = biasedExponent == 0 ? fraction : fraction | 1 << fractionBits
        let binaryExponent = max(biasedExponent, 1) - bias
        if -Int(fractionBits) <= binaryExponent, binaryExponent <= 0,
            significand & (1 << UInt64(-binaryExponent) - 1) == 0
        {
            // An integer of no more digits than the type tells apart is written as it stands.
            self.init(stripping: significand >> UInt64(-binaryExponent), exponent: 0)
            return
        }
        // At a power of two the lower neighbour is only half as far away.
        self.init(
            significand: significand, binaryExponent: binaryExponent,
            isLowerBoundaryCloser: fraction == 0 && biasedExponent > 1)
    }

    private init(significand: UInt64, binaryExponent: Int, isLowerBoundaryCloser: Bool) {
        let isEven = significand & 1 == 0
        // floor(log10(2^e)), or of 3/4 of it.
        let scale = (binaryExponent * 1_262_611 - (isLowerBoundaryCloser ? 524_031 : 0)) >> 22
        let shift = UInt64(binaryExponent + PowersOfTen.floorLog2(-scale) + 1)
        let power = PowersOfTen.significand(-scale)
        // In quarters of a unit at that scale: the number and the two ends of what rounds to it.
        let number = Self.productRoundedToOdd(power, 4 * significand << shift)
        let lower = Self.productRoundedToOdd(power, (4 * significand - (isLowerBoundaryCloser ? 1 : 2)) << shift)
        let upper = Self.productRoundedToOdd(power, (4 * significand + 2) << shift)
        let first = isEven ? lower : lower + 1
        let last = isEven ? upper : upper - 1
        let below = number >> 2
        if below >= 10 {
            // One digit fewer, if exactly one of the two tens beside the number is inside.
            let tens = below / 10
            let isLowInside = first <= 40 * tens
            let isHighInside = 40 * tens + 40 <= last
            if isLowInside != isHighInside {
                self.init(stripping: isHighInside ? tens + 1 : tens, exponent: scale + 1)
                return
            }
        }
        let isLowInside = first <= 4 * below
        let isHighInside = 4 * below + 4 <= last
        if isLowInside != isHighInside {
            self.init(stripping: isHighInside ? below + 1 : below, exponent: scale)
            return
        }
        let middle = 4 * below + 2
        let roundsUp = number > middle || (number == middle && below & 1 == 1)
        self.init(stripping: roundsUp ? below + 1 : below, exponent: scale)
    }

    private init(digits: UInt64, exponent: Int) {
        self.digits = digits
        self.exponent = exponent
    }

    private init(stripping digits: UInt64, exponent: Int) {
        var digits = digits
        var exponent = exponent
        while digits >= 10 {
            let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { break }
            digits = quotient
            exponent += 1
        }
        self.init(digits: digits, exponent: exponent)
    }

    /// The upper 64 of the 192 bits of a product, with the lowest bit set when anything below is.
    private static func productRoundedToOdd(_ power: PowersOfTen.Significand, _ factor: UInt64) -> UInt64 {
        let low = power.low.multipliedFullWidth(by: factor)
        let high = power.high.multipliedFullWidth(by: factor)
        let (middle, carry) = high.low.addingReportingOverflow(low.high)
        return (high.high + (carry ? 1 : 0)) | (middle > 1 ? 1 : 0)
    }
}

/// Powers of ten as 128 bits with the highest set, rounded up.
enum PowersOfTen {
    struct Significand: Equatable {
        let high: UInt64
        let low: UInt64
    }

    /// What doubles need: from the largest to the smallest of them.
    static let exponents = -292...324

    private static let table: [Significand] = exponents.map(compute)

    static func significand(_ exponent: Int) -> Significand {
        table[exponent - exponents.lowerBound]
    }

    /// floor(log2(10^exponent)), exact for every exponent here.
    static func floorLog2(_ exponent: Int) -> Int {
        (exponent * 1_741_647) >> 19
    }

    private static func compute(_ exponent: Int) -> Significand {
        // 10^e is 5^e apart from a power of two, which the position of the highest bit takes in.
        let power = WideInteger.powerOfFive(abs(exponent))
        if exponent >= 0 { return power.leadingBits() }
        return power.reciprocalBits()
    }
}
