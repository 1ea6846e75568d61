import FeatureDefinitions
import FeatureModel
import Testing

@Suite struct FeatureSelectionTests {
    private static func flights() throws -> RegisteredProject {
        var registry = RegistryModel()
        try registry.apply(FlightsTree.definition())
        return try #require(registry.project)
    }

    @Test func aServiceResolvesInItsOrderUnderEachKeyMapping() throws {
        let project = try Self.flights()
        let selection = try FeatureSelection.resolve(
            service: project.featureService(named: "departure_delay"), in: project)
        #expect(
            try selection.outputNames(full: false) == [
                "temp", "wind_speed", "is_freezing", "dest_weather__temp", "seats", "mean_delay", "departures",
            ])
        #expect(
            try selection.outputNames(full: true) == [
                "airport_weather__temp", "airport_weather__wind_speed", "airport_weather__is_freezing",
                "dest_weather__temp", "plane_profile__seats", "route_history__mean_delay",
                "global_congestion__departures",
            ])
        #expect(selection.views.count == 5)
        #expect(selection.views[1].requestKeys == [JoinKey(name: "dest", type: .string)])
        #expect(selection.requestKeys.map(\.name) == ["dest", "origin", "tailnum"])
    }

    @Test func oneViewIsReadOncePerAliasAndPerKeyMapping() throws {
        var registry = RegistryModel()
        try registry.apply(
            FlightsTree.definition {
                $0.replacing(
                    "  - airport_weather:*\n",
                    with: """
                          - airport_weather:temp
                          - {view: airport_weather, as: again, features: [temp]}
                          - {view: airport_weather, join_keys: {origin: dest}, features: [wind_speed]}

                        """)
            })
        let project = try #require(registry.project)
        let selection = try FeatureSelection.resolve(
            service: project.featureService(named: "departure_delay"), in: project)
        #expect(try selection.outputNames(full: false).prefix(3) == ["temp", "again__temp", "wind_speed"])
        #expect(selection.views.prefix(3).map(\.alias) == [nil, "again", nil])
        #expect(selection.views.prefix(3).map { $0.requestKeys.map(\.name) } == [["origin"], ["origin"], ["dest"]])
    }

    @Test func referencesKeepTheOrderAskedForAndReadEachViewOnce() throws {
        let project = try Self.flights()
        let selection = try FeatureSelection.resolve(
            references: ["airport_weather:wind_speed", "plane_profile:seats", "airport_weather@1:temp"], in: project)
        #expect(try selection.outputNames(full: false) == ["wind_speed", "seats", "temp"])
        #expect(selection.views.map(\.view.name) == ["airport_weather", "plane_profile"])
        #expect(selection.views[0].features.map(\.name) == ["wind_speed", "temp"])
        #expect(selection.outputs.map { selection.feature($0).name } == ["wind_speed", "seats", "temp"])
    }

    @Test func aStarMeansAllFeaturesOfTheNewestActiveVersion() throws {
        var registry = RegistryModel()
        try registry.apply(FlightsTree.definition())
        try registry.apply(
            FlightsTree.definition {
                $0.replacing(
                    "  - {name: wind_speed, type: float64}\n",
                    with: "  - {name: wind_speed, type: float64}\n  - {name: gust, type: float64, expr: wind_speed}\n")
            })
        let project = try #require(registry.project)
        let newest = try FeatureSelection.resolve(references: ["airport_weather:*"], in: project)
        #expect(try newest.outputNames(full: false) == ["temp", "wind_speed", "gust", "is_freezing"])
        let first = try FeatureSelection.resolve(references: ["airport_weather@1:*"], in: project)
        #expect(try first.outputNames(full: false) == ["temp", "wind_speed", "is_freezing"])
        let both = try FeatureSelection.resolve(
            references: ["airport_weather@1:temp", "airport_weather:temp"], in: project)
        let error = #expect(throws: LarderError.self) { try both.outputNames(full: true) }
        #expect(
            error?.message == "features \"airport_weather@1:temp\" and \"airport_weather:temp\" have the same output "
                + "name \"airport_weather__temp\"")
        #expect(error?.hint?.contains("{view: airport_weather@1, as: former}") == true, "\(String(describing: error))")
        let short = #expect(throws: LarderError.self) { try both.outputNames(full: false) }
        #expect(short?.hint == error?.hint)
        // What the hint says.
        try registry.apply(
            FlightsTree.definition {
                $0.replacing(
                    "  - airport_weather:*\n",
                    with: """
                          - airport_weather:temp
                          - {view: airport_weather@1, as: former, features: [temp]}

                        """
                ).replacing(
                    "  - {name: wind_speed, type: float64}\n",
                    with: "  - {name: wind_speed, type: float64}\n  - {name: gust, type: float64, expr: wind_speed}\n")
            })
        let served = try #require(registry.project)
        let service = try FeatureSelection.resolve(
            service: served.featureService(named: "departure_delay"), in: served)
        #expect(try service.outputNames(full: false).prefix(2) == ["temp", "former__temp"])
        #expect(service.views.prefix(2).map(\.schema.version) == [2, 1])
    }

    @Test func equalNamesAreAnErrorNamingBothUnlessNamesAreFull() throws {
        var registry = RegistryModel()
        try registry.apply(
            FlightsTree.definition {
                $0.replacing("name: departures, type: int32", with: "name: seats, type: int32")
                    .replacing("global_congestion:departures", with: "route_history:*")
                    .replacing("- route_history@1:mean_delay", with: "- airport_weather:temp")
                    .replacing("- airport_weather:*", with: "- plane_profile:engine")
            })
        let project = try #require(registry.project)
        let selection = try FeatureSelection.resolve(
            references: ["plane_profile:seats", "global_congestion:seats"], in: project)
        let error = #expect(throws: LarderError.self) { try selection.outputNames(full: false) }
        #expect(error?.code == .ambiguousFeatureNames)
        #expect(
            error?.message
                == "features \"plane_profile:seats\" and \"global_congestion:seats\" have the same output name \"seats\""
        )
        #expect(error?.hint == "ask for full feature names, which are view__feature")
        #expect(try selection.outputNames(full: true) == ["plane_profile__seats", "global_congestion__seats"])
    }

    @Test func aFeatureWithTheNameOfARequestKeyNeedsItsFullName() throws {
        var registry = RegistryModel()
        try registry.apply(
            FlightsTree.definition {
                $0.replacing(
                    "- {name: engine, type: string, expect", with: "- {name: origin, type: string, expr: engine, expect"
                )
            })
        let project = try #require(registry.project)
        let selection = try FeatureSelection.resolve(
            references: ["airport_weather:temp", "plane_profile:origin"], in: project)
        let error = #expect(throws: LarderError.self) { try selection.outputNames(full: false) }
        #expect(error?.message == "feature \"plane_profile:origin\" has the name of the request key \"origin\"")
        #expect(try selection.outputNames(full: true).last == "plane_profile__origin")
    }

    @Test(arguments: [
        ("airport_weather", ErrorCode.requestInvalid, "write view:feature, view:* or view@2:feature"),
        ("airport_weather@x:temp", .requestInvalid, "write view@2:feature"),
        ("airport_weather@0:temp", .requestInvalid, "write view@2:feature"),
        ("airport_weather@+1:temp", .requestInvalid, "write view@2:feature"),
        ("airport_weather@99999999999:temp", .requestInvalid, "write view@2:feature"),
        (":temp", .requestInvalid, "write view:feature, view:* or view@2:feature"),
        ("airport_weather:", .requestInvalid, "write view:feature, view:* or view@2:feature"),
        ("airport_weather:a:b", .requestInvalid, "write view:feature, view:* or view@2:feature"),
        ("airport_weather:tmp", .featureNotFound, "did you mean \"temp\"?"),
        ("airport_wether:temp", .featureViewNotFound, "did you mean \"airport_weather\"?"),
        ("airport_weather@2:temp", .schemaVersionMismatch, "versions that can be read: 1"),
    ])
    func aReferenceThatFindsNothingSaysWhatWouldWork(_ text: String, code: ErrorCode, hint: String) throws {
        let project = try Self.flights()
        let error = #expect(throws: LarderError.self) {
            try FeatureSelection.resolve(references: [text], in: project)
        }
        #expect(error?.code == code)
        #expect(error?.hint == hint)
    }

    @Test func noReferencesAreNoRequest() throws {
        let project = try Self.flights()
        let error = #expect(throws: LarderError.self) { try FeatureSelection.resolve(references: [], in: project) }
        #expect(error?.code == .requestInvalid)
    }

    @Test func oneRequestKeyCannotHaveTwoTypes() throws {
        var registry = RegistryModel()
        try registry.apply(
            FlightsTree.definition {
                $0.replacing(
                    "join_keys: [{name: tailnum, type: string}]", with: "join_keys: [{name: origin, type: int64}]"
                )
                .replacing("columns: [{name: tailnum, type: string}", with: "columns: [{name: origin, type: int64}")
                .replacing("  - plane_profile:seats\n", with: "")
            })
        let project = try #require(registry.project)
        let error = #expect(throws: LarderError.self) {
            try FeatureSelection.resolve(references: ["airport_weather:temp", "plane_profile:seats"], in: project)
        }
        #expect(error?.code == .joinKeyType)
        #expect(
            error?.message == "request key \"origin\" is string for feature view \"airport_weather\" and int64 for "
                + "feature view \"plane_profile\"")
    }
}
