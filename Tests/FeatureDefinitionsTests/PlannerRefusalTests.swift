import FeatureDefinitions
import FeatureModel
import Testing

@Suite struct PlannerRefusalTests {
    /// An edit of the flights tree, and the refusals it gets: `place message | remedy`.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let replace: String
        let with: String
        let refusals: [String]

        var testDescription: String { "\(replace) -> \(with)" }
    }

    private static let newView = "this is not supported yet: define a new view under another name"
    private static let newFeature = "this is not supported yet: define a new view or feature under another name"
    private static let newSource =
        "this is not supported yet: define a new source under another name, and a new view that reads it"
    private static let newColumn =
        "this is not supported yet: add a new column under another name, or define a new source under another name, "
        + "and a new view that reads it"

    static let refusals: [Refusal] = [
        Refusal(
            replace: "name: seats, type: int64", with: "name: seats, type: float64",
            refusals: [
                "defs/views.yaml:21:5 feature_view \"plane_profile\", feature \"seats\": type changed from int64 to "
                    + "float64 | \(newFeature)"
            ]),
        Refusal(
            replace: "name: wind_speed, type: float64}", with: "name: wind_speed, type: float64, nullable: false}",
            refusals: [
                "defs/views.yaml:12:5 feature_view \"airport_weather\", feature \"wind_speed\": nullable changed from "
                    + "true to false | \(newFeature)"
            ]),
        Refusal(
            replace: "default: false", with: "default: true",
            refusals: [
                "defs/views.yaml:13:5 feature_view \"airport_weather\", feature \"is_freezing\": default changed from "
                    + "false to true | \(newFeature)"
            ]),
        Refusal(
            replace: "expr: temp <= 32", with: "expr: temp < 32",
            refusals: [
                "defs/views.yaml:13:5 feature_view \"airport_weather\", feature \"is_freezing\": expr changed from "
                    + "temp <= 32 to temp < 32 | \(newFeature)"
            ]),
        Refusal(
            replace: "where: temp IS NOT NULL\n", with: "",
            refusals: [
                "defs/views.yaml:1:1 feature_view \"airport_weather\": where changed from temp IS NOT NULL to none | "
                    + newView
            ]),
        Refusal(
            replace: "online: false", with: "online: true",
            refusals: [
                "defs/views.yaml:15:1 feature_view \"plane_profile\": online changed from false to true | \(newView)"
            ]),
        Refusal(
            replace: "ttl: 15m", with: "ttl: 15m\ngeneration: 2",
            refusals: [
                "defs/views.yaml:31:1 feature_view \"global_congestion\": generation changed from 1 to 2 | \(newView)"
            ]),
        Refusal(
            replace: "  - {name: wind_speed, type: float64}\n",
            with: "  - {name: wind_speed, type: float64}\n"
                + "  - {name: gust, type: float64, expr: wind_speed, nullable: false}\n",
            refusals: [
                "defs/views.yaml:13:5 feature_view \"airport_weather\", feature \"gust\": a new feature that is neither "
                    + "nullable nor has a default | rows already written do not have it: make it nullable or give it a "
                    + "default"
            ]),
        Refusal(
            replace: "  - {name: is_freezing, type: bool, expr: temp <= 32, default: false}", with: "",
            refusals: [
                "defs/views.yaml:1:1 feature_view \"airport_weather\", feature \"is_freezing\": the feature is no longer "
                    + "in the definition | removing a feature is not supported yet: put it back, or define a new view "
                    + "under another name"
            ]),
        Refusal(
            replace: "name: is_freezing, type: bool", with: "name: freezing, renamed_from: is_freezing, type: bool",
            refusals: [
                "defs/views.yaml:13:5 feature_view \"airport_weather\", feature \"freezing\": name changed from "
                    + "is_freezing to freezing | a rename is not supported yet: keep \"is_freezing\" and add "
                    + "\"freezing\" as a new feature"
            ]),
        Refusal(
            replace: "entities: [route]", with: "entities: [airport]",
            refusals: [
                "defs/views.yaml:24:1 feature_view \"route_history\": entities changed from route to airport | \(newView)"
            ]),
        Refusal(
            replace: "- {name: wind_speed, type: float32}", with: "- {name: wind_speed, type: float64}",
            refusals: [
                "defs/sources.yaml:8:5 source \"weather\", column \"wind_speed\": type changed from float32 to float64 | "
                    + newColumn
            ]),
        Refusal(
            replace: "- {name: temp, type: float64}\n", with: "- {name: temp, type: float64, nullable: false}\n",
            refusals: [
                "defs/sources.yaml:7:5 source \"weather\", column \"temp\": nullable changed from true to false | "
                    + newColumn
            ]),
        Refusal(
            replace: "- {name: wind_speed, type: float32}",
            with: "- {name: wind_speed, type: float32}\n  - {name: gust, type: float32, nullable: false}",
            refusals: [
                "defs/sources.yaml:9:5 source \"weather\", column \"gust\": a new column that is not nullable | rows "
                    + "already ingested do not have it: make it nullable"
            ]),
        Refusal(
            replace: "row_key: [origin, time_hour]", with: "row_key: [time_hour]",
            refusals: [
                "defs/sources.yaml:1:1 source \"weather\": row_key changed from [origin, time_hour] to [time_hour] | "
                    + newSource
            ]),
        Refusal(
            replace: "timezone: America/New_York", with: "timezone: UTC",
            refusals: [
                "defs/sources.yaml:1:1 source \"weather\": timezone changed from America/New_York to UTC | \(newSource)"
            ]),
        Refusal(
            replace: "table: fleet.planes", with: "table: fleet.aircraft",
            refusals: [
                "defs/sources.yaml:13:1 source \"planes\": table changed from fleet.planes to fleet.aircraft | \(newSource)"
            ]),
        Refusal(
            replace: "FROM landed\n", with: "FROM arrived\n",
            refusals: [
                "defs/sources.yaml:20:1 source \"route_delays\": query changed from ...at, mean_delay FROM landed to "
                    + "...at, mean_delay FROM arrived | \(newSource)"
            ]),
        Refusal(
            replace: "overlap: 1h", with: "overlap: 2h",
            refusals: [
                "defs/sources.yaml:20:1 source \"route_delays\": incremental changed from {column: recorded_at, overlap: "
                    + "1h} to {column: recorded_at, overlap: 2h} | \(newSource)"
            ]),
        Refusal(
            replace: "type: push", with: "type: table",
            refusals: ["defs/sources.yaml:37:1 source \"congestion\": type changed from push to table | \(newSource)"]),
        Refusal(
            replace: "name: tailnum, type: string", with: "name: tailnum, type: int64",
            refusals: [
                "defs/entities.yaml:5:1 entity \"plane\": join keys changed from (tailnum string) to (tailnum int64) | a "
                    + "changed key is not supported: define a new entity under another name",
                "defs/sources.yaml:17:11 source \"planes\", column \"tailnum\": type changed from string to int64 | "
                    + newColumn,
            ]),
    ]

    @Test(arguments: refusals)
    func whatIsNotPlainlyCompatibleIsRefusedWithItsPlaceAndRemedy(_ refusal: Refusal) throws {
        let whole = FlightsTree.files.map(\.text).joined(separator: "\n---\n")
        try #require(whole.contains(refusal.replace))
        var registry = RegistryModel()
        try registry.apply(FlightsTree.definition())
        let changed = try FlightsTree.definition { text in
            text.replacing(refusal.replace, with: refusal.with)
                .replacing("kind: feature_service", with: "kind: feature_service\ndescription: any")
        }
        let plan = registry.plan(changed)
        let told = plan.refusals.map { error in
            "\(error.location.map(\.description) ?? "nowhere") \(error.message) | \(error.hint ?? "")"
        }
        #expect(told == refusal.refusals)
        #expect(plan.refusals.allSatisfy { $0.code == .changeRefused })
        #expect(plan.next == nil)
        #expect(!plan.isNoOp)
        #expect(throws: LarderError.self) { try plan.checkAccepted() }
    }

    @Test func allRefusalsAreToldAtOnce() throws {
        var registry = RegistryModel()
        try registry.apply(FlightsTree.definition())
        let plan = try registry.plan(
            FlightsTree.definition {
                $0.replacing("temp <= 32", with: "temp < 32").replacing("fleet.planes", with: "fleet.aircraft")
                    .replacing("route_history@1", with: "route_history@9")
            })
        #expect(plan.refusals.count == 3)
        let error = #expect(throws: LarderError.self) { try plan.checkAccepted() }
        #expect(error?.code == .changeRefused)
        #expect(error?.message == "3 changes are refused, nothing was applied")
        #expect(error?.errors == plan.refusals)
        #expect(plan.lines.last?.hasSuffix("; 3 refused, nothing will be applied") == true)
        #expect(plan.lines.contains { $0.hasPrefix("! defs/views.yaml:13:5: feature_view") })
    }

    @Test func anotherProjectIsRefusedWithoutComparingIt() throws {
        var registry = RegistryModel()
        try registry.apply(FlightsTree.definition())
        let plan = try registry.plan(FlightsTree.definition { $0.replacing("name: flights", with: "name: trains") })
        #expect(plan.refusals.map(\.message) == ["project \"flights\": the tree defines project \"trains\""])
    }
}
