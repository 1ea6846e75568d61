import FeatureDefinitions
import FeatureModel
import Foundation
import TestSupport
import Testing

/// Random trees, edited and applied in chains with lifecycle changes in between. `LARDER_FUZZ_SEED` runs one seed alone.
@Suite struct FuzzedPlanTests {
    private static let chainCount: UInt64 = 2_000

    /// What the chains were made for and has to have come up.
    private struct Tally {
        var steps: [String: Int] = [:]

        mutating func count(_ step: String) { steps[step, default: 0] += 1 }
    }

    @Test func `a plan keeps every rule whatever the tree, its edits and the lifecycle before it`() {
        var tally = Tally()
        var failures = 0
        let only = ProcessInfo.processInfo.environment["LARDER_FUZZ_SEED"].flatMap { UInt64($0) }
        let seeds = only.map { $0...$0 } ?? 0...Self.chainCount - 1
        for seed in seeds where failures < 5 {
            var chain = Chain(seed: seed)
            do {
                try chain.run { tally.count($0) }
            } catch {
                failures += 1
                Issue.record("seed \(seed), step \(chain.step): \(error)")
            }
        }
        guard only == nil else { return }
        let expected = [
            "accepted", "refused", "no-op", "new version", "new generation", "removal", "deprecate", "retire", "switch",
            "rollback", "begin drop", "finish drop", "refused lifecycle", "repinned",
        ]
        for step in expected { #expect(tally.steps[step, default: 0] > 10, "\(step): \(tally.steps)") }
    }

    private struct Chain {
        let seed: UInt64
        private(set) var step = 0
        private var random: SeededGenerator
        private var tree: RandomTree
        private var applied: RandomTree?
        private var project: RegisteredProject?
        private var lastID: Int64 = 0
        private var history = RegistryHistory()

        init(seed: UInt64) {
            self.seed = seed
            random = SeededGenerator(seed: seed)
            tree = RandomTree(project: "random", using: &random)
        }

        mutating func run(_ count: (String) -> Void) throws {
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                step += 1
                if step > 1 { tree.edit(using: &random) }
                try plan(count)
                guard Bool.random(using: &random) else { continue }
                for _ in 0..<Int.random(in: 1...3, using: &random) { try changeLifecycle(count) }
            }
            if let project { try PlanRules.checkDocument(of: project) }
        }

        private mutating func plan(_ count: (String) -> Void) throws {
            let definition = tree.definition
            let plan = try PlanRules.plan(
                definition, shuffled: tree.shuffled(using: &random), on: project, lastID: lastID,
                allowRemovals: Int.random(in: 0..<5, using: &random) > 0, comparesJSON: seed.isMultiple(of: 4))
            guard let next = plan.next else {
                count("refused")
                // Now and then the mistakes pile up; else the next edits start from what is applied.
                if let applied, Int.random(in: 0..<4, using: &random) > 0 { tree = applied }
                return try PlanRules.checkRefused(plan)
            }
            applied = tree
            count(plan.isNoOp ? "no-op" : "accepted")
            try PlanRules.checkAccepted(plan, of: definition, on: project)
            for change in plan.changes {
                if change.newGeneration != nil { count("new generation") }
                if change.schemaVersion ?? 1 > 1, change.newGeneration == nil { count("new version") }
                if change.action == .removed { count("removal") }
                if change.details.contains(where: { $0.contains(" instead of @") }) { count("repinned") }
            }
            try take(next)
        }

        private mutating func changeLifecycle(_ count: (String) -> Void) throws {
            guard let project, let change = project.randomLifecycleChange(using: &random) else { return }
            let next: RegisteredProject
            do {
                next = try project.applying(change)
            } catch {
                count("refused lifecycle")
                return try BrokenRule.check(!error.message.isEmpty, "refused without a word: \(change)")
            }
            try BrokenRule.check(next.revision == project.revision + 1, "revision \(next.revision) after \(change)")
            count(Self.name(of: change))
            do {
                try take(next)
            } catch {
                throw BrokenRule(description: "after \(change): \(error)")
            }
        }

        private mutating func take(_ next: RegisteredProject) throws {
            try history.check(next)
            try PlanRules.checkServices(of: next)
            let objects = next.entities.map(\.id) + next.sources.map(\.id) + next.featureViews.map(\.id)
            lastID = ([next.id, lastID] + objects + next.featureServices.map(\.id)).max() ?? lastID
            project = next
        }

        private static func name(of change: LifecycleChange) -> String {
            switch change {
            case .deprecate: "deprecate"
            case .retire: "retire"
            case .switchGeneration: "switch"
            case .rollback: "rollback"
            case .beginDrop: "begin drop"
            case .finishDrop: "finish drop"
            }
        }
    }
}
