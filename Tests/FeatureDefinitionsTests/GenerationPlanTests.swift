import FeatureDefinitions
import FeatureModel
import Testing

/// What `generation:` makes, and what stays with the generations that are there.
@Suite struct GenerationPlanTests {
    private static func second(_ edit: (inout ClimateTree) -> Void = { _ in }) -> ClimateTree {
        var tree = ClimateTree()
        tree.head += "\ngeneration: 2"
        edit(&tree)
        return tree
    }

    @Test func `a raised generation is a new version beside the old ones, and what is read stays`() throws {
        var registry = try RegistryModel.applied(ClimateTree(service: ["climate:*"]))
        let before = try registry.climate()
        let plan = try registry.apply(
            Self.second {
                $0.service = ["climate:*"]
                $0.features[0] = "{name: temp, type: float64, expr: temp * 2}"
            })
        #expect(
            plan.lines == [
                "~ feature_view \"climate\" (version 1 -> 2, generation 2)",
                "    + generation 2, filled beside generation 1, which is read until larder switch",
                "    feature \"temp\": expr changed from temp to temp * 2",
                "    in a generation of its own, judged against no other",
                "    materialize fills generation 2",
                "    feature_service \"model\" reads climate@1, generation 1",
                "0 added, 1 changed, 0 removed, 4 unchanged",
            ])
        let change = try #require(plan.changes.first { $0.action == .changed })
        #expect(change.newGeneration == 2 && change.schemaVersion == 2 && change.needsBackfill)
        let view = try registry.climate()
        #expect(view.currentGeneration == 1 && view.previousGeneration == nil)
        #expect(view.generations.map(\.number) == [1, 2])
        #expect(view.generations[0] == before.generations[0])
        #expect(view.versions[0] == before.versions[0])
        #expect(view.versions[1].features.map(\.id) == [1, 2])
        #expect(view.versions[0].computationHash != view.versions[1].computationHash)
        #expect(registry.selected("climate:temp") == ["temp 1 1"])
        #expect(registry.selected("climate@2:temp") == ["temp 1 2"])
    }

    /// A tree with a view of pushed rows.
    private static func pushed(
        _ head: String = "", entities: String = "[place]", features: String = "{name: score, type: float64}"
    ) -> ClimateTree {
        var tree = ClimateTree()
        tree.others = """
            kind: entity
            name: cell
            join_keys: [{name: cell, type: int64}]
            ---
            kind: source
            name: scoring
            type: push
            columns:
              - {name: origin, type: string}
              - {name: cell, type: int64}
              - {name: at, type: timestamp}
              - {name: score, type: float64}
              - {name: level, type: int32}
            timestamp: at
            ---
            kind: feature_view
            name: scores
            entities: \(entities)
            source: scoring
            \(head)
            features: [\(features)]
            """
        return tree
    }

    @Test func `of a view that takes pushes a plan computes nothing: it copies, or begins empty`() throws {
        var registry = try RegistryModel.applied(Self.pushed())
        let both = "{name: score, type: float64}, {name: level, type: int32, default: 1}"
        let added = try registry.apply(Self.pushed(features: both))
        #expect(
            added.lines == [
                "~ feature_view \"scores\" (version 1 -> 2)",
                "    + feature \"level\" int32, default 1",
                "    rows pushed before are read with the default of a new feature, or null",
                "    full_transitive with version 1",
                "0 added, 1 changed, 0 removed, 6 unchanged",
            ])
        #expect(added.changes.allSatisfy { !$0.needsBackfill })
        let copied = try registry.apply(Self.pushed("generation: 2", features: both))
        #expect(
            copied.lines == [
                "~ feature_view \"scores\" (version 2 -> 3, generation 2)",
                "    + generation 2, filled beside generation 1, which is read until larder switch",
                "    in a generation of its own, judged against no other",
                "    materialize copies into generation 2 the rows of generation 1 that pass its checks",
                "0 added, 1 changed, 0 removed, 6 unchanged",
            ])
        let change = try #require(copied.changes.first { $0.action == .changed })
        #expect(change.copiedGeneration == 1 && change.needsBackfill)
        let empty = try registry.apply(Self.pushed("generation: 3", entities: "[cell]", features: both))
        #expect(
            empty.lines.contains(
                "    generation 3 begins empty: its rows are pushed, and no generation has any with its join keys"))
        let last = try #require(empty.changes.first { $0.action == .changed })
        #expect(last.copiedGeneration == nil && !last.needsBackfill && last.newGeneration == 3)
    }

    @Test func `keys, source and filter change with a generation, and the old one keeps its own`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        let others = """
            kind: entity
            name: cell
            join_keys: [{name: cell, type: int64}]
            ---
            kind: source
            name: satellite
            type: table
            columns: [{name: cell, type: int64}, {name: temp, type: float64}, {name: count, type: int32}]
            """
        var tree = ClimateTree()
        tree.others = others
        tree.head = "entities: [cell]\nsource: satellite\nwhere: temp > 0"
        #expect(
            told(try registry.plan(tree)) == [
                "view.yaml:1:1 feature_view \"climate\": entities changed from place to cell",
                "view.yaml:1:1 feature_view \"climate\": source changed from weather to satellite",
                "view.yaml:1:1 feature_view \"climate\": where changed from none to temp > 0",
            ])
        tree.head += "\ngeneration: 2"
        let plan = try registry.apply(tree)
        #expect(plan.lines.contains("    entities changed from place to cell"))
        let view = try registry.climate()
        let project = try #require(registry.project)
        #expect(view.generations.map(\.sourceName) == ["weather", "satellite"])
        #expect(
            view.generations.map(\.sourceID) == [
                try project.source(named: "weather").id, try project.source(named: "satellite").id,
            ])
        #expect(view.generations.map { $0.joinKeys.map(\.name) } == [["origin"], ["cell"]])
        #expect(view.generations.map(\.filter) == [nil, "temp > 0"])
        #expect(view.schema(version: 1)?.joinKeys.map(\.name) == ["origin"])
        #expect(view.schema(version: 2)?.joinKeys.map(\.name) == ["cell"])
        #expect(try registry.plan(tree).isNoOp)
    }

    @Test func `generations grow, also by more than one, and never shrink`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        var tree = ClimateTree()
        tree.head += "\ngeneration: 5"
        try registry.apply(tree)
        #expect(try registry.climate().generations.map(\.number) == [1, 5])
        #expect(try registry.plan(ClimateTree()).isNoOp, "no generation: keeps the newest")
        let plan = try registry.plan(Self.second())
        #expect(told(plan) == ["view.yaml:1:1 feature_view \"climate\": generation changed from 5 to 2"])
        #expect(
            plan.refusals.first?.hint
                == "a generation only grows: to read an older one, run larder rollback climate; to be rid of the newest, "
                + "drop it")
    }

    @Test func `a view may begin with a later generation`() throws {
        let registry = try RegistryModel.applied(Self.second())
        let view = try registry.climate()
        #expect(view.currentGeneration == 2 && view.generations.map(\.number) == [2])
        #expect(view.versions.map(\.generation) == [2])
    }

    @Test func `the number of a dropped generation is not given again, nor while it is being dropped`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        try registry.apply(Self.second())
        let remedy = "generation 2 was dropped and its number is not given again: say generation: 3"
        try registry.change(.beginDrop(view: "climate", generation: 2))
        #expect(try registry.plan(Self.second()).refusals.map(\.hint) == [remedy])
        try registry.change(.finishDrop(view: "climate", generation: 2))
        #expect(try registry.plan(Self.second()).refusals.map(\.hint) == [remedy])
    }

    @Test func `definitions describe the newest generation that is not being dropped`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        try registry.apply(Self.second { $0.features[0] = "{name: temp, type: string, expr: temp::text}" })
        try registry.change(.beginDrop(view: "climate", generation: 2))
        #expect(try registry.plan(ClimateTree()).isNoOp)
        var tree = ClimateTree()
        tree.features.append("{name: warm, type: bool, expr: temp > 20}")
        try registry.apply(tree)
        let view = try registry.climate()
        #expect(view.versions.map(\.generation) == [1, 2, 1])
        #expect(view.versions.map(\.state) == [.active, .retired, .active])
        #expect(view.versions[2].features.map(\.id) == [1, 2, 4])
    }

    @Test
    func
        `a service without a version stays with the generation that is current, and follows a switch at the next apply`()
        throws
    {
        var registry = try RegistryModel.applied(ClimateTree(service: ["climate:temp"]))
        let tree = Self.second { $0.service = ["climate:temp"] }
        try registry.apply(tree)
        func pin() throws -> Int32? { try registry.project?.featureService(named: "model").references.first?.version }
        #expect(try pin() == 1)
        try registry.change(.switchGeneration(view: "climate", to: 2))
        #expect(try pin() == 1)
        #expect(registry.selected("climate:temp") == ["temp 1 2"])
        let plan = try registry.apply(tree)
        #expect(
            plan.lines == [
                "~ feature_service \"model\"", "    pins climate@2 instead of @1",
                "0 added, 1 changed, 0 removed, 4 unchanged",
            ])
        #expect(try pin() == 2)
        try registry.change(.rollback(view: "climate"))
        let back = try registry.plan(tree)
        #expect(back.lines.contains("    pins climate@1 instead of @2"))
    }

    @Test func `a service may pin a version of a generation that is not current`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        try registry.apply(
            Self.second {
                $0.service = ["climate@2:*"]
                $0.features = ["{name: temp, type: float64, expr: temp * 2}"]
            })
        let service = try registry.project?.featureService(named: "model")
        #expect(service?.references.map(\.version) == [2])
        #expect(service?.references.map(\.featureNames) == [["temp"]])
    }

    @Test func `what only the newest generation has is not found without its version until the switch`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        let tree = Self.second {
            $0.service = ["climate:heat"]
            $0.features = ["{name: heat, type: float64, expr: temp * 2, renamed_from: temp}"]
        }
        #expect(
            told(try registry.plan(tree)) == [
                "service.yaml:4:5 feature_service \"model\": version 1 of feature view \"climate\" has no feature \"heat\""
            ])
        let former = Self.second {
            $0.service = ["climate:temp"]
            $0.features = tree.features
        }
        try registry.apply(former)
        #expect(try registry.project?.featureService(named: "model").references.map(\.version) == [1])
        try registry.change(.switchGeneration(view: "climate", to: 2))
        #expect(told(try registry.plan(tree)).isEmpty)
    }

    @Test func `what an old generation still uses cannot be removed, and the refusal names the generation`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        let others = """
            kind: entity
            name: cell
            join_keys: [{name: cell, type: int64}]
            ---
            kind: source
            name: satellite
            type: table
            columns: [{name: cell, type: int64}, {name: temp, type: float64}, {name: count, type: int32}]
            """
        let tree = Self.second {
            $0.others = others
            $0.head = "entities: [cell]\nsource: satellite\ngeneration: 2"
        }
        try registry.apply(tree)
        var definition = try tree.definition()
        definition.entities.removeAll { $0.name == "place" }
        definition.sources.removeAll { $0.name == "weather" }
        let plan = registry.plan(definition, allowRemovals: true)
        #expect(
            plan.refusals.map(\.message) == [
                "entity \"place\" cannot be removed: generation 1 of feature_view \"climate\" refers to it",
                "source \"weather\" cannot be removed: generation 1 of feature_view \"climate\" refers to it",
            ])
        try registry.change(.switchGeneration(view: "climate", to: 2))
        #expect(registry.plan(definition, allowRemovals: true).refusals.count == 2, "there is a way back")
        try registry.change(.beginDrop(view: "climate", generation: 1))
        #expect(registry.plan(definition, allowRemovals: true).refusals.isEmpty)
    }
}
