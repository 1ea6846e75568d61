import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import OfflineStore
import PostgresClient
import Testing
import TextFormats

private let definitions = """
    \(Orders.head)
    kind: feature_view
    name: spending
    entities: [customer]
    source: orders
    ttl: 1d
    features: [{name: amount, type: float64}]
    """

private let orders = """
    customer_id,at,amount
    1,2013-01-01T00:00:00Z,10
    1,2013-01-01T02:00:00Z,12
    2,2013-01-01T01:00:00Z,20

    """

private let spine = """
    customer_id,event_timestamp,label
    1,2013-01-01T01:00:00Z,7
    2,2013-01-01T03:00:00Z,8
    1,2013-01-01T03:00:00Z,9
    3,2013-01-01T03:00:00Z,

    """

/// Training sets as of a past time, kept under a name and made again, and frames without a spine.
@Suite struct SavedTrainingSetTests {
    private func withData(_ body: (LarderFixture) async throws -> Void) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            try await larder.ingest("orders", orders)
            try await larder.materialize()
            try await body(larder)
        }
    }

    private func make(
        _ larder: LarderFixture, _ spine: CreateTrainingSet.Spine, name: String? = nil,
        options: TrainingSetOptions = TrainingSetOptions(), maximumEntities: Int = 10_000,
        _ strategy: JoinStrategy? = nil
    ) async throws -> (lines: [String], report: TrainingSetReport) {
        var resources = TrainingSetResources()
        resources.strategy = strategy
        resources.maximumEntities = maximumEntities
        let path = FileManager.default.temporaryDirectory.appending(path: "out-\(UUID().uuidString).csv").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let report = try await CreateTrainingSet(stores: larder.stores).run(
            .init(
                trainingSet: .init(
                    features: .references(["spending:amount"]), options: options, resources: resources, name: name),
                spine: spine, outputPath: path, outputFormat: .csv),
            in: try await larder.project())
        return (try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init), report)
    }

    private func makeFromFile(
        _ larder: LarderFixture, name: String? = nil, options: TrainingSetOptions = TrainingSetOptions(),
        _ strategy: JoinStrategy? = nil
    ) async throws -> (lines: [String], report: TrainingSetReport) {
        try await larder.withTemporaryFile(spine) { path in
            try await make(larder, .file(path: path, .csv), name: name, options: options, strategy)
        }
    }

    private func reproduce(
        _ name: String, _ larder: LarderFixture
    ) async throws -> (SavedTrainingSets.Reproduction, lines: [String]) {
        var bytes: [UInt8] = []
        let made = try await SavedTrainingSets(stores: larder.stores).reproduce(
            named: name, in: try await larder.project(), format: .csv, write: { bytes += $0 })
        return (made, String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    private let later = """
        customer_id,at,amount
        1,2013-01-01T00:30:00Z,99
        1,2013-01-01T02:00:00Z,13
        3,2013-01-01T00:00:00Z,30

        """

    @Test func `a kept training set comes out the same after late data, corrections and a new version`() async throws {
        try await withData { larder in
            let (lines, report) = try await makeFromFile(larder, name: "first")
            #expect(lines.last == "3,2013-01-01T03:00:00Z,," && lines[1].hasSuffix(",7,10.0"))
            let saved = try #require(report.saved)
            #expect(saved.rowCount == 4 && saved.contentHash.count == 64)

            try await larder.ingest("orders", later)
            try await larder.materialize()
            try await larder.apply(
                definitions.replacingOccurrences(
                    of: "features: [{name: amount, type: float64}]",
                    with: "features: [{name: amount, type: float64}, {name: cents, type: float64, expr: amount * 100}]")
            )
            try await larder.materialize()

            let now = try await makeFromFile(larder)
            #expect(now.lines[1].hasSuffix(",7,99.0") && now.lines[3].hasSuffix(",9,13.0"))
            let (made, again) = try await reproduce("first", larder)
            #expect(made.isSame && again == lines)
        }
    }

    @Test func `changing one offline row by hand changes the content of a kept training set`() async throws {
        try await withData { larder in
            _ = try await makeFromFile(larder, name: "first")
            let table = try await larder.offlineTable("spending")
            _ = try await larder.stores.owner.withConnection {
                try await $0.execute("UPDATE \(query: table) SET f1 = f1 + 1 WHERE k1 = 2")
            }
            #expect(try await reproduce("first", larder).0.isSame == false)
        }
    }

    @Test func `a name is taken once, and what it holds on to is not dropped until it is deleted`() async throws {
        try await withData { larder in
            _ = try await makeFromFile(larder, name: "first")
            let error = await #expect(throws: LarderError.self) { _ = try await makeFromFile(larder, name: "first") }
            #expect(error?.code == .trainingSetExists)
            let sets = SavedTrainingSets(stores: larder.stores)
            #expect(try await sets.list(in: larder.project()).map(\.name) == ["first"])
            let missing = await #expect(throws: LarderError.self) {
                _ = try await sets.trainingSet(named: "frist", in: larder.project())
            }
            #expect(missing?.code == .trainingSetNotFound && missing?.hint?.contains("first") == true)
            try await larder.apply(
                definitions.replacingOccurrences(of: "ttl: 1d", with: "ttl: 1d\ngeneration: 2"))
            try await larder.materialize()
            let refusal = await #expect(throws: LarderError.self) {
                _ = try await DropGeneration(stores: larder.stores).run(
                    view: "spending", generation: 1, in: try await larder.project())
            }
            #expect(refusal?.code == .trainingSetNeedsGeneration)
            try await sets.delete(named: "first", in: larder.project())
            #expect(try await sets.list(in: larder.project()).isEmpty)
            let rest = try await larder.value("SELECT count(*) FROM larder.training_set_spine", as: Int64.self)
            #expect(rest == 0)
        }
    }

    @Test func `as of a past time, what arrived later is not seen, and neither are its withdrawals`() async throws {
        try await withData { larder in
            let then = try await larder.value("SELECT clock_timestamp()", as: PostgresTimestamp.self)
            let before = try await makeFromFile(larder).lines
            try await larder.ingest("orders", later)
            try await larder.materialize()
            var options = TrainingSetOptions()
            options.asOf = Timestamp(microsecondsSince1970: then.microsecondsSince1970)
            for strategy in JoinStrategy.allCases {
                #expect(try await makeFromFile(larder, options: options, strategy).lines == before, "\(strategy)")
            }
            options.asOf = Timestamp(microsecondsSince1970: then.microsecondsSince1970 + 3_600_000_000)
            let error = await #expect(throws: LarderError.self) { _ = try await makeFromFile(larder, options: options) }
            #expect(error?.code == .asOfNotSettled)
        }
    }

    @Test func `as of a time, a write between its stamp and its commit is waited for`() async throws {
        try await withData { larder in
            let (opened, open) = AsyncStream<Timestamp>.makeStream()
            async let write: Void = larder.stores.owner.withTransaction { connection in
                try await connection.execute("LOCK TABLE larder.write IN ROW EXCLUSIVE MODE")
                let stamp = try await connection.query("SELECT clock_timestamp() AS now")
                    .onlyValue(as: PostgresTimestamp.self)
                open.yield(Timestamp(microsecondsSince1970: stamp.microsecondsSince1970))
                try await Task.sleep(for: .milliseconds(400))
            }
            var options = TrainingSetOptions()
            for await stamp in opened.prefix(1) { options.asOf = stamp }
            let start = ContinuousClock.now
            _ = try await makeFromFile(larder, options: options)
            #expect(ContinuousClock.now - start > .milliseconds(300))
            try await write
        }
    }

    @Test func `without a spine every change in the range is a row, as of its time`() async throws {
        try await withData { larder in
            let start = try #require(Timestamp("2013-01-01T00:30:00Z"))
            let end = try #require(Timestamp("2013-01-01T02:00:00Z"))
            let lines = try await make(larder, .changes(from: start, through: end)).lines
            #expect(
                lines == [
                    "customer_id,event_timestamp,amount", "1,2013-01-01T02:00:00Z,12.0", "2,2013-01-01T01:00:00Z,20.0",
                ])
        }
    }

    /// All changes of 2013, of the entities named.
    private func changes(_ keys: EntityKeys?) throws -> CreateTrainingSet.Spine {
        let start = try #require(Timestamp("2013-01-01T00:00:00Z"))
        let end = try #require(Timestamp("2014-01-01T00:00:00Z"))
        return .changes(from: start, through: end, keys: keys)
    }

    private func customers(_ values: [JSONValue], valuesAreText: Bool = false) -> EntityKeys {
        EntityKeys([.init(name: "customer_id", values: values)], valuesAreText: valuesAreText)
    }

    @Test func `without a spine, the changes of named entities are rows and those of others are not`() async throws {
        try await withData { larder in
            let header = "customer_id,event_timestamp,amount"
            let first = ["1,2013-01-01T00:00:00Z,10.0", "1,2013-01-01T02:00:00Z,12.0"]
            let second = ["2,2013-01-01T01:00:00Z,20.0"]
            let cases: [(keys: EntityKeys?, rows: [String])] = [
                (nil, first + second), (customers([.integer(1)]), first),
                (customers([.string("2")], valuesAreText: true), second),
                (customers([.integer(2), .integer(9), .integer(1), .integer(2)]), first + second), (customers([]), []),
            ]
            for (keys, rows) in cases {
                let lines = try await make(larder, try changes(keys)).lines
                #expect(lines == [header] + rows, "\(String(describing: keys))")
            }
        }
    }

    @Test func `entities of several keys of all types are found, whatever their text`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(
                """
                kind: project
                name: test
                ---
                kind: entity
                name: place
                join_keys:
                  - {name: code, type: string}
                  - {name: opened_on, type: date}
                  - {name: is_open, type: bool}
                  - {name: mark, type: bytes}
                ---
                kind: source
                name: orders
                type: table
                columns:
                  - {name: code, type: string}
                  - {name: opened_on, type: date}
                  - {name: is_open, type: bool}
                  - {name: mark, type: bytes}
                  - {name: at, type: timestamp}
                  - {name: amount, type: float64}
                timestamp: at
                ---
                kind: feature_view
                name: spending
                entities: [place]
                source: orders
                features: [{name: amount, type: float64}]
                """)
            try await larder.ingest(
                "orders",
                #"""
                code,opened_on,is_open,mark,at,amount
                "it's ""a,b""\{}",2013-01-01,true,AP8=,2013-01-01T00:00:00Z,1
                NULL,2013-01-02,false,QQ==,2013-01-01T00:00:00Z,2
                "",2013-01-03,true,QQ==,2013-01-01T00:00:00Z,3
                NULL,2013-01-03,true,QQ==,2013-01-01T00:00:00Z,4

                """#)
            try await larder.materialize()
            // The last one is put together of parts of others, and is nowhere.
            let marks = ["AP8=", "QQ==", "QQ==", "QQ=="].map { JSONValue.string($0) }
            let states = [true, false, true, false].map { JSONValue.bool($0) }
            let days = ["2013-01-01", "2013-01-02", "2013-01-03", "2013-01-03"].map { JSONValue.string($0) }
            let codes = [#"it's "a,b"\{}"#, "NULL", "", "NULL"].map { JSONValue.string($0) }
            let keys = EntityKeys([
                .init(name: "mark", values: marks), .init(name: "is_open", values: states),
                .init(name: "opened_on", values: days), .init(name: "code", values: codes),
            ])
            let (lines, report) = try await make(larder, try changes(keys), name: "places")
            #expect(lines.dropFirst().map { $0.split(separator: ",").last } == ["3.0", "2.0", "1.0"])
            let entities = try #require(report.saved).request["changes"]?["entities"]
            #expect(entities?["mark"]?.serialized() == Array(#"["AP8=","QQ==","QQ==","QQ=="]"#.utf8))
            #expect(entities?["is_open"]?.serialized() == Array("[true,false,true,false]".utf8))
        }
    }

    @Test func `named entities that do not fit are refused with what is wrong with them`() async throws {
        try await withData { larder in
            let cases: [(keys: EntityKeys, code: ErrorCode, word: String)] = [
                (EntityKeys([.init(name: "customer", values: [.integer(1)])]), .joinKeyMissing, "customer_id"),
                (
                    EntityKeys([
                        .init(name: "customer_id", values: [.integer(1)]), .init(name: "page", values: [.integer(1)]),
                    ]), .requestInvalid, "\"page\""
                ),
                (customers([.integer(1), .string("2")]), .joinKeyType, "position 1"),
                (customers([.string("two")], valuesAreText: true), .joinKeyType, "position 0"),
                (customers([.integer(1), .null]), .joinKeyType, "null at position 1"),
                (customers([.integer(1), .integer(2), .integer(3)]), .tooManyEntities, "3 entities are more than 2"),
            ]
            for (keys, code, word) in cases {
                let error = await #expect(throws: LarderError.self) {
                    _ = try await make(larder, try changes(keys), maximumEntities: 2)
                }
                #expect(error?.code == code, "\(String(describing: error))")
                #expect(error?.message.contains(word) == true, "\(String(describing: error))")
            }
            let one = try await make(larder, try changes(customers([.integer(1)])), maximumEntities: 1)
            #expect(one.lines.count == 3)
        }
    }

    @Test func `a kept frame without a spine stores its range and entities, and is reproduced`() async throws {
        try await withData { larder in
            let spine = try changes(customers([.integer(1)]))
            let (lines, report) = try await make(larder, spine, name: "changes")
            let stored = try #require(report.saved).request["changes"]
            #expect(stored?["start"] == JSONValue.string("2013-01-01T00:00:00Z"))
            #expect(stored?["end"] == JSONValue.string("2014-01-01T00:00:00Z"))
            #expect(stored?["entities"]?["customer_id"] == JSONValue.array([.integer(1)]))
            try await larder.ingest("orders", later)
            try await larder.materialize()
            let (made, again) = try await reproduce("changes", larder)
            #expect(made.isSame && again == lines)
            let now = try await make(larder, spine).lines
            #expect(now.count == lines.count + 1 && now.last == "1,2013-01-01T02:00:00Z,13.0")
        }
    }

    @Test func `a plan names the training sets that were made from what it changes and removes`() async throws {
        let counts = "kind: feature_view\nname: counts\nentities: [customer]\nsource: orders\ndescription: "
        let first = "\(definitions)\n---\n\(counts)a few\nfeatures: [{name: amount, type: float64}]"
        let second = first.replacing("ttl: 1d", with: "ttl: 1d\ngeneration: 2").replacing("a few", with: "many")
        try await withData { larder in
            try await larder.apply(first)
            for name in ["later", "earlier"] { _ = try await makeFromFile(larder, name: name) }
            func plan(_ text: String, allowRemovals: Bool = false) async throws -> Plan {
                let definition = try DefinitionLoader.load(files: [(path: "test.yaml", text: text)])
                return try await ApplyDefinitions(stores: larder.stores)
                    .plan(definition, allowRemovals: allowRemovals)
            }
            func touched(_ view: String, by plan: Plan) throws -> [String] {
                let change = plan.changes.first { $0.kind == .featureView && $0.name == view }
                return try #require(change, "\(plan.lines)").touchedTrainingSets
            }
            let unchanged = try await plan(first)
            #expect(unchanged.isNoOp)
            #expect(unchanged.changes.allSatisfy { $0.touchedTrainingSets.isEmpty })
            let changed = try await plan(second)
            #expect(try touched("spending", by: changed) == ["earlier", "later"])
            #expect(changed.lines.contains("    training sets made from it: \"earlier\", \"later\""))
            #expect(changed.changes.contains { $0.name == "counts" && $0.action == .changed })
            #expect(try touched("counts", by: changed).isEmpty)
            let start = try #require(first.range(of: "kind: feature_view\nname: spending"))
            let end = try #require(first.range(of: counts))
            let removed = try await plan(
                first.replacingCharacters(in: start.lowerBound..<end.lowerBound, with: ""), allowRemovals: true)
            #expect(try touched("spending", by: removed) == ["earlier", "later"])
            try await SavedTrainingSets(stores: larder.stores).delete(named: "later", in: try await larder.project())
            let applied = try await larder.apply(second)
            #expect(try touched("spending", by: applied) == ["earlier"])
        }
    }

    @Test func `a query can be the spine, and one that is more than a query is refused`() async throws {
        try await withData { larder in
            let sql =
                "SELECT customer_id, at + interval '1 hour' AS event_timestamp, amount AS label FROM orders -- all"
            let lines = try await make(larder, .sql(sql)).lines.sorted()
            #expect(lines.first == "1,2013-01-01T01:00:00Z,10.0,10.0" && lines.count == 4)
            for bad in [
                "SELECT 1) TO STDOUT; SELECT (1", "DELETE FROM orders", "SELECT FROM nothing", "SELECT 1; SELECT 2",
            ] {
                let error = await #expect(throws: LarderError.self) { _ = try await make(larder, .sql(bad)) }
                #expect(error?.code == .spineInvalid, "\(bad): \(String(describing: error))")
            }
        }
    }

    @Test func `a query that goes wrong on its way is refused, and one that writes leaves nothing`() async throws {
        try await withData { larder in
            let row = "SELECT customer_id, at AS event_timestamp, amount AS label"
            for bad in [
                "\(row) / (random() * 0) FROM orders",
                "SELECT customer_id, '294276-12-31'::timestamptz AS event_timestamp FROM orders",
                "SELECT customer_id, at AS event_timestamp, set_config('role', 'larder_writer', false) AS x FROM orders",
                "SELECT customer_id, at AS event_timestamp, set_config('client_encoding', 'LATIN1', false) AS x, 'é' AS y FROM orders",
            ] {
                let error = await #expect(throws: LarderError.self) { _ = try await make(larder, .sql(bad)) }
                #expect(error?.code == .spineInvalid, "\(bad): \(String(describing: error))")
            }
            let written = "\(row), lo_from_bytea(0, 'abc')::text AS object FROM orders"
            let writing = try await make(larder, .sql(written)).lines
            #expect(writing.count == 4)
            let objects = try await larder.value("SELECT count(*) FROM pg_largeobject_metadata", as: Int64.self)
            #expect(objects == 0)
            // The session that did all this is as good as new.
            let again = try await make(larder, .sql("\(row) FROM orders")).lines
            #expect(again.count == 4)
        }
    }

    @Test func `a split by shares depends on seed and row, a split by time on the time`() async throws {
        try await withData { larder in
            func parts(_ split: TrainingSetSplit) async throws -> [Substring] {
                var options = TrainingSetOptions()
                options.split = split
                return try await makeFromFile(larder, options: options).lines.dropFirst()
                    .compactMap { $0.split(separator: ",").last }
            }
            let halves: (UInt64) throws -> TrainingSetSplit = { try TrainingSetText.split("a=0.5,b=0.5", seed: $0) }
            let first = try await parts(halves(1))
            #expect(try await parts(halves(1)) == first)
            var others: Set<[Substring]> = []
            for seed in 2...8 as ClosedRange<UInt64> { others.insert(try await parts(halves(seed))) }
            #expect(others.count > 2)
            let byTime = try TrainingSetText.split("train=2013-01-01T02:00:00Z,test", seed: 0)
            #expect(try await parts(byTime) == ["train", "test", "test", "test"])
            #expect(throws: LarderError.self) { try TrainingSetText.split("a=0.5,b=0.6", seed: 0) }
            #expect(throws: LarderError.self) { try TrainingSetText.split("a", seed: 0) }
        }
    }

    @Test func `another ttl for one request, and an unknown view in it is an error`() async throws {
        try await withData { larder in
            var options = TrainingSetOptions()
            options.ttlOfView = ["spending": 3_600_000_000]
            let lines = try await makeFromFile(larder, options: options).lines
            #expect(lines[1].hasSuffix(",10.0") && lines[2].hasSuffix(",8,") && lines[3].hasSuffix(",12.0"))
            options.ttlOfView = ["spendings": nil]
            let error = await #expect(throws: LarderError.self) { _ = try await makeFromFile(larder, options: options) }
            #expect(error?.code == .requestInvalid)
        }
    }
}
