import FeatureDefinitions
import FeatureModel
import Testing

@Suite struct PlannerRemovalTests {
    private static func registry() throws -> RegistryModel {
        var registry = RegistryModel()
        try registry.apply(FlightsTree.definition())
        return registry
    }

    private static func withoutPlanes() throws -> ProjectDefinition {
        var definition = try FlightsTree.definition { $0.replacing("  - plane_profile:seats\n", with: "") }
        definition.featureViews.removeAll { $0.name == "plane_profile" }
        definition.sources.removeAll { $0.name == "planes" }
        definition.entities.removeAll { $0.name == "plane" }
        return definition
    }

    @Test func removalsNeedPermission() throws {
        let plan = try Self.registry().plan(Self.withoutPlanes())
        #expect(
            plan.refusals.map(\.message) == [
                "entity \"plane\" is no longer in the tree", "source \"planes\" is no longer in the tree",
                "feature_view \"plane_profile\" is no longer in the tree",
            ])
        #expect(plan.refusals.allSatisfy { $0.code == .removalNotAllowed })
        let hint = "put it back, or allow removals with --allow-removals"
        #expect(
            plan.refusals.map(\.hint) == [
                hint, "\(hint); its data stays in PostgreSQL", "\(hint); its data stays until dropped",
            ])
        let error = #expect(throws: LarderError.self) { try plan.checkAccepted() }
        #expect(error?.code == .removalNotAllowed)
    }

    @Test func removedObjectsStayMarkedAndAreNotFound() throws {
        var registry = try Self.registry()
        let plan = try registry.apply(Self.withoutPlanes(), allowRemovals: true)
        #expect(plan.lines.contains("- entity \"plane\""))
        #expect(plan.lines.contains("- source \"planes\" (data stays in PostgreSQL)"))
        #expect(plan.lines.contains("- feature_view \"plane_profile\" (data stays until dropped)"))
        let project = try #require(registry.project)
        #expect(project.featureViews.first { $0.name == "plane_profile" }?.isRemoved == true)
        #expect(throws: LarderError.self) { try project.featureView(named: "plane_profile") }
        #expect(registry.plan(try Self.withoutPlanes()).isNoOp)
    }

    @Test func aRemovedNameReturnsAsANewObject() throws {
        var registry = try Self.registry()
        let old = try #require(try registry.project?.featureView(named: "plane_profile"))
        try registry.apply(Self.withoutPlanes(), allowRemovals: true)
        try registry.apply(FlightsTree.definition())
        let project = try #require(registry.project)
        let new = try project.featureView(named: "plane_profile")
        #expect(new.id > old.id)
        #expect(new.current?.sourceID != old.current?.sourceID)
        #expect(new.current?.entityIDs != old.current?.entityIDs)
        #expect(project.featureViews.filter { $0.name == "plane_profile" }.map(\.id) == [old.id, new.id])
        #expect(project.featureViews.map(\.name) == project.featureViews.map(\.name).sorted())
    }

    @Test func whatIsStillReferredToCannotBeRemoved() throws {
        var definition = try FlightsTree.definition()
        definition.sources.removeAll { $0.name == "planes" }
        definition.entities.removeAll { $0.name == "plane" }
        let plan = try Self.registry().plan(definition, allowRemovals: true)
        #expect(
            plan.refusals.map(\.message) == [
                "feature_view \"plane_profile\": its source or one of its entities is not defined",
                "entity \"plane\" cannot be removed: feature_view \"plane_profile\" refers to it",
                "source \"planes\" cannot be removed: feature_view \"plane_profile\" refers to it",
            ])
        #expect(plan.refusals.last?.hint == "remove feature_view \"plane_profile\" as well, or keep source \"planes\"")
        definition = try FlightsTree.definition()
        definition.featureViews.removeAll { $0.name == "plane_profile" }
        let pinned = try Self.registry().plan(definition, allowRemovals: true)
        #expect(
            pinned.refusals.last?.message
                == "feature_view \"plane_profile\" cannot be removed: feature_service \"departure_delay\" refers to it")
    }
}
