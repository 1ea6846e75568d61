public import FeatureModel
public import OfflineStore

/// What a training set is made of, beside its spine and features.
public struct TrainingSetOptions: Sendable {
    public var timestampColumn = "event_timestamp"
    /// IANA name of the zone of timestamps without an offset; nil refuses them.
    public var timeZone: String?
    /// A further spelling of null in CSV.
    public var nullSpelling: String?
    /// Names features `view__feature`.
    public var usesFullFeatureNames = false
    /// Adds each view's chosen event time as `view__event_timestamp`.
    public var includesTimestamps = false
    public var knownBy: KnownByOption = .eventTime
    /// Sees the offline store as it was at this time; nil means now.
    public var asOf: Timestamp?
    /// Instead of the ttl that the view declares, by view name or alias, in microseconds; a nil within means no ttl.
    public var ttlOfView: [String: Int64?] = [:]

    /// Adds a column that divides the rows.
    public var split: TrainingSetSplit?

    public enum KnownByOption: String, Sendable, CaseIterable {
        case eventTime = "event_time"
        case recorded
        case arrival
    }

    public init() {}
}

/// How a training set is made, which makes no difference to what is in it.
public struct TrainingSetResources: Sendable {
    /// What the process may take for one training set, in bytes; PostgreSQL's sessions take some 20 MiB beside it.
    public var memoryBytes = 512 << 20
    /// Sessions with PostgreSQL that work side by side.
    public var connections = 2
    /// Entities that a training set without a spine may name, `too_many_entities`. Defaults to `10000`.
    public var maximumEntities = 10_000
    /// Stops after the first segment's plans were made: for telling them.
    var joinsNothing = false
    /// Overrides the choice of how to join; for comparing.
    public var strategy: JoinStrategy?

    public init() {}
}
