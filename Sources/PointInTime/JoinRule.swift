/// When a row counts as known at a spine row's time, beyond its event time lying not after it.
public enum KnownBy: Sendable, Hashable {
    /// Always: a backfill arrives later than what it describes.
    case eventTime
    /// When the source recorded it no later; a row without a recorded time counts as always recorded.
    case recorded
    /// When Larder had learned it, and then waited the lag, no later.
    case arrival(availabilityLagMicroseconds: Int64)
}

/// How one view is joined to a spine.
public struct JoinRule: Sendable, Hashable {
    /// A chosen row older than this answers nothing; nil means never too old. Not negative.
    public var ttlMicroseconds: Int64?
    public var knownBy: KnownBy

    public init(ttlMicroseconds: Int64? = nil, knownBy: KnownBy = .eventTime) {
        self.ttlMicroseconds = ttlMicroseconds
        self.knownBy = knownBy
    }
}

/// What the join found for one row of the spine.
public enum AsOfStatus: UInt8, Sendable, Hashable, CaseIterable {
    /// A row was chosen and is young enough.
    case found
    /// No row, or a tombstone, or a row beyond ttl and grace.
    case notFound
    /// The chosen row is older than the ttl, within the grace.
    case outsideMaxAge
    /// A join key of the spine row is null.
    case invalidKey
}
