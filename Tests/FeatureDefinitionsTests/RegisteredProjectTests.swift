import FeatureDefinitions
import FeatureModel
import Foundation
import Testing

@Suite struct RegisteredProjectTests {
    private static func flights() throws -> RegisteredProject {
        var registry = RegistryModel()
        try registry.apply(FlightsTree.definition())
        return try #require(registry.project)
    }

    @Test func aProjectReadsBackEqualFromItsDocument() throws {
        let project = try Self.flights()
        let document = try project.document()
        #expect(try RegisteredProject(document: document) == project)
        #expect(try RegisteredProject(document: document).document() == document)
    }

    @Test func valuesThatJSONWouldBendReadBackBitByBit() throws {
        let values: [Value] = [
            .int64(.max), .int64(.min), .int64(9_007_199_254_740_993), .float64(.nan), .float64(-.infinity),
            .float64(-0.0), .float64(0.1), .float64(.leastNonzeroMagnitude), .float32(.nan), .float32(0.1),
            .bool(true), .int32(-1), .string(""), .string("é\u{0301}\n\"{}"), .bytes([]), .bytes([0, 255, 16]),
            .timestamp(.negativeInfinity), .timestamp(Timestamp(microsecondsSince1970: -1)),
            .date(CalendarDate(daysSince1970: -719_162)), .array([]), .array([.int64(.max), .int64(0)]),
            .array([.string("a,b"), .string("")]), .vector([]), .vector([.nan, -0.0, .leastNonzeroMagnitude]), .null,
        ]
        for value in values {
            let data = try JSONEncoder().encode([value])
            #expect(try JSONDecoder().decode([Value].self, from: data) == [value], "\(value)")
        }
    }

    @Test func aDocumentOfAnotherFormatOrShapeIsRefused() throws {
        let document = try Self.flights().document()
        let newer = document.replacing("\"format\":2", with: "\"format\":3")
        let error = #expect(throws: LarderError.self) { try RegisteredProject(document: newer) }
        #expect(error?.message == "a registry document has format 3, this program reads up to 2")
        for broken in ["", "{}", "[]", String(document.dropLast()), document.replacing("float64", with: "float65")] {
            #expect(throws: LarderError.self, "\(broken.prefix(20))") { try RegisteredProject(document: broken) }
        }
    }

    /// These hashes are stored; a change here orphans what is stored under them.
    @Test func hashesStayWhatTheyAre() throws {
        let project = try Self.flights()
        let weather = try project.featureView(named: "airport_weather")
        #expect(weather.activeVersion?.shapeHash == "e879f49c89cdb6d2a004143a193fe3371bb03f425906b444b532f1dcdb735b63")
        #expect(
            weather.activeVersion?.computationHash == "911878c9b68bb36397531bb1f9e9e7be04a41047b5295e2bf99f7a1a1c1aa392"
        )
        #expect(
            try project.source(named: "weather").activeVersion?.shapeHash
                == "11449727c6f6ced7b83c4e8057c238cf5bafc287e6a9cfad8fdad7bf9059efde")
        let documentHash = try project.documentHash()
        #expect(documentHash == "539da5484880c7d811e5c360393dff44ffeb1f5a11b814c7005a218b03bad77e")
    }

    @Test func theShapeHashSeesShapeAndTheComputationHashSeesComputation() throws {
        let base = try Self.flights()
        func weather(_ old: String, _ new: String) throws -> ViewVersion? {
            var registry = RegistryModel()
            try registry.apply(FlightsTree.definition { $0.replacing(old, with: new) })
            return try registry.project?.featureView(named: "airport_weather").activeVersion
        }
        let original = try #require(try base.featureView(named: "airport_weather").activeVersion)
        let renamed = try #require(try weather("is_freezing", "freezing"))
        #expect(renamed.shapeHash != original.shapeHash)
        #expect(renamed.computationHash == original.computationHash)
        let computed = try #require(try weather("temp <= 32", "temp < 32"))
        #expect(computed.shapeHash == original.shapeHash)
        #expect(computed.computationHash != original.computationHash)
        let defaulted = try #require(try weather("default: false", "default: true"))
        #expect(defaulted.shapeHash != original.shapeHash)
        let filtered = try #require(try weather("where: temp IS NOT NULL", "where: temp > 0"))
        #expect(filtered.computationHash != original.computationHash)
        let described = try #require(try weather("degrees Fahrenheit", "degrees"))
        #expect(described.shapeHash == original.shapeHash)
        #expect(described.computationHash == original.computationHash)
    }

    @Test func unknownNamesAreToldWithTheNearest() throws {
        let project = try Self.flights()
        let view = #expect(throws: LarderError.self) { try project.featureView(named: "airport_wether") }
        #expect(view?.code == .featureViewNotFound)
        #expect(view?.message == "project \"flights\" has no feature view \"airport_wether\"")
        #expect(view?.hint == "did you mean \"airport_weather\"?")
        let entity = #expect(throws: LarderError.self) { try project.entity(named: "ship") }
        #expect(entity?.code == .entityNotFound)
        #expect(entity?.hint == "there are: airport, plane, route")
        let source = #expect(throws: LarderError.self) { try project.source(named: "weathr") }
        #expect(source?.code == .sourceNotFound)
        let service = #expect(throws: LarderError.self) { try project.featureService(named: "x") }
        #expect(service?.code == .featureServiceNotFound)
    }

    @Test func theNewestActiveVersionOfTheCurrentGenerationIsTheOneRead() throws {
        var view = try Self.flights().featureView(named: "airport_weather")
        let first = view.versions[0]
        for (number, state, generation) in [
            (Int32(2), VersionState.active, Int32(1)), (3, .deprecated, 1), (4, .retired, 1), (5, .active, 2),
        ] {
            var version = first
            version.version = number
            version.state = state
            version.generation = generation
            view.versions.append(version)
        }
        #expect(view.activeVersion?.version == 2)
        #expect(view.activeVersion(ofGeneration: 2)?.version == 5)
        #expect(try view.readableVersion(nil).version == 2)
        #expect(try view.readableVersion(3).version == 3)
        let retired = #expect(throws: LarderError.self) { try view.readableVersion(4) }
        #expect(retired?.message == "version 4 of feature view \"airport_weather\" is retired")
        #expect(retired?.hint == "versions that can be read: 1, 2, 3")
        let dropped = #expect(throws: LarderError.self) { try view.readableVersion(5) }
        #expect(
            dropped?.message
                == "version 5 of feature view \"airport_weather\" belonged to generation 2, which was dropped")
        var second = view.generations[0]
        second.number = 2
        view.generations.append(second)
        #expect(try view.readableVersion(nil).version == 2)
        #expect(try view.readableVersion(5).version == 5)
        view.generations[1].state = .dropping
        #expect(throws: LarderError.self) { try view.readableVersion(5) }
        let missing = #expect(throws: LarderError.self) { try view.readableVersion(6) }
        #expect(missing?.code == .schemaVersionMismatch)
        view.versions = view.versions.map { version in
            var version = version
            version.state = .retired
            return version
        }
        let none = #expect(throws: LarderError.self) { try view.readableVersion(nil) }
        #expect(none?.hint == "no version can be read")
    }
}
