internal import FeatureModel

/// Arrays and vectors.
struct ListAccumulator: ColumnAccumulator {
    private(set) var nullCount = 0
    private var lengths = LengthRange()

    mutating func add(_ column: Column) {
        nullCount += column.nullCount
        switch column.type {
        case .vector(let dimension):
            if column.count > column.nullCount { lengths.add(dimension) }
        case .array, .scalar:
            let offsets = column.listOffsets.span
            for row in 0..<column.count where !column.isNull(row) { lengths.add(offsets[row + 1] - offsets[row]) }
        }
    }

    func describe(in result: inout ColumnStatistics) {
        result.lengths = lengths.statistics
    }
}
