internal import FeatureModel

/// The parts that all values with an order have: range, quantiles, distinct count and top values.
struct OrderedValues: Sendable {
    private let type: ValueType
    private var minimum = UInt64.max
    private var maximum = UInt64.min
    private var quantiles: QuantileSketch
    private var counts: KeyCounts

    init(type: ValueType, limits: StatisticsLimits) {
        self.type = type
        quantiles = QuantileSketch(limits: limits)
        counts = KeyCounts(limits: limits)
    }

    @inline(__always)
    mutating func add(_ key: UInt64) {
        minimum = min(minimum, key)
        maximum = max(maximum, key)
        counts.add(key)
        quantiles.add(key)
    }

    func describe(in result: inout ColumnStatistics) {
        result.distinct = counts.table.distinctCount(ofValues: quantiles.count)
        result.topValues = counts.topValues(type: type)
        guard quantiles.count > 0 else {
            result.order = OrderStatistics(minimum: nil, maximum: nil, quantiles: [], rankError: 0)
            return
        }
        let ranks = Quantile.percents.map { Quantile.rank(percent: $0, count: quantiles.count) }
        // While every distinct value is counted, the counts tell all ranks, however many values there are.
        let keys = counts.table.isExact ? counts.keys(atRanks: ranks) : quantiles.keys(atRanks: ranks)
        result.order = OrderStatistics(
            minimum: OrderedKey.value(minimum, type: type), maximum: OrderedKey.value(maximum, type: type),
            quantiles: zip(Quantile.percents, keys).map { percent, key in
                Quantile(probability: Double(percent) / 100, value: OrderedKey.value(key, type: type))
            },
            rankError: counts.table.isExact ? 0 : quantiles.rankError)
    }
}
