import FeatureDefinitions
import FeatureModel
import Foundation
import PointInTime
import PostgresClient
import Registry
import TestSupport
import Testing

@testable import FeatureService

/// The chains of the fuzzed plans against PostgreSQL: an apply does what its plan said, or nothing at all.
/// `LARDER_FUZZ_SEED` runs one seed alone.
@Suite struct AppliedPlanTests {
    private static let chainCount: UInt64 = 60

    @Test func `an apply does what the plan said, to the registry and to the tables, or nothing`() async throws {
        try await LarderFixture.run { larder in
            try await Self.makeWideTable(larder)
            let only = ProcessInfo.processInfo.environment["LARDER_FUZZ_SEED"].flatMap { UInt64($0) }
            let seeds = only.map { $0...$0 } ?? 0...Self.chainCount - 1
            var tally: [String: Int] = [:]
            for seed in seeds {
                var chain = AppliedChain(seed: seed, larder: larder)
                do {
                    try await chain.run { tally[$0, default: 0] += 1 }
                } catch {
                    Issue.record("seed \(seed), step \(chain.step): \(error)")
                }
            }
            guard only == nil else { return }
            for step in ["applied", "refused", "new generation", "lifecycle", "drop"] {
                #expect(tally[step, default: 0] > 3, "\(step): \(tally)")
            }
        }
    }

    /// What the random sources of type postgres and query read.
    private static func makeWideTable(_ larder: LarderFixture) async throws {
        let schema: PostgresQuery = "\(identifier: TypedName.schema)"
        let columns = TypedName.sqlColumns.map { column -> PostgresQuery in
            let parts = column.split(separator: " ", maxSplits: 1).map(String.init)
            return "\(identifier: parts[0]) \(unescaped: parts[1])"
        }
        try await larder.stores.owner.withConnection { owner in
            try await owner.execute("CREATE SCHEMA \(query: schema)")
            try await owner.execute(
                "CREATE TABLE \(query: schema).\(identifier: TypedName.table) (\(query: columns.joined(separator: ", ")))"
            )
            try await owner.execute(
                "GRANT USAGE ON SCHEMA \(query: schema) TO \(identifier: larder.stores.sourceLogin)")
            try await owner.execute(
                "GRANT SELECT ON ALL TABLES IN SCHEMA \(query: schema) TO \(identifier: larder.stores.sourceLogin)")
        }
    }
}

private struct AppliedChain {
    let larder: LarderFixture
    private(set) var step = 0
    private var random: SplitMix64
    private var tree: RandomTree
    private var applied: RandomTree?
    private var project: RegisteredProject?

    private struct Difference: Error, CustomStringConvertible {
        let description: String
    }

    init(seed: UInt64, larder: LarderFixture) {
        self.larder = larder
        random = SplitMix64(seed: seed)
        tree = RandomTree(project: "random\(seed)", using: &random)
    }

    mutating func run(_ count: (String) -> Void) async throws {
        for _ in 0..<Int.random(in: 2...6, using: &random) {
            step += 1
            if step > 1 { tree.edit(using: &random) }
            try await apply(count)
            for _ in 0..<Int.random(in: 0...2, using: &random) { try await changeLifecycle(count) }
        }
    }

    private mutating func apply(_ count: (String) -> Void) async throws {
        let definition = tree.definition
        let use = ApplyDefinitions(stores: larder.stores)
        let allowRemovals = Int.random(in: 0..<5, using: &random) > 0
        let plan = try await use.plan(definition, allowRemovals: allowRemovals)
        guard plan.next != nil else {
            count("refused")
            let before = try await fingerprint()
            do {
                _ = try await use.apply(definition, allowRemovals: allowRemovals)
                throw Difference(description: "applied what the plan refused: \(plan.lines)")
            } catch let error as LarderError {
                guard error.errors.map(\.message) == plan.refusals.map(\.message) else {
                    throw Difference(description: "refused for another reason: \(error), planned \(plan.refusals)")
                }
            }
            guard try await fingerprint() == before else {
                throw Difference(description: "a refused apply left a trace")
            }
            if let applied, Int.random(in: 0..<4, using: &random) > 0 { tree = applied }
            return
        }
        count("applied")
        if plan.changes.contains(where: { $0.newGeneration != nil }) { count("new generation") }
        let made = try await use.apply(definition, allowRemovals: allowRemovals, expecting: plan.baseRevision)
        guard made.changes.map(Self.withoutCost) == plan.changes.map(Self.withoutCost) else {
            throw Difference(description: "planned \(plan.lines), applied \(made.lines)")
        }
        let stored = try await larder.project(definition.name)
        guard let next = made.next, try stored.document() == next.document() else {
            throw Difference(description: "the registry does not hold what was applied")
        }
        applied = tree
        try await take(stored)
    }

    private static func withoutCost(_ change: PlannedChange) -> PlannedChange {
        var change = change
        change.cost = nil
        return change
    }

    private mutating func changeLifecycle(_ count: (String) -> Void) async throws {
        guard let project, let (change, next) = Self.possibleChange(of: project, using: &random) else { return }
        switch change {
        case .switchGeneration, .rollback: try await makeWithoutRows(next, replacing: project)
        default: try await ChangeLifecycle(stores: larder.stores).make(change, in: project)
        }
        count("lifecycle")
        if case .finishDrop = change { count("drop") }
        let stored = try await larder.project(project.name)
        guard stored == next else { throw Difference(description: "\(change) made another revision") }
        do {
            try await take(stored)
        } catch {
            throw Difference(description: "after \(change): \(error)")
        }
    }

    /// A change that the revision accepts; most random ones it does not.
    private static func possibleChange(
        of project: RegisteredProject, using random: inout SplitMix64
    ) -> (LifecycleChange, RegisteredProject)? {
        for _ in 0..<12 {
            let begun = Bool.random(using: &random) ? project.begunDrop : nil
            guard let change = begun ?? project.randomLifecycleChange(using: &random) else { return nil }
            if let next = try? project.applying(change) { return (change, next) }
        }
        return nil
    }

    /// A generation without rows is no one's to switch to; here the tables alone matter.
    private func makeWithoutRows(_ next: RegisteredProject, replacing project: RegisteredProject) async throws {
        let registry = RegistryStore()
        try await larder.stores.owner.withConnection { connection in
            try await connection.transaction(isolation: .readCommitted) { connection in
                try await registry.lock(next, at: project.revision, on: connection)
                try await TableChanges(next: next, current: project, sourceLogin: larder.stores.sourceLogin)
                    .make(on: connection)
                try await registry.commit(
                    next, replacing: project.revision, changes: "{}", author: .init(actor: "test"), on: connection)
            }
        }
    }

    private mutating func take(_ stored: RegisteredProject) async throws {
        project = stored
        let catalog = try await larder.stores.owner.withConnection { try await TableCatalog.read(of: stored, on: $0) }
        let differences = catalog.differences(from: .expected(of: stored))
        guard differences.isEmpty else { throw Difference(description: differences.joined(separator: "\n")) }
        let rows = try await larder.stores.owner.withConnection { connection in
            try await connection.query(
                """
                SELECT feature_view_id || ' ' || number AS generation FROM larder.generation
                WHERE project_id = \(stored.id)
                """)
        }
        let generations = Set(
            stored.featureViews.flatMap { view in view.generations.map { "\(view.id) \($0.number)" } })
        guard Set(try rows.map { try $0.decode("generation", as: String.self) }) == generations else {
            throw Difference(description: "larder.generation has not \(generations.sorted())")
        }
    }

    /// Of everything that an apply touches.
    private func fingerprint() async throws -> String {
        try await larder.value(
            """
            SELECT md5(string_agg(fact, E'\\n' ORDER BY fact)) FROM (
                SELECT n.nspname || '.' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, NULL) AS fact
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                WHERE n.nspname LIKE 'larder%'
                UNION ALL
                SELECT k.conrelid::text || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid) FROM pg_constraint k
                UNION ALL
                SELECT 'project ' || name || ' ' || revision FROM larder.project
                UNION ALL
                SELECT 'revisions ' || count(*) FROM larder.revision
                UNION ALL
                SELECT 'audit ' || count(*) FROM larder.apply_audit
                UNION ALL
                SELECT 'generations ' || count(*) FROM larder.generation
                UNION ALL
                SELECT 'source tables ' || count(*) FROM larder.source_table
            ) facts
            """, as: String.self)
    }
}

extension RegisteredProject {
    /// The end of a drop that has been begun; nil when there is none.
    fileprivate var begunDrop: LifecycleChange? {
        for view in featureViews {
            for generation in view.generations where generation.state == .dropping {
                return .finishDrop(view: view.name, generation: generation.number)
            }
        }
        return nil
    }
}
