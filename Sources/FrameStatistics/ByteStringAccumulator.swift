internal import FeatureModel

/// Strings and bytes.
struct ByteStringAccumulator: ColumnAccumulator {
    private(set) var nullCount = 0
    private let isText: Bool
    private var valueCount = 0
    private var lengths = LengthRange()
    private var counts: ByteStringCounts

    init(isText: Bool, limits: StatisticsLimits) {
        self.isText = isText
        counts = ByteStringCounts(limits: limits)
    }

    mutating func add(_ column: Column) {
        nullCount += column.nullCount
        valueCount += column.count - column.nullCount
        let bytes = column.bytes.span.bytes
        let offsets = column.byteOffsets.span
        for row in 0..<column.count where !column.isNull(row) {
            let value = bytes.extracting(offsets[row]..<offsets[row + 1])
            lengths.add(isText ? CodePoints.count(in: value) : value.byteCount)
            counts.add(value)
        }
    }

    func describe(in result: inout ColumnStatistics) {
        result.lengths = lengths.statistics
        result.distinct = counts.table.distinctCount(ofValues: valueCount)
        result.topValues = counts.topValues(isText: isText)
    }
}
