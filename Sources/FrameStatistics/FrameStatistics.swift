public import FeatureModel

/// Statistics of the columns of a frame, computed in one pass while its batches stream by.
///
/// Memory is bounded: at most about 1 MiB a column, whatever the number of rows, and little while there are few. The
/// result depends on the rows and their order alone, not on how they were cut into batches, and is the same in every
/// process.
public struct FrameStatistics: Sendable {
    private let fields: [Field]
    private var rowCount = 0
    private var accumulators: [any ColumnAccumulator]

    public init(fields: [Field]) {
        self.init(fields: fields, limits: .standard)
    }

    init(fields: [Field], limits: StatisticsLimits) {
        self.fields = fields
        accumulators = fields.map { makeAccumulator(type: $0.type, limits: limits) }
    }

    /// Adds the next rows.
    /// - Parameter batch: of the columns given to `init`, in that order and of those types.
    public mutating func add(_ batch: RecordBatch) {
        precondition(
            batch.fields.map(\.type) == fields.map(\.type), "a batch has columns of other types than the frame")
        rowCount += batch.rowCount
        for (index, column) in batch.columns.enumerated() { accumulators[index].add(column) }
    }

    /// One value a field, in the order of the fields.
    public consuming func finish() -> [ColumnStatistics] {
        zip(fields, accumulators).map { field, accumulator in
            var result = ColumnStatistics(
                name: field.name, type: field.type, rowCount: rowCount, nullCount: accumulator.nullCount)
            accumulator.describe(in: &result)
            return result
        }
    }
}
