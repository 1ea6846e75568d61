public import FeatureModel

/// A row of a view's history, as the oracle reads it.
public struct OracleRow: Sendable {
    /// In key-name order.
    public var keys: [Value]
    public var eventTime: Int64
    /// `Int64.min` where the source records none.
    public var recordedTime: Int64
    public var sequence: Int64
    public var schemaVersion: Int32
    public var arrival: Int64
    public var isTombstone: Bool
    public var features: [Value]

    public init(
        keys: [Value], eventTime: Int64, recordedTime: Int64, sequence: Int64, schemaVersion: Int32, arrival: Int64,
        isTombstone: Bool, features: [Value]
    ) {
        self.keys = keys
        self.eventTime = eventTime
        self.recordedTime = recordedTime
        self.sequence = sequence
        self.schemaVersion = schemaVersion
        self.arrival = arrival
        self.isTombstone = isTombstone
        self.features = features
    }
}

/// What is right for one row of a spine.
public struct OracleAnswer: Sendable, Equatable {
    public let status: AsOfStatus
    /// Nulls unless `status` is `found`.
    public let features: [Value]
    /// Of the chosen row; nil unless `status` is `found` or `outsideMaxAge`.
    public let eventTime: Int64?
}

/// The rules of point-in-time correctness, word for word and without a thought for speed: every spine row looks at every
/// row of the history. It exists to be compared with, shares nothing with the join but the model's types, and does its
/// own arithmetic.
public enum NaiveOracle {
    /// - Parameters:
    ///   - keys: of the spine row, in key-name order.
    ///   - time: of the spine row, in microseconds since 1970.
    ///   - history: of the view, in any order.
    public static func answer(
        keys: [Value], at time: Int64, history: [OracleRow], rule: JoinRule, featureCount: Int
    ) -> OracleAnswer {
        let nulls = [Value](repeating: .null, count: featureCount)
        for key in keys where key.isNull {
            return OracleAnswer(status: .invalidKey, features: nulls, eventTime: nil)
        }
        var chosen: OracleRow?
        for row in history where isCandidate(row, keys: keys, time: time, rule: rule) {
            if let current = chosen, !isNewer(row, than: current) { continue }
            chosen = row
        }
        // A tombstone that wins is no row, whatever the ttl.
        guard let chosen, !chosen.isTombstone else {
            return OracleAnswer(status: .notFound, features: nulls, eventTime: nil)
        }
        if let ttl = rule.ttlMicroseconds {
            let sevenDays: Int64 = 7 * 24 * 60 * 60 * 1_000_000
            let (age, overflow) = time.subtractingReportingOverflow(chosen.eventTime)
            if overflow || age > ttl {
                return overflow || age - ttl > sevenDays
                    ? OracleAnswer(status: .notFound, features: nulls, eventTime: nil)
                    : OracleAnswer(status: .outsideMaxAge, features: nulls, eventTime: chosen.eventTime)
            }
        }
        return OracleAnswer(status: .found, features: chosen.features, eventTime: chosen.eventTime)
    }

    private static func isCandidate(_ row: OracleRow, keys: [Value], time: Int64, rule: JoinRule) -> Bool {
        for (mine, theirs) in zip(row.keys, keys) where !isSameKey(mine, theirs) { return false }
        guard row.eventTime <= time else { return false }
        switch rule.knownBy {
        case .eventTime: return true
        case .recorded: return row.recordedTime <= time
        case .arrival(let lag): return row.arrival <= time - lag
        }
    }

    /// int32 and int64 keys of the same value are the same entity.
    private static func isSameKey(_ left: Value, _ right: Value) -> Bool {
        if case .int32(let left) = left, case .int64(let right) = right { return Int64(left) == right }
        if case .int64(let left) = left, case .int32(let right) = right { return left == Int64(right) }
        return left == right
    }

    private static func isNewer(_ left: OracleRow, than right: OracleRow) -> Bool {
        if left.eventTime > right.eventTime { return true }
        if left.eventTime < right.eventTime { return false }
        if left.recordedTime > right.recordedTime { return true }
        if left.recordedTime < right.recordedTime { return false }
        if left.sequence > right.sequence { return true }
        if left.sequence < right.sequence { return false }
        return left.schemaVersion > right.schemaVersion
    }
}
