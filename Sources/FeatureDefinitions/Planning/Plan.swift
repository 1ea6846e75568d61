public import FeatureModel

/// What applying a tree of definitions would do, or why it is refused.
public struct Plan: Sendable {
    public let projectName: String
    /// The revision the plan starts from; 0 for a project that does not exist yet.
    public let baseRevision: Int64
    /// Every object of the tree and every one it no longer mentions: project, entities, sources, views, services,
    /// each kind by name.
    public let changes: [PlannedChange]
    /// Everything that keeps the plan from being applied, all at once.
    public let refusals: [LarderError]
    /// What the registry would hold; nil when the plan is refused.
    public let next: RegisteredProject?

    /// Whether there is nothing to do: applying would leave the registry as it is.
    public var isNoOp: Bool { refusals.isEmpty && changes.allSatisfy { $0.action == .unchanged } }

    /// Throws the refusals as one error.
    /// - Throws: `change_refused`, or `removal_not_allowed` or `definition_invalid` when all refusals are that.
    public func checkAccepted() throws(LarderError) {
        guard let first = refusals.first else { return }
        let code = refusals.allSatisfy { $0.code == first.code } ? first.code : .changeRefused
        let count = refusals.count == 1 ? "a change is" : "\(refusals.count) changes are"
        throw LarderError(code, "\(count) refused, nothing was applied", errors: refusals)
    }
}

/// What happens to one object.
public struct PlannedChange: Sendable, Hashable, Codable {
    public enum Action: String, Sendable, Hashable, Codable {
        case added
        case changed
        case removed
        case unchanged
    }

    public var action: Action
    public var kind: ObjectKind
    public var name: String
    /// What the object is or becomes in a few words, e.g. `10 features, version 1`.
    public var summary: String
    /// The single changes, each a line.
    public var details: [String]
    /// Whether rows are computed, to fill in new features or a new generation, or copied into one.
    public var needsBackfill: Bool
    /// Whether rows already published are published again, because they now stay valid for longer.
    public var needsRepublish: Bool
    /// The schema version that the change makes; nil when no shape changed.
    public var schemaVersion: Int32?
    /// The generation that the change makes, to be filled beside the others; nil when it makes none.
    public var newGeneration: Int32?
    /// The generation whose rows are copied into the new one, because rows that are pushed are not computed; nil where
    /// they are, and where there are none to copy.
    public var copiedGeneration: Int32?
    /// How the new shape was judged; nil when there is none.
    public var verdict: String?
    /// Feature services that pin versions of the object, and what becomes of them.
    public var touchedServices: [String] = []
    /// Saved training sets that were made from the feature view, by name; they are made again from the definitions and the
    /// rows of their time.
    public var touchedTrainingSets: [String] = []
    /// What carrying the change out will take; nil where that has not been estimated.
    public var cost: ChangeCost?

    public init(
        action: Action, kind: ObjectKind, name: String, summary: String = "", details: [String] = [],
        needsBackfill: Bool = false, needsRepublish: Bool = false
    ) {
        self.action = action
        self.kind = kind
        self.name = name
        self.summary = summary
        self.details = details
        self.needsBackfill = needsBackfill
        self.needsRepublish = needsRepublish
    }
}

/// What a change of a feature view will take, estimated from statistics.
public struct ChangeCost: Sendable, Hashable, Codable {
    /// Rows to compute into the offline store.
    public var rowsToBackfill: Int64
    /// Entities to publish; nil for a view that is not online.
    public var onlineKeys: Int64?
    /// Redis memory that they will take beside what is there.
    public var onlineBytes: Int64?
    /// Time at the rates measured last; nil when nothing has been measured yet.
    public var seconds: Double?

    public init(rowsToBackfill: Int64, onlineKeys: Int64? = nil, onlineBytes: Int64? = nil, seconds: Double? = nil) {
        self.rowsToBackfill = rowsToBackfill
        self.onlineKeys = onlineKeys
        self.onlineBytes = onlineBytes
        self.seconds = seconds
    }

    private enum CodingKeys: String, CodingKey {
        case rowsToBackfill = "rows_to_backfill"
        case onlineKeys = "online_keys"
        case onlineBytes = "online_bytes"
        case seconds
    }
}

extension Plan {
    /// The plan as people read it; unchanged objects are only counted.
    public var lines: [String] {
        var lines: [String] = []
        for change in changes where change.action != .unchanged {
            let summary = change.summary.isEmpty ? "" : " (\(change.summary))"
            lines.append("\(change.action.sign) \(change.kind.rawValue) \"\(change.name)\"\(summary)")
            lines += change.details.map { "    \($0)" }
            if let verdict = change.verdict { lines.append("    \(verdict)") }
            if let filling = change.fillingLine { lines.append("    \(filling)") }
            if change.needsRepublish { lines.append("    materialize publishes its rows again") }
            if let cost = change.cost { lines.append("    \(cost)") }
            lines += change.touchedServices.map { "    \($0)" }
            if let sets = change.touchedTrainingSetsLine { lines.append("    \(sets)") }
        }
        for refusal in refusals {
            let place = refusal.location.map { "\($0): " } ?? ""
            lines.append("! \(place)\(refusal.message)")
            if let hint = refusal.hint { lines.append("    hint: \(hint)") }
        }
        lines.append(summaryLine)
        return lines
    }

    private var summaryLine: String {
        if isNoOp { return "Nothing to do: project \"\(projectName)\" is at revision \(baseRevision) as defined." }
        let counts = [PlannedChange.Action.added, .changed, .removed, .unchanged].map { action in
            "\(changes.count { $0.action == action }) \(action.rawValue)"
        }
        let refused = refusals.isEmpty ? "" : "; \(refusals.count) refused, nothing will be applied"
        return counts.joined(separator: ", ") + refused
    }
}

extension PlannedChange {
    /// How what is new is filled; nil when nothing has to be.
    fileprivate var fillingLine: String? {
        guard let generation = newGeneration else {
            return needsBackfill ? "materialize computes its rows again to fill in the new features" : nil
        }
        if let copiedGeneration {
            return "materialize copies into generation \(generation) the rows of generation \(copiedGeneration) "
                + "that pass its checks"
        }
        return needsBackfill
            ? "materialize fills generation \(generation)"
            : "generation \(generation) begins empty: its rows are pushed, and no generation has any with its join keys"
    }

    /// The saved training sets that are touched, on one line; nil when there are none.
    fileprivate var touchedTrainingSetsLine: String? {
        guard !touchedTrainingSets.isEmpty else { return nil }
        let shown = touchedTrainingSets.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ")
        let rest = touchedTrainingSets.count > 10 ? " and \(touchedTrainingSets.count - 10) more" : ""
        let noun = touchedTrainingSets.count == 1 ? "training set" : "training sets"
        return "\(noun) made from it: \(shown)\(rest)"
    }
}

extension PlannedChange.Action {
    fileprivate var sign: String {
        switch self {
        case .added: "+"
        case .changed: "~"
        case .removed: "-"
        case .unchanged: "="
        }
    }
}

extension Plan: Encodable {
    private enum CodingKeys: String, CodingKey {
        case project
        case baseRevision = "base_revision"
        case isNoOp = "is_no_op"
        case changes
        case refusals
    }

    /// The refusals in the shape of `errors[]` in problem documents.
    private struct Refusal: Encodable {
        let code: String
        let message: String
        let hint: String?
        let location: String?
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(projectName, forKey: .project)
        try container.encode(baseRevision, forKey: .baseRevision)
        try container.encode(isNoOp, forKey: .isNoOp)
        try container.encode(changes, forKey: .changes)
        try container.encode(
            refusals.map { error in
                Refusal(
                    code: error.code.name, message: error.message, hint: error.hint,
                    location: error.location?.description)
            }, forKey: .refusals)
    }
}

extension PlannedChange {
    private enum CodingKeys: String, CodingKey {
        case action
        case kind
        case name
        case summary
        case details
        case needsBackfill = "needs_backfill"
        case needsRepublish = "needs_republish"
        case schemaVersion = "schema_version"
        case newGeneration = "new_generation"
        case copiedGeneration = "copied_generation"
        case verdict
        case touchedServices = "touched_services"
        case touchedTrainingSets = "touched_training_sets"
        case cost
    }
}
