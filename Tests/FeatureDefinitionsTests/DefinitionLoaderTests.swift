import FeatureDefinitions
import FeatureModel
import Foundation
import Glibc
import Testing

@Suite struct DefinitionLoaderTests {
    @Test func aRealisticTreeLoadsWithEveryValueAndItsPlace() throws {
        let project = try FlightsTree.definition()
        #expect(project.name == "flights")
        #expect(project.description == "Departure delays from New York")
        #expect(project.location == SourceLocation(file: "defs/project.yaml", line: 1, column: 1))
        #expect(project.entities.map(\.name) == ["airport", "plane", "route"])
        #expect(
            project.entities.last?.joinKeys
                == [JoinKey(name: "origin", type: .string), JoinKey(name: "dest", type: .string)])
        #expect(project.sources.map(\.name) == ["weather", "planes", "route_delays", "congestion"])
        #expect(
            project.featureViews.map(\.name)
                == ["airport_weather", "plane_profile", "route_history", "global_congestion"])
        #expect(project.featureServices.map(\.name) == ["departure_delay"])
    }

    @Test func sourcesCarryTheirKindColumnsAndTimes() throws {
        let sources = try FlightsTree.definition().sources
        let weather = try #require(sources.first)
        #expect(weather.kind == .table)
        #expect(weather.timestampColumn == "time_hour")
        #expect(weather.timeZone == "America/New_York")
        #expect(weather.rowKey == ["origin", "time_hour"])
        #expect(weather.columns.map(\.isNullable) == [false, false, true, true])
        #expect(weather.compatibility == .fullTransitive)
        #expect(weather.location == SourceLocation(file: "defs/sources.yaml", line: 1, column: 1))
        #expect(weather.columns[2].location == SourceLocation(file: "defs/sources.yaml", line: 7, column: 5))
        #expect(sources[1].kind == .postgres(table: QualifiedTableName(schema: "fleet", name: "planes")))
        #expect(sources[1].isStatic)
        #expect(sources[1].compatibility == .backward)
        #expect(
            sources[2].kind
                == .query(
                    sql: """
                        -- nothing of a flight that has not landed
                        SELECT origin, dest, landed_at, recorded_at, mean_delay
                        FROM landed
                        """))
        #expect(sources[2].createdTimestampColumn == "recorded_at")
        #expect(
            sources[2].incremental == IncrementalRead(column: "recorded_at", overlapMicroseconds: 3_600_000_000))
        #expect(sources[3].kind == .push)
    }

    @Test func viewsCarryTheirFeaturesAndDefaults() throws {
        let views = try FlightsTree.definition().featureViews
        let weather = views[0]
        #expect(weather.owner == "ops@example.com")
        #expect(weather.tags == ["team": "ops", "tier": "1"])
        #expect(weather.entities == ["airport"])
        #expect(weather.ttlMicroseconds == 21_600_000_000)
        #expect(weather.filter == "temp IS NOT NULL")
        #expect(weather.isOnline)
        #expect(weather.generation == nil)
        #expect(weather.features[0].expectation == Expectation(minimum: -60, maximum: 140, isFinite: true))
        #expect(weather.features[0].isNullable)
        #expect(weather.features[2].expression == "temp <= 32")
        #expect(weather.features[2].defaultValue == .bool(false))
        #expect(weather.features[2].location == SourceLocation(file: "defs/views.yaml", line: 13, column: 5))
        #expect(views[1].isOnline == false)
        #expect(
            views[1].features[1].expectation
                == Expectation(oneOf: [.string("jet"), .string("prop")], maximumLength: 40))
        #expect(views[2].availabilityLagMicroseconds == 600_000_000)
        #expect(views[3].entities.isEmpty)
        #expect(views[3].features[0].isNullable == false)
    }

    @Test func servicesCarryEveryFormOfReference() throws {
        let service = try #require(try FlightsTree.definition().featureServices.first)
        let location = { line in SourceLocation(file: "defs/services.yml", line: line, column: 5) }
        #expect(
            service.references == [
                ServiceReferenceDefinition(viewName: "airport_weather", features: .all, location: location(4)),
                ServiceReferenceDefinition(
                    viewName: "airport_weather", features: .named(["temp"]), alias: "dest_weather",
                    joinKeyMapping: ["origin": "dest"], location: location(5)),
                ServiceReferenceDefinition(
                    viewName: "plane_profile", features: .named(["seats"]), location: location(6)),
                ServiceReferenceDefinition(
                    viewName: "route_history", version: 1, features: .named(["mean_delay"]), location: location(7)),
                ServiceReferenceDefinition(
                    viewName: "global_congestion", features: .named(["departures"]), location: location(8)),
            ])
    }

    @Test func flowReferencesWithStarsAndVersionsAreText() throws {
        let text = FlightsTree.files.map(\.text).joined(separator: "\n---\n")
        let flow = """

            ---
            kind: feature_service
            name: short
            features: [airport_weather:*, plane_profile:seats, route_history@1:mean_delay]
            """
        let project = try DefinitionLoader.load(files: [("all.yaml", text + flow)])
        #expect(project.featureServices.last?.references.map(\.version) == [nil, nil, 1])
    }

    @Test func defaultsOfEveryTypeAreRead() throws {
        let cases: [(type: String, text: String, value: Value)] = [
            ("bool", "true", .bool(true)),
            ("int32", "-7", .int32(-7)),
            ("int64", "9223372036854775807", .int64(.max)),
            ("float32", "0.1", .float32(0.1)),
            ("float64", ".nan", .float64(.nan)),
            ("float64", "\"-Infinity\"", .float64(-.infinity)),
            ("float64", "-0.0", .float64(-0.0)),
            ("string", "plain words", .string("plain words")),
            ("string", "\"7\"", .string("7")),
            ("string", "\"\"", .string("")),
            ("bytes", "AAH/", .bytes([0, 1, 255])),
            ("bytes", "aGk=", .bytes([104, 105])),
            ("bytes", "\"\"", .bytes([])),
            (
                "timestamp", "\"2013-01-01T05:00:00Z\"",
                .timestamp(Timestamp(microsecondsSince1970: 1_357_016_400_000_000))
            ),
            ("date", "2013-01-01", .date(CalendarDate(daysSince1970: 15_706))),
            ("array<int64>", "[1, 2]", .array([.int64(1), .int64(2)])),
            ("array<string>", "[]", .array([])),
            ("\"vector<float32, 2>\"", "[1, 2.5]", .vector([1, 2.5])),
        ]
        for (type, text, value) in cases {
            let project = try DefinitionLoader.load(files: [
                ("f.yaml", singleFeature("type: \(type), default: \(text)"))
            ])
            #expect(project.featureViews.first?.features.first?.defaultValue == value, "\(type) \(text)")
        }
    }

    @Test func aliasesStandForWhatTheyNameAndKeepItsPlace() throws {
        let text =
            FlightsTree.project + """

                ---
                kind: source
                name: a
                type: push
                columns: &columns [{name: x, type: int64}]
                description: first
                """
        let project = try DefinitionLoader.load(files: [("f.yaml", text)])
        #expect(project.sources.first?.columns.first?.name == "x")
        let shared = """
            kind: project
            name: p
            ---
            kind: feature_view
            name: v
            source: s
            features:
              - {name: x, type: int64, expect: &range {min: 1, max: 5}}
              - {name: y, type: int64, expect: *range}
            ---
            kind: source
            name: s
            type: push
            columns: [{name: x, type: int64}, {name: y, type: int64}]
            """
        let view = try DefinitionLoader.load(files: [("f.yaml", shared)]).featureViews.first
        #expect(view?.features.map(\.expectation?.maximum) == [5, 5])
    }

    @Test func aDirectoryIsReadInTheOrderOfItsPaths() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "definitions-\(UUID())")
        defer { try? FileManager.default.removeItem(at: directory) }
        let files = [
            "b/z.yml": FlightsTree.project, "a/e.yaml": FlightsTree.entities, "a/notes.txt": "kind: nonsense",
            ".hidden/x.yaml": "kind: nonsense",
        ]
        for (path, text) in files {
            let url = directory.appending(path: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: url, atomically: true, encoding: .utf8)
        }
        let paths = try DefinitionLoader.files(below: directory.path()).map { $0.path.suffix(8) }
        #expect(paths == ["a/e.yaml", "/b/z.yml"])
        let project = try DefinitionLoader.load(directory: directory.path())
        #expect(project.entities.count == 3)
    }

    @Test func `a link to a file is read, a device or a pipe is refused by its name`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "definitions-\(UUID())")
        let elsewhere = FileManager.default.temporaryDirectory.appending(path: "definitions-\(UUID()).txt")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer {
            try? FileManager.default.removeItem(at: directory)
            try? FileManager.default.removeItem(at: elsewhere)
        }
        try FlightsTree.project.write(to: elsewhere, atomically: true, encoding: .utf8)
        try FileManager.default.createSymbolicLink(
            at: directory.appending(path: "a.yaml"), withDestinationURL: elsewhere)
        #expect(try DefinitionLoader.load(directory: directory.path()).name == "flights")
        let other = directory.appending(path: "b.yaml")
        try FileManager.default.createSymbolicLink(at: other, withDestinationURL: URL(filePath: "/dev/null"))
        // The device first: who opens a pipe waits for a writer.
        let device = try #require(throws: LarderError.self) {
            try DefinitionLoader.load(directory: directory.path())
        }
        try FileManager.default.removeItem(at: other)
        try #require(mkfifo(other.path(), 0o600) == 0)
        let pipe = #expect(throws: LarderError.self) { try DefinitionLoader.load(directory: directory.path()) }
        for error in [device, pipe] {
            #expect(error?.code == .fileUnreadable)
            #expect(error?.message.hasSuffix("/b.yaml\" is not a regular file") == true, "\(String(describing: error))")
        }
    }

    @Test func aDirectoryThatIsMissingEmptyOrNotTextIsRefused() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "definitions-\(UUID())")
        #expect(throws: LarderError.self) { try DefinitionLoader.load(directory: directory.path()) }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let empty = #expect(throws: LarderError.self) { try DefinitionLoader.load(directory: directory.path()) }
        #expect(empty?.code == .fileUnreadable)
        try Data([0x6B, 0xFF, 0xFE]).write(to: directory.appending(path: "x.yaml"))
        let broken = #expect(throws: LarderError.self) { try DefinitionLoader.load(directory: directory.path()) }
        #expect(broken?.message == "the file is not UTF-8 text")
        #expect(broken?.location?.file.hasSuffix("x.yaml") == true)
    }
}

/// A tree with one view of one feature `x` computed by an expression.
func singleFeature(_ rest: String) -> String {
    """
    kind: project
    name: p
    ---
    kind: source
    name: s
    type: table
    columns: [{name: k, type: string}, {name: t, type: timestamp}]
    timestamp: t
    ---
    kind: feature_view
    name: v
    source: s
    features:
      - {name: x, expr: "1", \(rest)}
    """
}
