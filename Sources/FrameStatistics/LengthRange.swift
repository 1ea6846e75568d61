/// The least and the greatest length so far.
struct LengthRange: Sendable {
    private var minimum = Int.max
    private var maximum = Int.min

    @inline(__always)
    mutating func add(_ length: Int) {
        minimum = min(minimum, length)
        maximum = max(maximum, length)
    }

    var statistics: LengthStatistics {
        minimum > maximum
            ? LengthStatistics(minimum: nil, maximum: nil) : LengthStatistics(minimum: minimum, maximum: maximum)
    }
}
