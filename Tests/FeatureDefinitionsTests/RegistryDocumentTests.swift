import FeatureDefinitions
import FeatureModel
import Foundation
import Testing

/// Documents that earlier programs wrote are read for ever. The files in `Tests/Fixtures/golden` are never written again.
@Suite struct RegistryDocumentTests {
    private static func golden(_ format: Int) throws -> String {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/golden/registry-document-\(format).json")
        return try String(contentsOf: url, encoding: .utf8).trimmingCharacters(in: .newlines)
    }

    /// The flights tree, with a second version of `airport_weather` and of `weather`.
    @Test func `format 1 kept keys, source and filter for the view, and every generation takes them`() throws {
        let document = try Self.golden(1)
        #expect(document.contains("\"format\":1"))
        let project = try RegisteredProject(document: document)
        let weather = try project.featureView(named: "airport_weather")
        let source = try project.source(named: "weather")
        #expect(
            weather.generations == [
                GenerationState(
                    number: 1, computationHash: weather.versions[1].computationHash, entityIDs: [2],
                    entityNames: ["airport"], joinKeys: [JoinKey(name: "origin", type: .string)], sourceID: source.id,
                    sourceName: "weather", filter: "temp IS NOT NULL")
            ])
        #expect(weather.generations[0].layoutVersion == 1 && weather.generations[0].state == .live)
        #expect(weather.currentGeneration == 1 && weather.previousGeneration == nil)
        #expect(weather.versions.map { $0.features.map(\.id) } == [[1, 2, 3], [1, 2, 4, 3]])
        #expect(weather.nextFeatureID == 5)
        let route = try project.featureView(named: "route_history")
        #expect(route.current?.joinKeys.map(\.name) == ["dest", "origin"])
        #expect(route.current?.filter == nil)
        let congestion = try project.featureView(named: "global_congestion")
        #expect(congestion.current?.joinKeys == [] && congestion.current?.entityIDs == [])
        #expect(try project.featureService(named: "departure_delay").references.map(\.version) == [2, 2, 1, 1, 1])
    }

    @Test func `what was read of format 1 goes on being planned, and is written as format 2`() throws {
        let project = try RegisteredProject(document: Self.golden(1))
        #expect(try RegisteredProject(document: project.document()) == project)
        #expect(try project.document().contains("\"format\":2"))
        var registry = RegistryModel()
        registry.project = project
        func tree(_ edit: (String) -> String = { $0 }) throws -> ProjectDefinition {
            try FlightsTree.definition { text in
                edit(
                    text.replacing(
                        "  - {name: wind_speed, type: float64}\n",
                        with:
                            "  - {name: wind_speed, type: float64}\n  - {name: gust, type: float64, expr: wind_speed}\n"
                    ).replacing(
                        "- {name: temp, type: float64}\n",
                        with: "- {name: temp, type: float64}\n  - {name: humidity, type: float64}\n"))
            }
        }
        let same = registry.plan(try tree())
        #expect(same.isNoOp, "\(same.lines)")
        let changed = registry.plan(try tree { $0.replacing("where: temp IS NOT NULL", with: "where: temp > 0") })
        #expect(changed.refusals.count == 1)
    }

    /// Generations with their own keys, one being dropped, one gone; versions of every state; names that were; what was removed.
    @Test func `format 2 reads and writes byte for byte`() throws {
        let document = try Self.golden(2)
        let project = try RegisteredProject(document: document)
        #expect(try project.document() == document)
        let view = try project.featureView(named: "climate")
        #expect(view.generations.map(\.number) == [2, 4, 5])
        #expect(view.generations.map(\.state) == [.live, .live, .dropping])
        #expect(view.generations.map { $0.joinKeys.map(\.name) } == [["origin"], ["cell"], ["cell"]])
        #expect(view.generations.map(\.filter) == ["temp > 0", nil, nil])
        #expect(view.currentGeneration == 4 && view.previousGeneration == 2)
        #expect(view.versions.map(\.generation) == [1, 2, 2, 4, 5])
        #expect(view.versions.map(\.state) == [.retired, .retired, .deprecated, .active, .retired])
        #expect(view.versions[2].features[0].aliases == ["temp"])
        #expect(project.featureViews.map(\.isRemoved) == [false, true])
        #expect(project.featureServices.map(\.name) == ["model"])
    }
}
