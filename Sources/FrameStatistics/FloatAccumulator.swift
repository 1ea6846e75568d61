internal import FeatureModel

/// float32 and float64; every float32 is a float64.
struct FloatAccumulator: ColumnAccumulator {
    private(set) var nullCount = 0
    private var nanCount = 0
    private var positiveInfinityCount = 0
    private var negativeInfinityCount = 0
    private var values: OrderedValues
    private var moments = Moments()

    init(type: ValueType, limits: StatisticsLimits) {
        values = OrderedValues(type: type, limits: limits)
    }

    mutating func add(_ column: Column) {
        nullCount += column.nullCount
        if column.elementType == .float32 {
            let stored = column.float32s.span
            column.forEachValidRow { add(Double(stored[$0])) }
        } else {
            let stored = column.float64s.span
            column.forEachValidRow { add(stored[$0]) }
        }
    }

    @inline(__always)
    private mutating func add(_ value: Double) {
        if value.isFinite {
            moments.add(value)
        } else if value.isNaN {
            nanCount += 1
            return
        } else if value > 0 {
            positiveInfinityCount += 1
        } else {
            negativeInfinityCount += 1
        }
        values.add(OrderedKey.key(value))
    }

    func describe(in result: inout ColumnStatistics) {
        values.describe(in: &result)
        result.numbers = moments.statistics(
            nanCount: nanCount, positiveInfinityCount: positiveInfinityCount,
            negativeInfinityCount: negativeInfinityCount)
    }
}
