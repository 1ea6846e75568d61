import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import OfflineStore
import PostgresClient
import Testing

private let definitions = """
    kind: project
    name: test
    ---
    kind: entity
    name: airport
    join_keys: [{name: origin, type: string}]
    ---
    kind: entity
    name: customer
    join_keys: [{name: customer_id, type: int64}]
    ---
    kind: source
    name: weather
    type: table
    columns: [{name: origin, type: string}, {name: at, type: timestamp}, {name: temp, type: float64}]
    timestamp: at
    ---
    kind: source
    name: customers
    type: table
    columns: [{name: customer_id, type: int64, nullable: false}, {name: tier, type: string}]
    row_key: [customer_id]
    ---
    kind: source
    name: network
    type: table
    columns: [{name: at, type: timestamp}, {name: load, type: int32}]
    timestamp: at
    ---
    kind: feature_view
    name: airport_weather
    entities: [airport]
    source: weather
    ttl: 1h
    features: [{name: temp, type: float64}]
    ---
    kind: feature_view
    name: other_weather
    entities: [airport]
    source: weather
    features: [{name: temp, type: float64}]
    ---
    kind: feature_view
    name: profile
    entities: [customer]
    source: customers
    features: [{name: tier, type: string}]
    ---
    kind: feature_view
    name: state
    source: network
    features: [{name: load, type: int32}]
    ---
    kind: feature_service
    name: both_ends
    features:
      - airport_weather:*
      - {view: airport_weather, as: dest_weather, join_keys: {origin: dest}}
    """

private let weather = """
    origin,at,temp
    JFK,2013-01-01T00:00:00Z,30
    JFK,2013-01-01T02:00:00Z,
    EWR,2013-01-01T00:00:00Z,40

    """

@Suite struct TrainingSetTests {
    /// Applied, ingested and materialized.
    private func withData(_ body: (LarderFixture) async throws -> Void) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            try await larder.ingest("weather", weather)
            try await larder.ingest("customers", "customer_id,tier\n1,gold\n2,\n-3,\"\"\n")
            try await larder.ingest("network", "at,load\n2013-01-01T00:00:00Z,5\n2013-01-01T01:00:00Z,6\n")
            try await larder.materialize()
            try await body(larder)
        }
    }

    private func fullNames() -> TrainingSetOptions {
        var options = TrainingSetOptions()
        options.usesFullFeatureNames = true
        return options
    }

    @Test(arguments: JoinStrategy.allCases)
    func `a spine of several segments is joined as one`(strategy: JoinStrategy) async throws {
        try await withData { larder in
            // In no order of times, and of three views with keys of different types.
            let rows = (0..<5_000).map { row in
                let time = instantOfDay(seconds: row * 7_919 % 14_400)
                return "\(["JFK", "EWR", "LAX"][row % 3]),\(["EWR", "JFK"][row % 2]),\(row % 5 - 3),\(time),\(row)\n"
            }
            let spine = Array("origin,dest,customer_id,event_timestamp,label\n\(rows.joined())".utf8)
            let features: TrainingSetRequest.Features = .references([
                "airport_weather:*", "profile:*", "state:*", "other_weather:*",
            ])
            var resources = TrainingSetResources()
            resources.strategy = strategy
            let whole = try await larder.trainingSet(
                spine: spine, .csv, features, to: .ndjson, options: fullNames(), resources: resources)
            resources.memoryBytes = 1 << 16
            let pieces = try await larder.trainingSet(
                spine: spine, .csv, features, to: .ndjson, options: fullNames(), resources: resources)
            #expect(whole.result.segmentCount == 1 && pieces.result.segmentCount > 3)
            #expect(whole.bytes == pieces.bytes)
            #expect(whole.result.views.allSatisfy { $0.found > 500 }, "\(whole.result.views)")
            #expect(whole.result.views.map(\.found) == pieces.result.views.map(\.found))
        }
    }

    private func instantOfDay(seconds: Int) -> String {
        Timestamp(microsecondsSince1970: 1_356_998_400_000_000 + Int64(seconds) * 1_000_000).description
    }

    @Test func `what nobody has computed is an error, not nulls`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            let spine = Array("origin,event_timestamp\nJFK,2013-01-01T00:30:00Z\n".utf8)
            func make(_ options: TrainingSetOptions = TrainingSetOptions()) async throws -> String {
                let (bytes, _) = try await larder.trainingSet(
                    spine: spine, .csv, .references(["airport_weather:temp"]), to: .csv, options: options)
                return String(decoding: bytes, as: UTF8.self)
            }
            await #expect { try await make() } throws: { ($0 as? LarderError)?.code == .generationNotFilled }
            // What was computed and came out empty tells that there is nothing.
            try await larder.materialize()
            #expect(try await make() == "origin,event_timestamp,temp\nJFK,2013-01-01T00:30:00Z,\n")
            // Before the first write the view was there and nothing was known.
            var past = TrainingSetOptions()
            past.asOf = try instant("2020-01-01T00:00:00Z")
            #expect(try await make(past) == "origin,event_timestamp,temp\nJFK,2013-01-01T00:30:00Z,\n")
            try await larder.ingest("weather", weather)
            try await larder.materialize()
            #expect(try await make() == "origin,event_timestamp,temp\nJFK,2013-01-01T00:30:00Z,30.0\n")

            let second = definitions.replacing(
                "features: [{name: temp, type: float64}]",
                with: "features: [{name: temp, type: float64, expr: temp + 1}]", maxReplacements: 1
            ).replacing("name: airport_weather\n", with: "name: airport_weather\ngeneration: 2\n", maxReplacements: 1)
            try await larder.apply(second)
            func makeSecond(_ options: TrainingSetOptions = TrainingSetOptions()) async throws -> String {
                let (bytes, _) = try await larder.trainingSet(
                    spine: spine, .csv, .references(["airport_weather@2:temp"]), to: .csv, options: options)
                return String(decoding: bytes, as: UTF8.self)
            }
            await #expect { try await makeSecond() } throws: { ($0 as? LarderError)?.code == .generationNotFilled }
            try await larder.materialize()
            #expect(try await makeSecond().hasSuffix(",31.0\n"))
            await #expect { try await makeSecond(past) } throws: {
                ($0 as? LarderError)?.code == .generationNotFilled
            }
        }
    }

    @Test func `a zone is refused for a spine of instants`() async throws {
        try await withData { larder in
            let spine = arrowFile([
                recordBatch([
                    ("origin", .string, [.string("JFK")]),
                    ("event_timestamp", .timestamp, [.timestamp(try instant("2013-01-01T00:30:00Z"))]),
                ])
            ])
            var options = TrainingSetOptions()
            options.timeZone = "America/New_York"
            await #expect {
                try await larder.trainingSet(
                    spine: spine, .arrow, .references(["airport_weather:temp"]), to: .csv, options: options)
            } throws: { ($0 as? LarderError)?.code == .requestInvalid }
        }
    }

    @Test func `one view is joined under two key mappings`() async throws {
        try await withData { larder in
            let (bytes, result) = try await larder.trainingSet(
                spine: Array(
                    "origin,dest,event_timestamp\nJFK,EWR,2013-01-01T00:30:00Z\nLAX,JFK,2013-01-01T00:30:00Z\n".utf8),
                .csv, .service("both_ends"), to: .csv)
            #expect(
                String(decoding: bytes, as: UTF8.self) == """
                    origin,dest,event_timestamp,temp,dest_weather__temp
                    JFK,EWR,2013-01-01T00:30:00Z,30.0,40.0
                    LAX,JFK,2013-01-01T00:30:00Z,,30.0

                    """)
            #expect(result.views.map(\.name) == ["airport_weather", "dest_weather"])
            #expect(result.views.map(\.found) == [1, 2] && result.views.map(\.notFound) == [1, 0])
        }
    }

    @Test func `a view without entity and a static view answer at every time`() async throws {
        try await withData { larder in
            let lines = try await larder.trainingSet(
                spine: """
                    customer_id,event_timestamp
                    1,2012-12-31T23:59:59.999999Z
                    1,2013-01-01T00:00:00Z
                    2,2013-01-01T01:00:00Z
                    -3,2013-06-01T00:00:00Z
                    4,0001-01-01T00:00:00Z

                    """, ["profile:tier", "state:load"])
            #expect(
                lines.dropFirst() == [
                    "1,2012-12-31T23:59:59.999999Z,gold,", "1,2013-01-01T00:00:00Z,gold,5",
                    "2,2013-01-01T01:00:00Z,,6", "-3,2013-06-01T00:00:00Z,\"\",6", "4,0001-01-01T00:00:00Z,,",
                ])
        }
    }

    @Test func `a row of exactly the ttl still counts, and a microsecond older does not`() async throws {
        try await withData { larder in
            let lines = try await larder.trainingSet(
                spine: """
                    origin,event_timestamp
                    EWR,2012-12-31T23:59:59.999999Z
                    EWR,2013-01-01T00:00:00Z
                    EWR,2013-01-01T00:59:59.999999Z
                    EWR,2013-01-01T01:00:00Z
                    EWR,2013-01-01T01:00:00.000001Z

                    """, ["airport_weather:temp"])
            #expect(
                lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false).last ?? "" } == [
                    "", "40.0", "40.0", "40.0", "",
                ])
        }
    }

    @Test func `the newest row's null is the answer`() async throws {
        try await withData { larder in
            let (_, result) = try await larder.trainingSet(
                spine: Array("origin,event_timestamp\nJFK,2013-01-01T02:00:00Z\n".utf8), .csv,
                .references(["airport_weather:temp"]), to: .csv)
            #expect(result.views.first?.found == 1)
        }
    }

    @Test func `rows keep their order, repeats and text, whatever they are written like`() async throws {
        try await withData { larder in
            let spine = """
                label,customer_id,event_timestamp,note,score
                b,002,2013-01-01T02:00:00+01:00,"a,""b""
                c",1.50
                a,1,2013-01-01 00:00:00Z,NULL,007
                a,1,2013-01-01 00:00:00Z,NULL,007
                ,,2013-01-01T00:00:00.5Z,"",1e3
                é,1,2012-01-01T00:00:00Z,NaN,-0

                """
            let (bytes, result) = try await larder.trainingSet(
                spine: Array(spine.utf8), .csv, .references(["profile:tier"]), to: .csv)
            #expect(
                String(decoding: bytes, as: UTF8.self) == """
                    label,customer_id,event_timestamp,note,score,tier
                    b,002,2013-01-01T02:00:00+01:00,"a,""b""
                    c",1.50,
                    a,1,2013-01-01 00:00:00Z,NULL,007,gold
                    a,1,2013-01-01 00:00:00Z,NULL,007,gold
                    ,,2013-01-01T00:00:00.5Z,"",1e3,
                    é,1,2012-01-01T00:00:00Z,NaN,-0,gold

                    """)
            #expect(result.rowCount == 5)
            #expect(result.views.first?.invalidKey == 1)
        }
    }

    @Test func `a line of an NDJSON spine with a member that the first lacks is an error naming both`() async throws {
        try await withData { larder in
            let first = #"{"customer_id":1,"event_timestamp":"2013-01-01T00:00:00Z","label":"a"}"#
            func make(_ line: String) async throws -> [Substring] {
                let (bytes, _) = try await larder.trainingSet(
                    spine: Array("\(first)\n\(line)\n".utf8), .ndjson, .references(["profile:tier"]), to: .csv)
                return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            }
            let error = await #expect(throws: LarderError.self) {
                _ = try await make(
                    #"{"customer_id":1,"event_timestamp":"2013-01-01T00:00:00Z","label":"b","weight":2}"#)
            }
            #expect(error?.code == .spineInvalid && error?.rows.count == 1)
            let reason = try #require(error?.rows.first)
            #expect(reason.line == 2 && reason.feature == "weight" && reason.code == "extra_field")
            #expect(error?.hint?.contains("members of the first line") == true)
            // One that lacks a member has a null.
            let lines = try await make(#"{"event_timestamp":"2013-01-01T00:00:00Z","customer_id":1}"#)
            #expect(
                lines == [
                    "customer_id,event_timestamp,label,tier", "1,2013-01-01T00:00:00Z,a,gold",
                    "1,2013-01-01T00:00:00Z,,gold",
                ])
        }
    }

    @Test func `columns of CSV have types in Arrow and NDJSON`() async throws {
        try await withData { larder in
            let spine = Array("customer_id,event_timestamp,label,code,share\n1,2013-01-01T00:00:00Z,3,007,0.5\n".utf8)
            let arrow = try await larder.trainingSet(
                spine: spine, .csv, .references(["profile:tier", "state:load"]), to: .arrow)
            let batch = try #require(try arrowRows(arrow.bytes).first)
            #expect(
                batch.fields.map { "\($0.name) \($0.type)" } == [
                    "customer_id int64", "event_timestamp timestamp", "label int64", "code string", "share float64",
                    "tier string", "load int32",
                ])
            #expect(
                batch.columns.map { $0[0] } == [
                    .int64(1), .timestamp(try instant("2013-01-01T00:00:00Z")), .int64(3), .string("007"),
                    .float64(0.5),
                    .string("gold"), .int32(5),
                ])
            let lines = try await larder.trainingSet(spine: spine, .csv, .references(["profile:tier"]), to: .ndjson)
            #expect(
                String(decoding: lines.bytes, as: UTF8.self)
                    == #"{"customer_id":1,"event_timestamp":"2013-01-01T00:00:00Z","label":3,"code":"007","share":0.5,"tier":"gold"}"#
                    + "\n")
        }
    }

    @Test(arguments: [FrameFormat.arrow, .arrows, .ndjson, .csv])
    func `an Arrow spine of several batches gives the same rows in every format`(format: FrameFormat) async throws {
        try await withData { larder in
            let time = try instant("2013-01-01T00:00:00Z")
            // int32 keys are the same entities as int64 ones.
            let batches = [[1, 2], [], [-3, 9]].map { ids in
                recordBatch([
                    ("customer_id", .int32, ids.map { .int32(Int32($0)) }),
                    ("event_timestamp", .timestamp, ids.map { _ in .timestamp(time) }),
                    ("extra", .array(.string), ids.map { .array([.string("row \($0)")]) }),
                ])
            }
            let (bytes, result) = try await larder.trainingSet(
                spine: arrowFile(batches), .arrow, .references(["profile:tier"]), to: format)
            #expect(result.rowCount == 4)
            let tiers: [Value] = [.string("gold"), .null, .string(""), .null]
            switch format {
            case .arrow, .arrows:
                let rows = try arrowRows(bytes)
                #expect(rows.first?.fields.map(\.type) == [.int32, .timestamp, .array(.string), .string])
                #expect(rows.flatMap { batch in (0..<batch.rowCount).map { batch.columns[3][$0] } } == tiers)
            case .ndjson:
                let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                #expect(lines.count == 4)
                #expect(
                    lines.last
                        == #"{"customer_id":9,"event_timestamp":"2013-01-01T00:00:00Z","extra":["row 9"],"tier":null}"#)
            case .csv:
                #expect(
                    String(decoding: bytes, as: UTF8.self).hasSuffix(
                        #"-3,2013-01-01T00:00:00Z,"[""row -3""]","""# + "\n"
                            + #"9,2013-01-01T00:00:00Z,"[""row 9""]","# + "\n"))
            }
        }
    }

    @Test func `a spine without rows gives the header`() async throws {
        try await withData { larder in
            let lines = try await larder.trainingSet(spine: "customer_id,event_timestamp\n", ["profile:tier"])
            #expect(lines == ["customer_id,event_timestamp,tier"])
            let empty = recordBatch([("customer_id", .int64, []), ("event_timestamp", .timestamp, [])])
            let (bytes, result) = try await larder.trainingSet(
                spine: arrowFile([empty]), .arrow, .references(["profile:tier"]), to: .csv)
            #expect(String(decoding: bytes, as: UTF8.self) == "customer_id,event_timestamp,tier\n")
            #expect(result.rowCount == 0)
        }
    }

    @Test func `full names and each view's time are written on request`() async throws {
        try await withData { larder in
            var options = fullNames()
            options.includesTimestamps = true
            let lines = try await larder.trainingSet(
                spine: "origin,customer_id,event_timestamp\nJFK,1,2013-01-01T00:30:00Z\nEWR,1,2013-01-01T03:00:00Z\n",
                ["airport_weather:temp", "profile:tier"], options: options)
            #expect(
                lines == [
                    "origin,customer_id,event_timestamp,airport_weather__event_timestamp,profile__event_timestamp,"
                        + "airport_weather__temp,profile__tier",
                    // Static data has no time; a row outside its maximum age still has one.
                    "JFK,1,2013-01-01T00:30:00Z,2013-01-01T00:00:00Z,,30.0,gold",
                    "EWR,1,2013-01-01T03:00:00Z,2013-01-01T00:00:00Z,,,gold",
                ])
        }
    }

    @Test func `equal names are refused naming both, and full names tell them apart`() async throws {
        try await withData { larder in
            let spine = "origin,event_timestamp\nJFK,2013-01-01T00:00:00Z\n"
            let error = try await thrownError {
                _ = try await larder.trainingSet(spine: spine, ["airport_weather:temp", "other_weather:temp"])
            }
            #expect(error.code == .ambiguousFeatureNames)
            #expect(error.message.contains("airport_weather:temp") && error.message.contains("other_weather:temp"))
            let lines = try await larder.trainingSet(
                spine: spine, ["airport_weather:temp", "other_weather:temp"], options: fullNames())
            #expect(lines.last == "JFK,2013-01-01T00:00:00Z,30.0,30.0")
            let taken = try await thrownError {
                _ = try await larder.trainingSet(
                    spine: "origin,event_timestamp,temp\nJFK,2013-01-01T00:00:00Z,1\n", ["airport_weather:temp"])
            }
            #expect(taken.code == .ambiguousFeatureNames && taken.message.contains("\"temp\""))
        }
    }

    @Test(arguments: [
        (
            "customer_id,event_timestamp\n1,2013-01-01T00:00:00Z\n2,\n", ErrorCode.spineInvalid,
            ["event_timestamp", "row 2 (line 3)"]
        ),
        (
            "customer_id,event_timestamp\n1,2013-01-01T00:00:00\n", .spineInvalid,
            ["event_timestamp", "row 1 (line 2)", "--timezone"]
        ),
        (
            "customer_id,event_timestamp\nx,2013-01-01T00:00:00Z\n", .spineInvalid,
            ["customer_id", "row 1 (line 2)", "\"x\""]
        ),
        ("event_timestamp\n2013-01-01T00:00:00Z\n", .columnMissing, ["customer_id"]),
        ("customer_id,time\n1,2013-01-01T00:00:00Z\n", .columnMissing, ["event_timestamp"]),
    ])
    func `a spine that lacks something is refused naming column and row`(
        spine: String, code: ErrorCode, words: [String]
    ) async throws {
        try await withData { larder in
            let error = try await thrownError { _ = try await larder.trainingSet(spine: spine, ["profile:tier"]) }
            #expect(error.code == code)
            for word in words { #expect(error.description.contains(word), "\(error)") }
        }
    }

    @Test func `a typed spine is refused for a null time, a missing key and a key of another type`() async throws {
        try await withData { larder in
            let time = Value.timestamp(try instant("2013-01-01T00:00:00Z"))
            let cases: [(RecordBatch, ErrorCode, String)] = [
                (
                    recordBatch([
                        ("customer_id", .int64, [.int64(1), .int64(2)]),
                        ("event_timestamp", .timestamp, [time, .null]),
                    ]), .spineInvalid, "row 2"
                ),
                (recordBatch([("event_timestamp", .timestamp, [time])]), .joinKeyMissing, "customer_id"),
                (
                    recordBatch([("customer_id", .string, [.string("1")]), ("event_timestamp", .timestamp, [time])]),
                    .joinKeyType, "customer_id"
                ),
                (
                    recordBatch([("customer_id", .int64, [.int64(1)]), ("event_timestamp", .string, [.string("x")])]),
                    .columnType, "event_timestamp"
                ),
                (recordBatch([("customer_id", .int64, [.int64(1)])]), .columnMissing, "event_timestamp"),
            ]
            for (batch, code, word) in cases {
                let error = try await thrownError {
                    _ = try await larder.trainingSet(
                        spine: arrowFile([batch]), .arrow, .references(["profile:tier"]), to: .csv)
                }
                #expect(error.code == code)
                #expect(error.message.contains(word), "\(error)")
            }
        }
    }

    @Test func `a column of a spine that has no type is refused with the type to write it as`() async throws {
        try await withData { larder in
            // Of pyarrow's, with a column of its pa.null().
            let file = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../ArrowIPCTests/Fixtures/widths.arrows")
            let spine = Array(try Data(contentsOf: file))
            var options = TrainingSetOptions()
            options.timestampColumn = "nulls"
            let error = try await thrownError {
                _ = try await larder.trainingSet(
                    spine: spine, .arrows, .references(["profile:tier"]), to: .csv, options: options)
            }
            #expect(error.code == .columnType)
            #expect(error.message.contains(#"column "nulls" of spine"#), "\(error)")
            #expect(error.message.contains("is of no type (Arrow's Null, pa.null() in pyarrow), not timestamp"))
            #expect(error.hint == "write the column as timestamp, also where it holds nothing but nulls")
        }
    }

    @Test func `the output appears whole or not at all`() async throws {
        try await withData { larder in
            let folder = FileManager.default.temporaryDirectory.appending(path: "set-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let target = folder.appending(path: "set.csv").path()
            try Data("as it was".utf8).write(to: URL(filePath: target))
            func create(_ features: [String]) async throws {
                _ = try await larder.withTemporaryFile("customer_id,event_timestamp\n1,2013-01-01T00:00:00Z\n") {
                    spine in
                    try await CreateTrainingSet(stores: larder.stores).run(
                        .init(
                            trainingSet: .init(features: .references(features)), spine: .file(path: spine, .csv),
                            outputPath: target, outputFormat: .csv),
                        in: try await larder.project())
                }
            }
            // The join fails after the output was opened.
            let table = try await larder.offlineTable("profile")
            _ = try await larder.stores.owner.withConnection {
                try await $0.execute("ALTER TABLE \(query: table) RENAME k1 TO k9")
            }
            _ = try await thrownError { try await create(["profile:tier"]) }
            #expect(try String(contentsOfFile: target, encoding: .utf8) == "as it was")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()) == ["set.csv"])
            _ = try await larder.stores.owner.withConnection {
                try await $0.execute("ALTER TABLE \(query: table) RENAME k9 TO k1")
            }
            try await create(["profile:tier"])
            #expect(
                try String(contentsOfFile: target, encoding: .utf8)
                    == "customer_id,event_timestamp,tier\n1,2013-01-01T00:00:00Z,gold\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()) == ["set.csv"])
        }
    }

    @Test func `rows of an older version have a new feature's default until they are computed again`() async throws {
        try await withData { larder in
            try await larder.apply(
                definitions.replacingOccurrences(
                    of: "features: [{name: tier, type: string}]",
                    with:
                        "features: [{name: tier, type: string}, {name: is_gold, type: bool, expr: tier = 'gold', default: false}]"
                ))
            let spine =
                "customer_id,event_timestamp\n1,2013-01-01T00:00:00Z\n2,2013-01-01T00:00:00Z\n9,2013-01-01T00:00:00Z\n"
            let references = ["profile:tier", "profile:is_gold", "profile@1:tier"]
            let before = try await larder.trainingSet(spine: spine, Array(references.prefix(2)))
            #expect(
                before.dropFirst() == [
                    "1,2013-01-01T00:00:00Z,gold,false", "2,2013-01-01T00:00:00Z,,false", "9,2013-01-01T00:00:00Z,,",
                ])
            try await larder.materialize(["profile"])
            let after = try await larder.trainingSet(spine: spine, Array(references.prefix(2)))
            // Computed to null is null, not the default.
            #expect(
                after.dropFirst() == [
                    "1,2013-01-01T00:00:00Z,gold,true", "2,2013-01-01T00:00:00Z,,", "9,2013-01-01T00:00:00Z,,",
                ])
            let old = try await larder.trainingSet(spine: spine, ["profile@1:tier"])
            #expect(old.dropFirst().first == "1,2013-01-01T00:00:00Z,gold")
        }
    }
}
