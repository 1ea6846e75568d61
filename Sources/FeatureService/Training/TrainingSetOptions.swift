/// What a training set is made of.
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

    public enum KnownByOption: String, Sendable, CaseIterable {
        case eventTime = "event_time"
        case recorded
        case arrival
    }

    public init() {}
}
