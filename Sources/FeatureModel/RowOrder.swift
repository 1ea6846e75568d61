/// The one order: of two rows with equal keys the newer is the one with the greater
/// (event time, recorded time or minus infinity, sequence, schema version).
public struct RowOrder: Sendable, Hashable, Comparable {
    public let eventTime: Timestamp
    /// Minus infinity when the source records none.
    public let recordedTime: Timestamp
    /// One number per raw row, given in input order.
    public let sequence: Int64
    public let schemaVersion: Int32

    @inlinable
    public init(eventTime: Timestamp, recordedTime: Timestamp, sequence: Int64, schemaVersion: Int32) {
        self.eventTime = eventTime
        self.recordedTime = recordedTime
        self.sequence = sequence
        self.schemaVersion = schemaVersion
    }

    @inlinable
    public static func < (left: RowOrder, right: RowOrder) -> Bool {
        if left.eventTime != right.eventTime { return left.eventTime < right.eventTime }
        if left.recordedTime != right.recordedTime { return left.recordedTime < right.recordedTime }
        if left.sequence != right.sequence { return left.sequence < right.sequence }
        return left.schemaVersion < right.schemaVersion
    }
}
