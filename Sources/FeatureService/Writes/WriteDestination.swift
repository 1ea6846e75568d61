import FeatureDefinitions
public import FeatureModel
public import OnlineStore
public import TextFormats

/// How far the rows of a push are taken at once. They are in PostgreSQL before the answer in any case.
public enum WriteDestination: String, Sendable, CaseIterable {
    /// The next materialize publishes them.
    case offline
    /// They are published at once. The same as `both`: nothing is online that is not in PostgreSQL.
    case online
    case both
}

extension WriteDestination {
    /// Said to whoever wants rows online that the view does not take there.
    func warning(about view: RegisteredFeatureView) -> String? {
        guard self == .online, !view.isOnline else { return nil }
        return "feature view \"\(view.name)\" is not online; nothing was published"
    }
}

/// What became of the online half of a push.
public enum OnlineOutcome: Sendable, Equatable {
    /// Readers see the rows, unless they have newer ones. Of pushes that were published together, the counts are of all.
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

extension OnlineOutcome {
    /// The outcome as members of a JSON answer: `online`, and with `online_pending` why it is pending.
    public var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = [.init("online", .string(name))]
        if case .pending(let reason) = self {
            var reasons: [JSONValue.Member] = [
                .init("code", .string(reason.code.name)), .init("detail", .string(reason.message)),
            ]
            if let hint = reason.hint { reasons.append(.init("hint", .string(hint))) }
            members.append(.init("online_pending", .object(reasons)))
        }
        return members
    }
}
