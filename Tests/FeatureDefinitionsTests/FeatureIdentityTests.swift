import FeatureDefinitions
import FeatureModel
import Testing

/// Which feature a definition means: what keeps its id, and what gets a new one.
@Suite struct FeatureIdentityTests {
    private static let renamed = ClimateTree(features: [
        "{name: temperature, type: float64, expr: temp, renamed_from: temp}", "{name: count, type: int32}",
    ])

    @Test func `a renamed feature keeps its id, and its old name finds it until the version with it is retired`() throws
    {
        var registry = try RegistryModel.applied(ClimateTree())
        let plan = try registry.apply(Self.renamed)
        #expect(plan.lines.contains("    feature \"temperature\": name changed from temp to temperature"))
        #expect(plan.changes.allSatisfy { !$0.needsBackfill })
        let view = try registry.climate()
        #expect(view.versions.map { $0.features.map(\.id) } == [[1, 2], [1, 2]])
        #expect(view.activeVersion?.features.map(\.aliases) == [["temp"], []])
        #expect(registry.selected("climate:temperature") == ["temperature 1 2"])
        #expect(registry.selected("climate:temp") == ["temp 1 2"])
        #expect(registry.selected("climate@1:temp") == ["temp 1 1"])
        #expect(registry.selected("climate@1:temperature") == ["feature_not_found"])
        try registry.change(.deprecate(.climate(1)))
        #expect(registry.selected("climate:temp") == ["temp 1 2"])
        try registry.change(.retire(.climate(1)))
        #expect(registry.selected("climate:temp") == ["feature_not_found"])
        #expect(registry.selected("climate:temperature") == ["temperature 1 2"])
        #expect(try registry.plan(Self.renamed).isNoOp)
    }

    @Test func `a feature renamed twice is found by each name that a version still has`() throws {
        var registry = try RegistryModel.applied(ClimateTree(features: ["{name: temp, type: float64}"]))
        try registry.apply(ClimateTree(features: ["{name: warmth, type: float64, expr: temp, renamed_from: temp}"]))
        try registry.apply(ClimateTree(features: ["{name: heat, type: float64, expr: temp, renamed_from: warmth}"]))
        #expect(
            registry.selected("climate:temp", "climate:warmth", "climate:heat") == [
                "temp 1 3", "warmth 1 3", "heat 1 3",
            ])
        try registry.change(.retire(.climate(1)))
        #expect(registry.selected("climate:temp") == ["feature_not_found"])
        #expect(registry.selected("climate:warmth") == ["warmth 1 3"])
    }

    @Test func `a service that names a former name goes on answering under it`() throws {
        var registry = try RegistryModel.applied(ClimateTree(service: ["climate:temp"]))
        var tree = Self.renamed
        tree.service = ["climate:temp"]
        let plan = try registry.apply(tree)
        #expect(plan.lines.contains("    pins climate@2 instead of @1"))
        let project = try #require(registry.project)
        let service = try project.featureService(named: "model")
        #expect(service.references.map(\.featureIDs) == [[1]])
        let selection = try FeatureSelection.resolve(service: service, in: project)
        #expect(try selection.outputNames(full: false) == ["temp"])
        #expect(try registry.plan(tree).isNoOp)
    }

    @Test func `a new feature under a former name is the one that the name finds`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        try registry.apply(Self.renamed)
        var tree = ClimateTree()
        tree.features = [
            "{name: temperature, type: float64, expr: temp}", "{name: count, type: int32}",
            "{name: temp, type: float64}",
        ]
        try registry.apply(tree)
        #expect(registry.selected("climate:temp") == ["temp 3 3"])
        #expect(registry.selected("climate@2:temp") == ["temp 1 2"])
    }

    @Test(arguments: [nil, 2] as [Int32?])
    func `a rename from a name the view does not have is refused`(_ generation: Int32?) throws {
        let registry = try RegistryModel.applied(ClimateTree())
        var tree = ClimateTree(features: [
            "{name: temp, type: float64}", "{name: count, type: int32}",
            "{name: heat, type: float64, expr: temp, renamed_from: tmep}",
        ])
        if let generation { tree.head += "\ngeneration: \(generation)" }
        let plan = try registry.plan(tree)
        #expect(
            told(plan) == [
                "view.yaml:\(generation == nil ? 8 : 9):5 feature_view \"climate\", features.heat: renamed from \"tmep\", "
                    + "which version 1 does not have"
            ])
        #expect(
            plan.refusals.first?.hint == "leave renamed_from out to add a new feature, or name one of temp, count")
    }

    @Test func `a removed name that comes back gets a new id, and finds nothing of the old one`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        try registry.apply(ClimateTree(features: ["{name: temp, type: float64}"]))
        #expect(registry.selected("climate:count") == ["feature_not_found"])
        try registry.apply(ClimateTree())
        let view = try registry.climate()
        #expect(view.versions.map { $0.features.map(\.id) } == [[1, 2], [1], [1, 3]])
        #expect(view.nextFeatureID == 4)
        #expect(registry.selected("climate@1:count", "climate:count") == ["count 2 1", "count 3 3"])
    }

    @Test func `a feature retyped under a new generation gets a new id unless it is widened`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        var tree = ClimateTree()
        tree.head += "\ngeneration: 2"
        tree.features = ["{name: temp, type: string, expr: temp::text}", "{name: count, type: int64}"]
        let plan = try registry.apply(tree)
        #expect(plan.lines.contains("    + feature \"temp\" string, in place of the float64 one"))
        var view = try registry.climate()
        #expect(view.versions(ofGeneration: 2).map { $0.features.map(\.id) } == [[3, 2]])
        tree.head = ClimateTree().head + "\ngeneration: 3"
        tree.features = ["{name: temp, type: float64}", "{name: count, type: int32}"]
        try registry.apply(tree)
        view = try registry.climate()
        #expect(view.versions(ofGeneration: 3).map { $0.features.map(\.id) } == [[4, 5]])
        #expect(view.nextFeatureID == 6)
    }

    @Test func `ids of a dropped generation are not given again`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        var tree = ClimateTree()
        tree.head += "\ngeneration: 2"
        tree.features.append("{name: warm, type: bool, expr: temp > 20}")
        try registry.apply(tree)
        try registry.change(.beginDrop(view: "climate", generation: 2))
        try registry.change(.finishDrop(view: "climate", generation: 2))
        tree.head = ClimateTree().head + "\ngeneration: 3"
        try registry.apply(tree)
        let view = try registry.climate()
        #expect(view.versions.map(\.version) == [1, 2, 3])
        #expect(view.versions.map { $0.features.map(\.id) } == [[1, 2], [1, 2, 3], [1, 2, 4]])
        #expect(view.generations.map(\.number) == [1, 3])
    }

    @Test func `a pushed feature is renamed with its column and without a generation`() throws {
        func tree(_ name: String, _ feature: String) -> ClimateTree {
            var tree = ClimateTree(columns: ["{name: origin, type: string}", "{name: at, type: timestamp}"])
            tree.head = "entities: [place]\nsource: live"
            tree.features = [feature]
            tree.others = """
                kind: source
                name: live
                type: push
                columns: [{name: origin, type: string}, {name: at, type: timestamp}, {name: \(name), type: float64}]
                timestamp: at
                """
            return tree
        }
        var registry = try RegistryModel.applied(tree("temp", "{name: temp, type: float64}"))
        try registry.apply(tree("heat", "{name: heat, type: float64, renamed_from: temp}"))
        #expect(try registry.climate().versions.map { $0.features.map(\.id) } == [[1], [1]])
    }
}
