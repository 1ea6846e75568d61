internal import FeatureModel

/// The state of one column's statistics while batches come.
protocol ColumnAccumulator: Sendable {
    var nullCount: Int { get }

    /// Adds the rows of a column of the type the accumulator was made for.
    mutating func add(_ column: Column)

    /// Writes the parts that the type has.
    func describe(in result: inout ColumnStatistics)
}

func makeAccumulator(type: ValueType, limits: StatisticsLimits) -> any ColumnAccumulator {
    switch type {
    case .scalar(.bool): BoolAccumulator()
    case .scalar(.int32), .scalar(.int64): IntegerAccumulator(type: type, isNumber: true, limits: limits)
    case .scalar(.timestamp), .scalar(.date): IntegerAccumulator(type: type, isNumber: false, limits: limits)
    case .scalar(.float32), .scalar(.float64): FloatAccumulator(type: type, limits: limits)
    case .scalar(.string): ByteStringAccumulator(isText: true, limits: limits)
    case .scalar(.bytes): ByteStringAccumulator(isText: false, limits: limits)
    case .array, .vector: ListAccumulator()
    }
}

extension Column {
    /// Calls `body` with each row that is not null.
    @inline(__always)
    func forEachValidRow(_ body: (Int) -> Void) {
        if nullCount == 0 {
            for row in 0..<count { body(row) }
        } else {
            for row in 0..<count where !isNull(row) { body(row) }
        }
    }
}
