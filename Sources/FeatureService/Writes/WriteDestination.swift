public import FeatureModel
public import OnlineStore

/// How far the rows of a push are taken at once. They are in PostgreSQL before the answer in any case.
public enum WriteDestination: String, Sendable, CaseIterable {
    /// The next materialize publishes them.
    case offline
    /// They are published at once. The same as `both`: nothing is online that is not in PostgreSQL.
    case online
    case both
}

/// What became of the online half of a push.
public enum OnlineOutcome: Sendable, Equatable {
    /// Readers see the rows, unless they have newer ones.
    case published(OnlineWriteCounts)
    /// The rows are written and not published; the next materialize does that. With the reason.
    case pending(LarderError)
    /// Publishing was not asked for, or the view is not online.
    case none

    public var isPending: Bool { if case .pending = self { true } else { false } }

    /// `published`, `pending` or `none`.
    public var name: String {
        switch self {
        case .published: "published"
        case .pending: "pending"
        case .none: "none"
        }
    }
}
