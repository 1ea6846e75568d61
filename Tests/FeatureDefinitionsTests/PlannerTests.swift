import FeatureDefinitions
import FeatureModel
import Foundation
import Testing

@Suite struct PlannerTests {
    private static func applied(_ edit: (String) -> String = { $0 }) throws -> RegistryModel {
        var registry = RegistryModel()
        try registry.apply(FlightsTree.definition(edit))
        return registry
    }

    private static func replan(_ old: String, _ new: String, allowRemovals: Bool = false) throws -> Plan {
        let whole = FlightsTree.files.map(\.text).joined(separator: "\n---\n")
        try #require(whole.contains(old), "the tree does not hold \(old)")
        return try applied().plan(
            FlightsTree.definition { $0.replacing(old, with: new) }, allowRemovals: allowRemovals)
    }

    @Test func aNewTreeIsAddedInTheOrderOfDependence() throws {
        let plan = try RegistryModel().plan(FlightsTree.definition())
        #expect(plan.refusals.isEmpty)
        #expect(
            plan.lines == [
                "+ project \"flights\"",
                "+ entity \"airport\" (origin string)",
                "+ entity \"plane\" (tailnum string)",
                "+ entity \"route\" (origin string, dest string)",
                "+ source \"congestion\" (push, 2 columns, version 1)",
                "+ source \"planes\" (postgres, 3 columns, version 1)",
                "+ source \"route_delays\" (query, 5 columns, version 1)",
                "+ source \"weather\" (table, 4 columns, version 1)",
                "+ feature_view \"airport_weather\" (3 features, version 1)",
                "+ feature_view \"global_congestion\" (1 feature, version 1)",
                "+ feature_view \"plane_profile\" (2 features, version 1)",
                "+ feature_view \"route_history\" (1 feature, version 1)",
                "+ feature_service \"departure_delay\" (7 features)",
                "    pins airport_weather@1", "    pins plane_profile@1", "    pins route_history@1",
                "    pins global_congestion@1",
                "13 added, 0 changed, 0 removed, 0 unchanged",
            ])
        let next = try #require(plan.next)
        #expect(next.revision == 1)
        let ids =
            [next.id] + next.entities.map(\.id) + next.sources.map(\.id) + next.featureViews.map(\.id)
            + next.featureServices.map(\.id)
        #expect(ids == Array(1...13))
        let route = try next.featureView(named: "route_history")
        #expect(route.current?.joinKeys.map(\.name) == ["dest", "origin"])
        #expect(route.current?.sourceID == (try next.source(named: "route_delays").id))
        #expect(route.versions[0].features.map(\.id) == [1])
        #expect(route.nextFeatureID == 2)
        #expect(route.generations.map(\.number) == [1])
    }

    @Test func anAppliedTreeIsNothingToDo() throws {
        let plan = try Self.applied().plan(FlightsTree.definition())
        #expect(plan.isNoOp)
        #expect(plan.lines == ["Nothing to do: project \"flights\" is at revision 1 as defined."])
        #expect(plan.next?.revision == 1)
    }

    @Test func metadataChangesInPlace() throws {
        let plan = try Self.replan(
            "description: Hourly weather at the airport\nowner: ops@example.com", "owner: data@example.com")
        #expect(
            plan.lines == [
                "~ feature_view \"airport_weather\"", "    description changed",
                "    owner changed from ops@example.com to data@example.com",
                "0 added, 1 changed, 0 removed, 12 unchanged",
            ])
        #expect(try plan.next?.featureView(named: "airport_weather").versions.count == 1)
        #expect(plan.next?.revision == 2)
        let expectation = try Self.replan("max: 140", "max: 150")
        #expect(
            expectation.changes.first { $0.action == .changed }?.details == ["feature \"temp\": expectation changed"])
        let version = try expectation.next?.featureView(named: "airport_weather").activeVersion
        #expect(version?.version == 1)
        #expect(version?.feature(named: "temp")?.expectation?.maximum == 150)
        let tags = try Self.replan("team: ops", "team: data")
        #expect(tags.changes.first { $0.action == .changed }?.details == ["tags changed"])
        let entity = try Self.replan("description: A carrier on a way\n", "")
        #expect(entity.changes.first { $0.action == .changed }?.kind == .entity)
        let compatibility = try Self.replan("compatibility: backward", "compatibility: none")
        #expect(
            compatibility.changes.first { $0.action == .changed }?.details
                == ["compatibility changed from backward to none"])
        let lag = try Self.replan("availability_lag: 10m", "availability_lag: 1h")
        #expect(
            lag.changes.first { $0.action == .changed }?.details == ["availability_lag changed from 10m to 1h"])
    }

    @Test func onlyALongerTTLIsPublishedAgain() throws {
        let raised = try Self.replan("ttl: 6h", "ttl: 1d")
        let change = raised.changes.first { $0.action == .changed }
        #expect(change?.details == ["ttl changed from 6h to 1d"])
        #expect(change?.needsRepublish == true)
        #expect(raised.lines.contains("    materialize publishes its rows again"))
        let lowered = try Self.replan("ttl: 6h", "ttl: 5h")
        #expect(lowered.changes.first { $0.action == .changed }?.needsRepublish == false)
        let removed = try Self.replan("ttl: 6h\n", "")
        #expect(removed.changes.first { $0.action == .changed }?.needsRepublish == true)
    }

    @Test func aNewNullableOrDefaultedFeatureIsANewVersionOfTheSameGeneration() throws {
        let anchor = "  - {name: wind_speed, type: float64}\n"
        let plan = try Self.replan(
            anchor,
            anchor + "  - {name: gust, type: float64, expr: wind_speed}\n"
                + "  - {name: calm, type: bool, nullable: false, default: true, expr: wind_speed < 1}\n")
        #expect(
            plan.lines == [
                "~ feature_view \"airport_weather\" (version 1 -> 2)",
                "    + feature \"gust\" float64", "    + feature \"calm\" bool, default true",
                "    full_transitive with version 1",
                "    materialize computes its rows again to fill in the new features",
                "    feature_service \"departure_delay\" reads airport_weather@2, generation 1",
                "~ feature_service \"departure_delay\"",
                "    + airport_weather:calm", "    + airport_weather:gust",
                "    pins airport_weather@2 instead of @1",
                "0 added, 2 changed, 0 removed, 11 unchanged",
            ])
        let view = try #require(try plan.next?.featureView(named: "airport_weather"))
        #expect(view.versions.map(\.version) == [1, 2])
        #expect(view.versions.map(\.state) == [.active, .active])
        #expect(view.versions.map(\.generation) == [1, 1])
        #expect(view.versions[1].features.map(\.id) == [1, 2, 4, 5, 3])
        #expect(view.nextFeatureID == 6)
        #expect(view.versions[0].shapeHash != view.versions[1].shapeHash)
        #expect(view.generation(1)?.computationHash == view.versions[1].computationHash)
        #expect(view.schema(version: 1)?.features.map(\.name) == ["temp", "wind_speed", "is_freezing"])
    }

    @Test func aNewNullableColumnIsANewVersionOfTheSource() throws {
        let anchor = "  - {name: temp, type: float64}\n"
        let plan = try Self.replan(anchor, anchor + "  - {name: humidity, type: float64}\n")
        #expect(
            plan.lines.prefix(2) == [
                "~ source \"weather\" (version 1 -> 2)", "    + column \"humidity\" float64",
            ])
        let source = try #require(try plan.next?.source(named: "weather"))
        #expect(source.activeVersion?.columns.map(\.id) == [1, 2, 3, 5, 4])
        #expect(source.nextColumnID == 6)
        #expect(source.versions[0].shapeHash != source.versions[1].shapeHash)
    }

    @Test func aNewOrderIsANewVersionWithoutABackfill() throws {
        let plan = try Self.replan(
            "features: [{name: mean_delay, type: float64}]",
            "features: [{name: mean_delay, type: float64}, {name: late, type: bool, expr: mean_delay > 15}]")
        var registry = try Self.applied()
        registry.project = plan.next
        let swapped = try registry.plan(
            FlightsTree.definition {
                $0.replacing(
                    "features: [{name: mean_delay, type: float64}]",
                    with:
                        "features: [{name: late, type: bool, expr: mean_delay > 15}, {name: mean_delay, type: float64}]"
                )
            })
        let change = swapped.changes.first { $0.action == .changed }
        #expect(change?.details == ["features in a new order"])
        #expect(change?.needsBackfill == false)
        #expect(try swapped.next?.featureView(named: "route_history").activeVersion?.features.map(\.id) == [2, 1])
    }

    @Test func aServiceIsRepinnedOnlyWhereItNamesNoVersion() throws {
        let old = "features: [{name: mean_delay, type: float64}]"
        let new = "features: [{name: mean_delay, type: float64}, {name: late, type: bool, expr: mean_delay > 15}]"
        let plan = try Self.replan(old, new)
        #expect(plan.changes.filter { $0.action == .changed }.map(\.kind) == [.featureView])
        let references = try plan.next?.featureService(named: "departure_delay").references
        #expect(references?.first { $0.viewName == "route_history" }?.version == 1)
    }

    @Test func changesOfAServiceAreLines() throws {
        let plan = try Self.replan(
            "  - plane_profile:seats\n", "  - {view: plane_profile, join_keys: {tailnum: tail_number}}\n")
        #expect(
            plan.changes.first { $0.action == .changed }?.details
                == ["+ plane_profile:engine", "plane_profile:seats reads other request keys"])
        let order = try Self.replan(
            "  - plane_profile:seats\n  - route_history@1:mean_delay\n",
            "  - route_history@1:mean_delay\n  - plane_profile:seats\n")
        #expect(order.changes.first { $0.action == .changed }?.details == ["features in a new order"])
        let fewer = try Self.replan("  - plane_profile:seats\n", "")
        #expect(fewer.changes.first { $0.action == .changed }?.details == ["- plane_profile:seats"])
    }

    @Test func aServiceThatNamesAVersionOrFeatureThereIsNotIsRefusedAtItsPlace() throws {
        let version = try Self.replan("route_history@1:mean_delay", "route_history@7:mean_delay")
        #expect(
            version.refusals.map(\.message) == [
                "feature_service \"departure_delay\": version 7 of feature view \"route_history\" does not exist"
            ])
        #expect(version.refusals.first?.location == SourceLocation(file: "defs/services.yml", line: 7, column: 5))
        #expect(version.next == nil)
        let feature = try Self.replan("route_history@1:mean_delay", "route_history@1:mean_dely")
        #expect(feature.refusals.first?.hint == "did you mean \"mean_delay\"?")
        let ambiguous = try Self.replan("route_history@1:mean_delay", "airport_weather@1:*")
        #expect(
            ambiguous.refusals.first?.message.contains(
                "features \"airport_weather:temp\" and \"airport_weather:temp\" have the same output name") == true)
    }

    @Test func thePlanIsJSONWithItsRefusals() throws {
        let plan = try Self.replan("temp <= 32", "temp < 32")
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(plan)) as? [String: Any]
        #expect(object?["project"] as? String == "flights")
        #expect(object?["base_revision"] as? Int == 1)
        #expect(object?["is_no_op"] as? Bool == false)
        #expect((object?["changes"] as? [[String: Any]])?.count == 13)
        let refusal = try #require((object?["refusals"] as? [[String: Any]])?.first)
        #expect(refusal["code"] as? String == "change_refused")
        #expect(refusal["location"] as? String == "defs/views.yaml:13:5")
    }
}
