internal import FeatureModel

struct BoolAccumulator: ColumnAccumulator {
    private(set) var nullCount = 0
    private var trueCount = 0
    private var valueCount = 0

    mutating func add(_ column: Column) {
        nullCount += column.nullCount
        valueCount += column.count - column.nullCount
        let values = column.bools.span
        var added = 0
        column.forEachValidRow { row in
            if values[row] { added += 1 }
        }
        trueCount += added
    }

    func describe(in result: inout ColumnStatistics) {
        result.bools = BoolStatistics(trueCount: trueCount, falseCount: valueCount - trueCount)
    }
}
