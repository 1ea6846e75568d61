import FeatureDefinitions
import FeatureModel
import Testing

/// Every lifecycle change: what it does to the registry, and what it refuses.
@Suite struct LifecycleTests {
    /// A view of two versions, both readable.
    private static func twoVersions(service: [String] = []) throws -> RegistryModel {
        var registry = try RegistryModel.applied(ClimateTree())
        var tree = ClimateTree(service: service)
        tree.features.append("{name: warm, type: bool, expr: temp > 20}")
        try registry.apply(tree)
        return registry
    }

    /// A view of three generations with a version each; the first is current.
    private static func threeGenerations(service: [String] = []) throws -> RegistryModel {
        var registry = try RegistryModel.applied(ClimateTree())
        for number in 2...3 {
            var tree = ClimateTree(service: number == 3 ? service : [])
            tree.head += "\ngeneration: \(number)"
            try registry.apply(tree)
        }
        return registry
    }

    @Test func `each change is a revision of its own and leaves everything else as it is`() throws {
        var registry = try Self.twoVersions()
        let before = try #require(registry.project)
        try registry.change(.deprecate(.climate(1)))
        var expected = before
        expected.revision += 1
        expected.featureViews[0].versions[0].state = .deprecated
        #expect(registry.project == expected)
        try registry.change(.retire(.climate(1)))
        expected.revision += 1
        expected.featureViews[0].versions[0].state = .retired
        #expect(registry.project == expected)
    }

    // MARK: Versions

    @Test func `a version is deprecated once, and not after it was retired`() throws {
        var registry = try Self.twoVersions()
        try registry.change(.deprecate(.climate(1)))
        #expect(
            registry.refusal(of: .deprecate(.climate(1)))
                == "schema_version_mismatch: version 1 of feature view \"climate\" is deprecated already")
        #expect(registry.selected("climate@1:temp") == ["temp 1 1"])
        try registry.change(.retire(.climate(1)))
        #expect(
            registry.refusal(of: .deprecate(.climate(1)))
                == "schema_version_mismatch: version 1 of feature view \"climate\" is retired already")
        #expect(
            registry.refusal(of: .retire(.climate(1)))
                == "schema_version_mismatch: version 1 of feature view \"climate\" is retired already")
        #expect(registry.selected("climate@1:temp") == ["schema_version_mismatch"])
    }

    @Test func `an active version can be retired at once`() throws {
        var registry = try Self.twoVersions()
        try registry.change(.retire(.climate(1)))
        #expect(try registry.climate().versions.map(\.state) == [.retired, .active])
    }

    @Test func `with its newest version deprecated an older active one is read and written`() throws {
        var registry = try Self.twoVersions()
        try registry.change(.deprecate(.climate(2)))
        #expect(registry.selected("climate:temp") == ["temp 1 1"])
        #expect(try registry.climate().writtenVersion(ofGeneration: 1)?.version == 1)
        try registry.change(.deprecate(.climate(1)))
        #expect(registry.selected("climate:temp") == ["schema_version_mismatch"])
        #expect(try registry.climate().writtenVersion(ofGeneration: 1)?.version == 2)
    }

    @Test func `a version that a service pins is not retired`() throws {
        var registry = try Self.twoVersions(service: ["climate@1:temp"])
        #expect(
            registry.refusal(of: .retire(.climate(1)))
                == "version_in_use: version 1 of feature view \"climate\" is pinned by feature service \"model\"")
        try registry.change(.deprecate(.climate(1)))
        #expect(registry.refusal(of: .retire(.climate(2))) == "accepted")
    }

    @Test func `the last version of a generation that is not retired stays`() throws {
        var registry = try Self.twoVersions()
        try registry.change(.retire(.climate(2)))
        #expect(
            registry.refusal(of: .retire(.climate(1)))
                == "version_in_use: version 1 is the last one of generation 1 of feature view \"climate\" that is not retired"
        )
        let others = try Self.threeGenerations()
        #expect(
            others.refusal(of: .retire(.climate(2)))
                == "version_in_use: version 2 is the last one of generation 2 of feature view \"climate\" that is not retired"
        )
    }

    @Test func `an unknown view, source or version is told with those there are`() throws {
        let registry = try Self.twoVersions()
        #expect(
            registry.refusal(of: .retire(.climate(7)))
                == "schema_version_mismatch: feature view \"climate\" has no version 7")
        #expect(
            registry.refusal(of: .deprecate(.weather(7)))
                == "schema_version_mismatch: source \"weather\" has no version 7")
        let nowhere = VersionedObject(kind: .featureView, name: "climat", version: 1)
        #expect(
            registry.refusal(of: .deprecate(nowhere))
                == "feature_view_not_found: project \"shop\" has no feature view \"climat\"")
        let noSource = VersionedObject(kind: .source, name: "climate", version: 1)
        #expect(
            registry.refusal(of: .retire(noSource)) == "source_not_found: project \"shop\" has no source \"climate\"")
        let error = #expect(throws: LarderError.self) { try registry.project?.applying(.retire(.climate(7))) }
        #expect(error?.hint == "its versions: 1, 2")
    }

    @Test func `versions of a source are deprecated and retired, all but the last`() throws {
        var registry = try RegistryModel.applied(ClimateTree())
        #expect(
            registry.refusal(of: .retire(.weather(1)))
                == "version_in_use: version 1 is the last one of source \"weather\" that is not retired")
        var tree = ClimateTree()
        tree.columns.append("{name: wind, type: float64}")
        try registry.apply(tree)
        try registry.change(.deprecate(.weather(1)))
        try registry.change(.retire(.weather(1)))
        #expect(try registry.project?.source(named: "weather").versions.map(\.state) == [.retired, .active])
        #expect(
            registry.refusal(of: .deprecate(.weather(1)))
                == "schema_version_mismatch: version 1 of source \"weather\" is retired already")
    }

    // MARK: Generations

    @Test func `a switch changes what is read, and a rollback goes back and forth`() throws {
        var registry = try Self.threeGenerations()
        #expect(
            registry.refusal(of: .rollback(view: "climate"))
                == "generation_not_found: feature view \"climate\" has no earlier generation to go back to")
        try registry.change(.switchGeneration(view: "climate", to: 3))
        #expect(registry.selected("climate:temp") == ["temp 1 3"])
        for version in [1, 3, 1] {
            try registry.change(.rollback(view: "climate"))
            #expect(registry.selected("climate:temp") == ["temp 1 \(version)"])
        }
        #expect(try registry.climate().previousGeneration == 3)
    }

    @Test func `a switch to what is unknown, current or going is refused`() throws {
        var registry = try Self.threeGenerations()
        #expect(
            registry.refusal(of: .switchGeneration(view: "climate", to: 4))
                == "generation_not_found: feature view \"climate\" has no generation 4")
        #expect(
            registry.refusal(of: .switchGeneration(view: "climate", to: 1))
                == "generation_in_use: generation 1 of feature view \"climate\" is current already")
        try registry.change(.beginDrop(view: "climate", generation: 2))
        #expect(
            registry.refusal(of: .switchGeneration(view: "climate", to: 2))
                == "generation_in_use: generation 2 of feature view \"climate\" is being dropped")
        try registry.change(.finishDrop(view: "climate", generation: 2))
        #expect(
            registry.refusal(of: .switchGeneration(view: "climate", to: 2))
                == "generation_not_found: feature view \"climate\" has no generation 2")
    }

    @Test func `what is current or pinned is not dropped`() throws {
        let registry = try Self.threeGenerations(service: ["climate@2:temp"])
        #expect(
            registry.refusal(of: .beginDrop(view: "climate", generation: 1))
                == "generation_in_use: generation 1 of feature view \"climate\" is current")
        #expect(
            registry.refusal(of: .beginDrop(view: "climate", generation: 2))
                == "generation_in_use: generation 2 of feature view \"climate\" has versions that feature service \"model\" pin"
        )
        #expect(registry.refusal(of: .beginDrop(view: "climate", generation: 3)) == "accepted")
        #expect(
            registry.refusal(of: .beginDrop(view: "climate", generation: 4))
                == "generation_not_found: feature view \"climate\" has no generation 4")
    }

    @Test func `a drop retires the versions first, and leaves their numbers and ids when it is done`() throws {
        var registry = try Self.threeGenerations()
        #expect(
            registry.refusal(of: .finishDrop(view: "climate", generation: 2))
                == "internal_error: generation 2 of feature view \"climate\" is not being dropped")
        try registry.change(.beginDrop(view: "climate", generation: 2))
        var view = try registry.climate()
        #expect(view.generations.map(\.state) == [.live, .dropping, .live])
        #expect(view.versions.map(\.state) == [.active, .retired, .active])
        #expect(
            registry.refusal(of: .beginDrop(view: "climate", generation: 2))
                == "generation_in_use: generation 2 of feature view \"climate\" is being dropped")
        #expect(registry.selected("climate@2:temp") == ["schema_version_mismatch"])
        try registry.change(.finishDrop(view: "climate", generation: 2))
        view = try registry.climate()
        #expect(view.generations.map(\.number) == [1, 3])
        #expect(view.versions.map(\.version) == [1, 2, 3])
        #expect(view.versions.map(\.generation) == [1, 2, 3])
        #expect(view.versions.map(\.state) == [.active, .retired, .active])
        #expect(view.schema(version: 2) == nil)
        #expect(view.nextFeatureID == 3)
        #expect(registry.selected("climate@2:temp") == ["schema_version_mismatch"])
        let project = try #require(registry.project)
        #expect(try RegisteredProject(document: project.document()) == project)
    }

    @Test func `there is no way back to a generation that is dropped`() throws {
        var registry = try Self.threeGenerations()
        try registry.change(.switchGeneration(view: "climate", to: 3))
        #expect(registry.refusal(of: .rollback(view: "climate")) == "accepted")
        try registry.change(.beginDrop(view: "climate", generation: 1))
        #expect(
            registry.refusal(of: .rollback(view: "climate"))
                == "generation_not_found: feature view \"climate\" has no earlier generation to go back to")
    }

    @Test func `of a view that is no longer defined every generation can be dropped, the current one too`() throws {
        var registry = try Self.twoVersions()
        var definition = try ClimateTree().definition()
        definition.featureViews = []
        try registry.apply(definition, allowRemovals: true)
        #expect(
            registry.refusal(of: .deprecate(.climate(1)))
                == "feature_view_not_found: project \"shop\" has no feature view \"climate\"")
        try registry.change(.beginDrop(view: "climate", generation: 1))
        try registry.change(.finishDrop(view: "climate", generation: 1))
        let project = try #require(registry.project)
        #expect(project.featureViews.map(\.generations) == [[]])
        #expect(try RegisteredProject(document: project.document()) == project)
        try registry.apply(ClimateTree())
        #expect(try registry.climate().id > project.featureViews[0].id)
    }
}
