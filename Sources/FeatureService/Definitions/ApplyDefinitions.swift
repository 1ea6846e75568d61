public import FeatureDefinitions
import FeatureModel
import Foundation
import OfflineStore
import PostgresClient
import Registry

/// Plans a tree of definitions against the registry and applies it: whole, or not at all.
public struct ApplyDefinitions: Sendable {
    private let stores: Stores
    private let registry = RegistryStore()

    public init(stores: Stores) {
        self.stores = stores
    }

    /// What applying would do. PostgreSQL has judged the SQL of what the plan adds or keeps; its refusals are among the plan's.
    /// - Throws: `LarderError`.
    public func plan(_ definition: ProjectDefinition, allowRemovals: Bool) async throws -> Plan {
        let current = try await current(definition.name)
        let plan = try await judged(provisional(definition, current, allowRemovals), definition)
        let told = try await stores.writer.withConnection { connection in
            try await TouchedTrainingSets(current: current).tell(in: plan, on: connection)
        }
        return try await EstimateCosts(stores: stores).run(told)
    }

    /// Applies the definitions in one transaction.
    ///
    /// - Parameter expected: the revision a person has seen the plan for; another one refuses. Nil takes what is there.
    /// - Returns: the plan that was carried out; nothing was done when it `isNoOp`.
    /// - Throws: `LarderError` `change_refused`, `removal_not_allowed`, `expression_invalid`,
    ///   `expression_not_immutable` or `revision_conflict`; nothing is changed then.
    public func apply(
        _ definition: ProjectDefinition, allowRemovals: Bool, expecting expected: Int64? = nil
    ) async throws -> Plan {
        let current = try await current(definition.name)
        if let expected, expected != current?.revision ?? 0 {
            throw LarderError(
                .revisionConflict,
                "project \"\(definition.name)\" is at revision \(current?.revision ?? 0), the plan was made for revision \(expected)",
                hint: "plan again and apply")
        }
        let draft = try await judged(provisional(definition, current, allowRemovals), definition)
        try draft.checkAccepted()
        guard !draft.isNoOp else { return draft }
        return try await stores.owner.withConnection { connection in
            let planned = try await final(definition, current, allowRemovals, on: connection)
            let plan = try await TouchedTrainingSets(current: current).tell(in: planned, on: connection)
            guard let next = plan.next else { return plan }
            try await LockWait.transaction(on: connection) { connection in
                try await registry.lock(next, at: plan.baseRevision, on: connection)
                try await TableChanges(next: next, current: current, sourceLogin: stores.sourceLogin)
                    .make(on: connection)
                for change in plan.changes where change.needsRepublish {
                    // What was published expires by the former ttl.
                    try await WatermarkStore.forget(
                        featureViewID: try next.featureView(named: change.name).id, stage: .online, on: connection)
                }
                try await registry.commit(
                    next, replacing: plan.baseRevision, changes: try Self.json(plan),
                    author: .init(actor: stores.actor), on: connection)
            }
            return plan
        }
    }

    private func current(_ name: String) async throws -> RegisteredProject? {
        try await stores.writer.withConnection { try await registry.project(named: name, on: $0) }
    }

    /// A plan with ids that nothing has: negative ones.
    private func provisional(
        _ definition: ProjectDefinition, _ current: RegisteredProject?, _ allowRemovals: Bool
    ) -> Plan {
        var lowest: Int64 = 0
        return Planner.plan(current: current, definition: definition, allowRemovals: allowRemovals) { _ in
            lowest -= 1
            return lowest
        }
    }

    /// The same plan with ids of its own.
    private func final(
        _ definition: ProjectDefinition, _ current: RegisteredProject?, _ allowRemovals: Bool,
        on connection: PostgresConnection
    ) async throws -> Plan {
        var needed = 0
        _ = Planner.plan(current: current, definition: definition, allowRemovals: allowRemovals) { _ in
            needed += 1
            return Int64(-needed)
        }
        var ids = try await registry.allocateIDs(needed, on: connection)[...]
        return Planner.plan(current: current, definition: definition, allowRemovals: allowRemovals) { _ in
            // As many were reserved as the same plan has just asked for.
            ids.popFirst() ?? -1
        }
    }

    private func judged(_ plan: Plan, _ definition: ProjectDefinition) async throws -> Plan {
        guard let next = plan.next, !plan.isNoOp else { return plan }
        let places = ExpressionJudge.Places(definition)
        let refusals = try await stores.source.withConnection { connection in
            try await ExpressionJudge(project: next, places: places, connection: connection).judge()
        }
        return refusals.isEmpty ? plan : plan.refused(for: refusals)
    }

    private static func json(_ plan: Plan) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(plan), as: UTF8.self)
    }
}

extension ExpressionJudge.Places {
    fileprivate init(_ definition: ProjectDefinition) {
        self.init(
            source: { name in definition.sources.first { $0.name == name }?.location },
            filter: { view in definition.featureViews.first { $0.name == view }?.location },
            feature: { view, feature in
                definition.featureViews.first { $0.name == view }?.features.first { $0.name == feature }?.location
            })
    }
}
