public import FeatureModel

/// Some rows of a view's history, withdrawn ones left out, as columns of equal length.
///
/// Within a batch and from one to the next, rows ascend strictly by entity key, in the order of `EntityKey`, and then
/// by the one order.
public struct HistoryBatch: Sendable {
    /// One for each join key, in key-name order; never null.
    public let keyColumns: [Column]
    /// Microseconds since 1970; `Int64.min` for static rows.
    public let eventTimes: [Int64]
    /// Microseconds since 1970; `Int64.min` where the source records none.
    public let recordedTimes: [Int64]
    public let sequences: [Int64]
    public let schemaVersions: [Int32]
    /// Microseconds since 1970.
    public let arrivals: [Int64]
    public let tombstones: [Bool]
    /// The view's features that are asked for; the same types in every batch.
    public let features: [Column]

    public var rowCount: Int { eventTimes.count }

    public init(
        keyColumns: [Column], eventTimes: [Int64], recordedTimes: [Int64], sequences: [Int64], schemaVersions: [Int32],
        arrivals: [Int64], tombstones: [Bool], features: [Column]
    ) {
        let lengths =
            [recordedTimes.count, sequences.count, schemaVersions.count, arrivals.count, tombstones.count]
            + keyColumns.map(\.count) + features.map(\.count)
        precondition(lengths.allSatisfy { $0 == eventTimes.count }, "columns of a history batch differ in length")
        self.keyColumns = keyColumns
        self.eventTimes = eventTimes
        self.recordedTimes = recordedTimes
        self.sequences = sequences
        self.schemaVersions = schemaVersions
        self.arrivals = arrivals
        self.tombstones = tombstones
        self.features = features
    }

    func order(_ row: Int) -> RowOrder {
        RowOrder(
            eventTime: Timestamp(microsecondsSince1970: eventTimes[row]),
            recordedTime: Timestamp(microsecondsSince1970: recordedTimes[row]),
            sequence: sequences[row], schemaVersion: schemaVersions[row])
    }
}
