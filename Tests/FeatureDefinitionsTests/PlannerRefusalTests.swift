import FeatureDefinitions
import FeatureModel
import Testing

@Suite struct PlannerRefusalTests {
    /// An edit of the flights tree, and the refusals it gets: `place message | remedy`.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let replace: String
        let with: String
        var code: ErrorCode = .changeRefused
        let refusals: [String]

        var testDescription: String { "\(replace) -> \(with)" }
    }

    private static let newView = "this is not supported yet: define a new view under another name"
    private static let raise = "say generation: 2 to fill a new generation beside the one that is read"
    private static let newFeature = "add a new one under another name, or \(raise)"
    private static let backward = "say compatibility: backward to have it accepted"
    private static let anotherSource = "define a new source under another name, and a new view that reads it"
    private static let newSource = "this is not supported yet: \(anotherSource)"
    private static let newColumn = "add a new one under another name, or \(anotherSource)"

    static let refusals: [Refusal] = [
        Refusal(
            replace: "name: seats, type: int64", with: "name: seats, type: float64",
            refusals: [
                "defs/views.yaml:21:5 feature_view \"plane_profile\", features.seats.type: feature \"seats\" is float64 "
                    + "and could not read rows of version 1, which has int64 | \(newFeature)",
                "defs/views.yaml:21:5 feature_view \"plane_profile\", features.seats.type: feature \"seats\" is float64, "
                    + "version 1 has int64 and could not read it | \(newFeature)",
            ]),
        Refusal(
            replace: "name: departures, type: int32, nullable: false",
            with: "name: departures, type: int64, nullable: false",
            refusals: [
                "defs/views.yaml:35:12 feature_view \"global_congestion\", features.departures.type: feature "
                    + "\"departures\" is int64, version 1 has int32 and could not read it | \(backward), \(newFeature)"
            ]),
        Refusal(
            replace: "name: wind_speed, type: float64}", with: "name: wind_speed, type: float64, nullable: false}",
            refusals: [
                "defs/views.yaml:12:5 feature_view \"airport_weather\", features.wind_speed.nullable: feature "
                    + "\"wind_speed\" is not nullable and could not read the nulls that version 1 allows | \(raise)"
            ]),
        Refusal(
            replace: "default: false", with: "default: true",
            refusals: [
                "defs/views.yaml:13:5 feature_view \"airport_weather\", features.is_freezing.default: feature "
                    + "\"is_freezing\" has default true, version 1 has default false: rows without it would read "
                    + "differently under the two | \(raise)"
            ]),
        Refusal(
            replace: "expr: temp <= 32", with: "expr: temp < 32",
            refusals: [
                "defs/views.yaml:13:5 feature_view \"airport_weather\", features.is_freezing.expr: expr changed from "
                    + "temp <= 32 to temp < 32 | \(raise)"
            ]),
        Refusal(
            replace: "where: temp IS NOT NULL\n", with: "",
            refusals: [
                "defs/views.yaml:1:1 feature_view \"airport_weather\": where changed from temp IS NOT NULL to none | "
                    + raise
            ]),
        Refusal(
            replace: "online: false", with: "online: true",
            refusals: [
                "defs/views.yaml:15:1 feature_view \"plane_profile\": online changed from false to true | \(newView)"
            ]),
        Refusal(
            replace: "  - {name: wind_speed, type: float64}\n",
            with: "  - {name: wind_speed, type: float64}\n"
                + "  - {name: gust, type: float64, expr: wind_speed, nullable: false}\n",
            refusals: [
                "defs/views.yaml:13:5 feature_view \"airport_weather\", features.gust: feature \"gust\" is neither "
                    + "nullable nor has a default, and rows of version 1 do not have it | make it nullable or give it a "
                    + "default, or \(raise)"
            ]),
        Refusal(
            replace: "  - {name: is_freezing, type: bool, expr: temp <= 32, default: false}", with: "",
            code: .removalNotAllowed,
            refusals: [
                "defs/views.yaml:1:1 feature_view \"airport_weather\", features.is_freezing: the feature is no longer "
                    + "in the definition | put it back, say renamed_from: where it goes on under another name, or allow "
                    + "removals with --allow-removals"
            ]),
        Refusal(
            replace: "name: is_freezing, type: bool", with: "name: freezing, renamed_from: is_frozen, type: bool",
            code: .removalNotAllowed,
            refusals: [
                "defs/views.yaml:13:5 feature_view \"airport_weather\", features.freezing: renamed from \"is_frozen\", "
                    + "which version 1 does not have | leave renamed_from out to add a new feature, or name one of temp, "
                    + "wind_speed, is_freezing",
                "defs/views.yaml:1:1 feature_view \"airport_weather\", features.is_freezing: the feature is no longer "
                    + "in the definition | put it back, say renamed_from: where it goes on under another name, or allow "
                    + "removals with --allow-removals",
            ]),
        Refusal(
            replace: "entities: [route]", with: "entities: [airport]",
            refusals: [
                "defs/views.yaml:24:1 feature_view \"route_history\": entities changed from route to airport | \(raise)"
            ]),
        Refusal(
            replace: "- {name: wind_speed, type: float32}", with: "- {name: wind_speed, type: float64}",
            refusals: [
                "defs/sources.yaml:8:5 source \"weather\", columns.wind_speed.type: column \"wind_speed\" is float64, "
                    + "version 1 has float32 and could not read it | \(backward), \(newColumn)"
            ]),
        Refusal(
            replace: "- {name: temp, type: float64}\n", with: "- {name: temp, type: float64, nullable: false}\n",
            refusals: [
                "defs/sources.yaml:7:5 source \"weather\", columns.temp.nullable: column \"temp\" is not nullable and "
                    + "could not read the nulls that version 1 allows | \(anotherSource)"
            ]),
        Refusal(
            replace: "- {name: wind_speed, type: float32}",
            with: "- {name: wind_speed, type: float32}\n  - {name: gust, type: float32, nullable: false}",
            refusals: [
                "defs/sources.yaml:9:5 source \"weather\", columns.gust: column \"gust\" is neither nullable nor has a "
                    + "default, and rows of version 1 do not have it | make it nullable, or \(anotherSource)"
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
                    + "changed key is not supported: define a new entity under another name"
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
        #expect(plan.refusals.contains { $0.code == refusal.code })
        #expect(plan.refusals.allSatisfy { $0.code == refusal.code || $0.code == .changeRefused })
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
