internal import FeatureModel

/// Integers, and times as the integers that they are stored as; times have no mean.
struct IntegerAccumulator: ColumnAccumulator {
    private(set) var nullCount = 0
    private let isNumber: Bool
    private var values: OrderedValues
    private var moments = Moments()

    init(type: ValueType, isNumber: Bool, limits: StatisticsLimits) {
        self.isNumber = isNumber
        values = OrderedValues(type: type, limits: limits)
    }

    mutating func add(_ column: Column) {
        nullCount += column.nullCount
        switch column.elementType {
        case .int32, .date:
            let stored = column.int32s.span
            column.forEachValidRow { add(Int64(stored[$0])) }
        default:
            let stored = column.int64s.span
            column.forEachValidRow { add(stored[$0]) }
        }
    }

    @inline(__always)
    private mutating func add(_ value: Int64) {
        values.add(OrderedKey.key(value))
        if isNumber { moments.add(Double(value)) }
    }

    func describe(in result: inout ColumnStatistics) {
        values.describe(in: &result)
        if isNumber {
            result.numbers = moments.statistics(nanCount: 0, positiveInfinityCount: 0, negativeInfinityCount: 0)
        }
    }
}
