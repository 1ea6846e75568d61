/// What an answer says about one feature of one entity, online and offline alike.
public enum FeatureStatus: String, Sendable, Hashable, CaseIterable {
    /// The row is there and the feature has a value.
    case present = "PRESENT"
    /// The row is there, the feature is null.
    case nullValue = "NULL_VALUE"
    /// Never a row, a tombstone, or a row older than ttl and grace.
    case notFound = "NOT_FOUND"
    /// The newest row is older than the ttl, within the grace.
    case outsideMaxAge = "OUTSIDE_MAX_AGE"
    /// The row is of another schema version; default or null filled in.
    case defaulted = "DEFAULTED"
    /// A join key was null.
    case invalidKey = "INVALID_KEY"
}

/// How age decides, offline and online alike.
public enum MaxAge {
    /// How long past its ttl a row is still reported as `OUTSIDE_MAX_AGE`, in microseconds: 7 days.
    public static let graceMicroseconds: Int64 = 7 * 86_400 * 1_000_000

    public enum Verdict: Sendable, Equatable {
        case fresh
        case outsideMaxAge
        case notFound
    }

    /// Judges a winner by its age at `time`; exactly `ttl` old still counts.
    /// - Parameter ttlMicroseconds: nil means never too old.
    @inlinable
    public static func judge(eventTime: Timestamp, at time: Timestamp, ttlMicroseconds: Int64?) -> Verdict {
        guard let ttlMicroseconds else { return .fresh }
        let oldest = time.advanced(byMicroseconds: -ttlMicroseconds)
        if eventTime >= oldest { return .fresh }
        return eventTime >= oldest.advanced(byMicroseconds: -graceMicroseconds) ? .outsideMaxAge : .notFound
    }
}
