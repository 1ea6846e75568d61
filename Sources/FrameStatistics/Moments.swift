/// Mean and sample standard deviation of finite numbers, in one pass.
///
/// Values are taken in blocks of 256, counted from the first value on, so that the result does not depend on batches. A
/// block's sum of squared deviations is computed in two passes and merged by the update of Chan, Golub and LeVeque,
/// "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979). The sums of the blocks are added
/// with Neumaier's compensation, so that the mean does not drift with the number of blocks.
///
/// Rounding, with u = 2^-53 and M the largest magnitude: a block's sum misses by at most 66 u a value (four lanes of 64
/// additions), the compensated total by 2 u more, the conversion of an integer by one. Deviations are as if every value
/// were moved by no more than the errors of the two means it is compared to, 256 u M together, which moves the standard
/// deviation by no more than that (Minkowski's inequality) times sqrt(n / (n - 1)).
struct Moments: Sendable {
    private static let blockSize = 256

    private var block: [Double] = []
    private var count = 0
    private var smallest = Double.infinity
    private var largest = -Double.infinity

    /// Everything below is of the values times this power of two, which keeps squares from overflow and underflow. It
    /// only ever shrinks.
    private var scale = 0x1p600
    private var sum = 0.0
    private var compensation = 0.0
    /// Sum of the squared deviations from the mean.
    private var squares = 0.0

    @inline(__always)
    mutating func add(_ value: Double) {
        block.append(value)
        if block.count == Self.blockSize { mergeBlock() }
    }

    @inline(never)
    private mutating func mergeBlock() {
        // Taken out for as long as it is read, so that the rest may be written.
        var taken: [Double] = []
        swap(&taken, &block)
        defer {
            taken.removeAll(keepingCapacity: true)
            swap(&taken, &block)
        }
        let values = taken.span
        for index in values.indices {
            smallest = min(smallest, values[index])
            largest = max(largest, values[index])
        }
        rescale(to: Self.scale(for: max(smallest.magnitude, largest.magnitude)))
        let scale = scale
        let blockSum = Self.sum(of: values) { $0 * scale }
        let blockMean = blockSum / Double(values.count)
        let blockSquares = Self.sum(of: values) {
            let deviation = $0 * scale - blockMean
            return deviation * deviation
        }
        let merged = count + values.count
        if count > 0 {
            let delta = blockMean - (sum + compensation) / Double(count)
            squares += delta * delta * (Double(count) / Double(merged) * Double(values.count))
        }
        squares += blockSquares
        addToSum(blockSum)
        count = merged
    }

    /// In four lanes: they run side by side, and errors of a quarter of the additions add up in each.
    @inline(__always)
    private static func sum(of values: Span<Double>, _ term: (Double) -> Double) -> Double {
        var lanes = SIMD4<Double>()
        var index = 0
        while index + 4 <= values.count {
            lanes += SIMD4(
                term(values[index]), term(values[index + 1]), term(values[index + 2]), term(values[index + 3]))
            index += 4
        }
        while index < values.count {
            lanes[index & 3] += term(values[index])
            index += 1
        }
        return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    }

    private mutating func addToSum(_ term: Double) {
        let total = sum + term
        compensation += sum.magnitude >= term.magnitude ? (sum - total) + term : (term - total) + sum
        sum = total
    }

    /// Scaled, every value is below 2^480, and the largest is above 2^-400 unless it is still below 2^-1000.
    private static func scale(for magnitude: Double) -> Double {
        if magnitude < 0x1p-400 { 0x1p600 } else if magnitude < 0x1p480 { 1 } else { 0x1p-600 }
    }

    private mutating func rescale(to wanted: Double) {
        guard wanted < scale else { return }
        // Two steps at once underflow to zero, which is what the old values then are beside the new.
        let ratio = wanted / scale
        sum *= ratio
        compensation *= ratio
        squares = squares * ratio * ratio
        scale = wanted
    }

    func statistics(nanCount: Int, positiveInfinityCount: Int, negativeInfinityCount: Int) -> NumberStatistics {
        var whole = self
        if !block.isEmpty { whole.mergeBlock() }
        let (mean, meanError) = whole.mean
        let (deviation, deviationError) = whole.standardDeviation
        return NumberStatistics(
            nanCount: nanCount, positiveInfinityCount: positiveInfinityCount,
            negativeInfinityCount: negativeInfinityCount, mean: mean, meanError: meanError,
            standardDeviation: deviation, standardDeviationError: deviationError)
    }

    private var mean: (value: Double?, error: Double) {
        guard count > 0 else { return (nil, 0) }
        if smallest == largest { return (smallest, 0) }
        let mean = (sum + compensation) / Double(count) / scale
        return (min(max(mean, smallest), largest), max(smallest.magnitude, largest.magnitude) * 0x1p-46)
    }

    private var standardDeviation: (value: Double?, error: Double) {
        guard count > 1 else { return (nil, 0) }
        if smallest == largest { return (0, 0) }
        let deviation = (squares / Double(count - 1)).squareRoot() / scale
        let magnitude = max(smallest.magnitude, largest.magnitude)
        return (deviation, magnitude * 0x1p-44 + deviation * (Double(count) / 256 + 128) * 0x1p-53)
    }
}
