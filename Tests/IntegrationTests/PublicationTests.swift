import FeatureCodec
import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import OfflineStore
import OnlineStore
import PostgresClient
import RedisClient
import TestSupport
import Testing
import TextFormats

private func definitions(rowKey: String = "", filter: String = "", features: String = "") -> String {
    """
    kind: project
    name: test
    ---
    kind: entity
    name: sensor
    join_keys: [{name: id, type: int64}]
    ---
    kind: source
    name: readings
    type: table
    columns: [{name: id, type: int64, nullable: false}, {name: at, type: timestamp}, {name: level, type: int32}]
    timestamp: at
    \(rowKey.isEmpty ? "" : "row_key: [\(rowKey)]")
    ---
    kind: source
    name: places
    type: table
    columns: [{name: id, type: int64, nullable: false}, {name: town, type: string}]
    ---
    kind: feature_view
    name: levels
    entities: [sensor]
    source: readings
    \(filter.isEmpty ? "" : "where: \(filter)")
    features:
      - {name: level, type: int32}
    \(features)
    ---
    kind: feature_view
    name: towns
    entities: [sensor]
    source: places
    features: [{name: town, type: string}]
    """
}

private let header = "id,at,level\n"

@Suite struct PublicationTests {
    private let both: Set<MaterializationStage> = [.offline, .online]
    private let noon = Timestamp(microsecondsSince1970: 1_388_577_600_000_000)  // 2014-01-01T12:00:00Z

    private func withSensors(
        _ definitions: String = definitions(), _ body: (LarderFixture) async throws -> Void
    ) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            try await body(larder)
        }
    }

    @discardableResult
    private func move(
        _ larder: LarderFixture, _ views: [String] = ["levels"], bounds: EventTimeBounds = .none,
        stages: Set<MaterializationStage>? = nil, isFull: Bool = false
    ) async throws -> OnlineWriteCounts? {
        try await larder.materialize(views, bounds: bounds, isFull: isFull, stages: stages ?? both).first?.online
    }

    private func level(
        _ larder: LarderFixture, _ id: Int64 = 1, feature: String = "level", at now: Timestamp? = nil
    ) async throws -> String {
        let (value, status) = try await larder.online(
            "levels:\(feature)", [.init(name: "id", values: [.integer(id)])], at: now ?? noon)
        return "\(value) \(status.rawValue)"
    }

    /// Every online value there is, by its key.
    private func values(_ larder: LarderFixture) async throws -> [[UInt8]: [UInt8]] {
        let redis = larder.stores.redis
        let found = try #require(try await redis.execute(RedisCommand("KEYS", "*")).elements).compactMap(\.bytes)
        let keys = found.filter { key in
            if case .entity? = try? OnlineKey(bytes: key) { true } else { false }
        }
        var values: [[UInt8]: [UInt8]] = [:]
        for start in stride(from: 0, to: keys.count, by: 1_000) {
            let part = keys[start..<min(start + 1_000, keys.count)]
            let reply = try await redis.execute(RedisCommand("MGET", part.map { .bytes($0) }))
            for (key, value) in zip(part, try #require(reply.elements)) { values[key] = value.bytes }
        }
        return values
    }

    @Test func `only what has changed since is published`() async throws {
        try await withSensors { larder in
            try await larder.ingest("readings", header + (1...50).map { "\($0),2013-01-01T00:00:00Z,\($0)\n" }.joined())
            #expect(try await move(larder) == OnlineWriteCounts(written: 50, kept: 0))
            #expect(try await move(larder) == OnlineWriteCounts(written: 0, kept: 0))
            try await larder.ingest("readings", header + "7,2013-01-02T00:00:00Z,70\n51,2013-01-02T00:00:00Z,51\n")
            #expect(try await move(larder) == OnlineWriteCounts(written: 2, kept: 0))
            #expect(try await level(larder, 7) == "70 PRESENT")
            #expect(try await level(larder, 8) == "8 PRESENT")
            #expect(try await level(larder, 52) == "null NOT_FOUND")
            // Comparing everything changes nothing.
            #expect(try await move(larder, isFull: true) == OnlineWriteCounts(written: 0, kept: 51))
        }
    }

    @Test func `a late row does not replace a newer one, a correction of the same time does`() async throws {
        try await withSensors { larder in
            try await larder.ingest("readings", header + "1,2013-01-02T00:00:00Z,10\n")
            try await move(larder)
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,9\n")
            #expect(try await move(larder) == OnlineWriteCounts(written: 0, kept: 1))
            #expect(try await level(larder) == "10 PRESENT")
            try await larder.ingest("readings", header + "1,2013-01-02T00:00:00Z,11\n")
            #expect(try await move(larder) == OnlineWriteCounts(written: 1, kept: 0))
            #expect(try await level(larder) == "11 PRESENT")
            // An all-null row is a row.
            try await larder.ingest("readings", header + "1,2013-01-03T00:00:00Z,\n")
            try await move(larder)
            #expect(try await level(larder) == "null NULL_VALUE")
        }
    }

    @Test func `a withdrawn row gives way to the one that remains, also when that is older`() async throws {
        try await withSensors(definitions(rowKey: "id")) { larder in
            try await larder.ingest("readings", header + "1,2013-01-02T00:00:00Z,10\n2,2013-01-02T00:00:00Z,20\n")
            try await move(larder)
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,11\n")
            try await move(larder)
            #expect(try await level(larder) == "11 PRESENT")
            #expect(try await level(larder, 2) == "20 PRESENT")
        }
    }

    @Test func `a withdrawn row of which nothing remains is gone`() async throws {
        try await withSensors(definitions(rowKey: "id", filter: "level > 0")) { larder in
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,10\n2,2013-01-01T00:00:00Z,20\n")
            try await move(larder)
            // The replacement no longer passes the filter.
            try await larder.ingest("readings", header + "1,2013-01-02T00:00:00Z,-1\n")
            try await move(larder)
            #expect(try await level(larder) == "null NOT_FOUND")
            #expect(try await level(larder, 2) == "20 PRESENT")
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,5\n")
            try await move(larder)
            #expect(try await level(larder) == "5 PRESENT")
        }
    }

    @Test func `withdrawn rows of many batches leave what publishing everything anew would, each value counted once`()
        async throws
    {
        let count = 8_000
        func rows(_ day: String, _ level: (Int) -> Int?) -> String {
            let lines = (0..<count).compactMap { id in level(id).map { "\(id),\(day)T00:00:00Z,\($0)\n" } }
            return header + lines.joined()
        }
        try await withSensors(definitions(rowKey: "id", filter: "level > 0")) { larder in
            try await larder.ingest("readings", rows("2013-01-10") { $0 + 1 })
            #expect(try await move(larder) == OnlineWriteCounts(written: count, kept: 0))
            // Every second key has a further withdrawn row, which was never published.
            try await larder.ingest("readings", rows("2013-01-09") { $0.isMultiple(of: 2) ? $0 + 2 : nil })
            try await move(larder, stages: [.offline])
            // Of every third key nothing remains, of the others a row that is older than the one published.
            try await larder.ingest("readings", rows("2013-01-08") { $0.isMultiple(of: 3) ? -1 : $0 + 3 })
            #expect(try await move(larder) == OnlineWriteCounts(written: count, kept: 0))
            #expect(try await level(larder, 1) == "4 PRESENT")
            #expect(try await level(larder, 2) == "5 PRESENT")
            #expect(try await level(larder, 3) == "null NOT_FOUND")
            let found = try await values(larder)
            #expect(found.count == count - (count + 2) / 3)
            try await larder.redis.empty()
            try await move(larder)
            let isEqual = try await values(larder) == found
            #expect(isEqual)
        }
    }

    @Test func `a publication that is cancelled on its way says so, and the next one completes it`() async throws {
        try await withSensors { larder in
            try await larder.ingest("readings", header + "0,2013-01-01T00:00:00Z,1\n")
            try await move(larder)
            let count = 20_000
            try await larder.ingest(
                "readings", header + (0..<count).map { "\($0),2013-01-02T00:00:00Z,\($0)\n" }.joined())
            try await move(larder, stages: [.offline])
            let project = try await larder.project()
            let error = try await thrownError {
                _ = try await MaterializeViews(stores: larder.stores).run(
                    .init(views: ["levels"], stages: [.online]), in: project
                ) { _, _, _ in withUnsafeCurrentTask { $0?.cancel() } }
            }
            #expect(error.code == .cancelled)
            let counts = try #require(try await move(larder, stages: [.online]))
            #expect(counts.written + counts.kept == count)
            #expect(counts.kept > 0, "nothing had arrived before")
            #expect(counts.written > 0, "everything had arrived before")
            #expect(try await values(larder).count == count)
        }
    }

    @Test func `a row that a query no longer gives is gone, and the one before it is back`() async throws {
        let query =
            definitions(rowKey: "id, at") + """

                ---
                kind: source
                name: high
                type: query
                columns: [{name: id, type: int64}, {name: at, type: timestamp}, {name: level, type: int32}]
                timestamp: at
                query: SELECT id, at, level FROM readings WHERE level > 5
                ---
                kind: feature_view
                name: highs
                entities: [sensor]
                source: high
                features: [{name: level, type: int32}]
                """
        try await withSensors(query) { larder in
            func high(_ id: Int64) async throws -> String {
                let (value, status) = try await larder.online(
                    "highs:level", [.init(name: "id", values: [.integer(id)])], at: noon)
                return "\(value) \(status.rawValue)"
            }
            try await larder.ingest(
                "readings", header + "1,2013-01-01T00:00:00Z,10\n1,2013-01-02T00:00:00Z,11\n2,2013-01-01T00:00:00Z,20\n"
            )
            try await move(larder, ["highs"])
            #expect(try await high(1) == "11 PRESENT")
            try await larder.ingest("readings", header + "1,2013-01-02T00:00:00Z,2\n2,2013-01-01T00:00:00Z,3\n")
            try await move(larder, ["highs"])
            #expect(try await high(1) == "10 PRESENT")
            #expect(try await high(2) == "null NOT_FOUND")
        }
    }

    @Test func `a bounded publication leaves alone what was withdrawn outside of its range`() async throws {
        try await withSensors(definitions(rowKey: "id")) { larder in
            try await larder.ingest("readings", header + "1,2013-01-05T00:00:00Z,10\n2,2013-02-01T00:00:00Z,20\n")
            try await move(larder)
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,11\n")
            try await move(larder, stages: [.offline])
            let february = EventTimeBounds(
                start: try instant("2013-02-01T00:00:00Z"), end: try instant("2013-02-02T00:00:00Z"))
            try await move(larder, bounds: february, stages: [.online])
            #expect(try await level(larder) != "null NOT_FOUND")
            // A range that holds the withdrawn row looks at what remains of its key.
            let january = EventTimeBounds(
                start: try instant("2013-01-05T00:00:00Z"), end: try instant("2013-01-05T00:00:00Z"))
            try await move(larder, bounds: january, stages: [.online])
            #expect(try await level(larder) == "11 PRESENT")
            try await move(larder)
            #expect(try await level(larder) == "11 PRESENT")
            #expect(try await level(larder, 2) == "20 PRESENT")
        }
    }

    @Test func `rows of the future wait until they are due, also behind a bound that lies in the future`() async throws
    {
        try await withSensors { larder in
            let now = ServingClock.systemTime
            // Up to a minute ahead counts as due.
            let isDue = now.advanced(byMicroseconds: 4_000_000)
            let due = isDue.advanced(byMicroseconds: 60_000_000)
            let late = now.advanced(byMicroseconds: 3_600_000_000)
            try await larder.ingest(
                "readings", header + "1,\(try instant("2013-01-01T00:00:00Z")),1\n1,\(due),2\n1,\(late),3\n")
            try await move(larder)
            #expect(try await level(larder, at: now) == "1 PRESENT")
            let beyond = EventTimeBounds(start: nil, end: late.advanced(byMicroseconds: 1))
            try await move(larder, bounds: beyond)
            #expect(try await level(larder, at: now) == "1 PRESENT")
            while ServingClock.systemTime <= isDue { try await Task.sleep(for: .milliseconds(50)) }
            // No commit since; its time has come.
            #expect(try await move(larder, stages: [.online]) == OnlineWriteCounts(written: 1, kept: 0))
            #expect(try await level(larder, at: ServingClock.systemTime) == "2 PRESENT")
        }
    }

    @Test func `ascending ends publish each time's newest rows, and an unbounded run the rest`() async throws {
        try await withSensors { larder in
            let days = (1...5).map { "2013-01-0\($0)T00:00:00Z" }
            try await larder.ingest(
                "readings", header + days.enumerated().map { "1,\($1),\($0 + 1)\n2,\($1),\(-$0)\n" }.joined())
            for (index, day) in days.enumerated() where index != 3 {
                let time = try instant(day)
                try await move(larder, bounds: EventTimeBounds(start: nil, end: time))
                #expect(try await level(larder, at: time) == "\(index + 1) PRESENT")
                #expect(try await level(larder, 2, at: time) == "\(-index) PRESENT")
            }
            // Going back changes nothing: what is stored is newer.
            let back = try await move(larder, bounds: EventTimeBounds(start: nil, end: try instant(days[0])))
            #expect(back?.written == 0)
            #expect(try await level(larder) == "5 PRESENT")
            try await larder.ingest("readings", header + "1,2013-01-06T00:00:00Z,6\n")
            try await move(larder)
            #expect(try await level(larder) == "6 PRESENT")
        }
    }

    @Test func `after Redis was emptied reads are refused until everything is published again, whatever was named`()
        async throws
    {
        try await withSensors { larder in
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,10\n")
            try await larder.ingest("places", "id,town\n1,Ithaca\n")
            let never = try await thrownError { _ = try await level(larder) }
            #expect(never.code == .notMaterialized)
            try await move(larder, ["levels", "towns"])
            try await larder.redis.empty()
            let refused = try await thrownError { _ = try await level(larder) }
            #expect(refused.code == .onlineStoreRebuilding)
            try await move(larder, ["levels"])
            #expect(try await level(larder) == "10 PRESENT")
            let town = try await larder.online("towns:town", [.init(name: "id", values: [.integer(1)])], at: noon)
            #expect(town.value == .string("Ithaca") && town.status == .present)
            // And the next run goes on from what has changed.
            #expect(try await move(larder) == OnlineWriteCounts(written: 0, kept: 0))
        }
    }

    @Test func `a rebuild behind an earlier end does not take back what was published`() async throws {
        try await withSensors { larder in
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,1\n1,2013-01-02T00:00:00Z,2\n")
            try await move(larder)
            try await larder.redis.empty()
            try await move(larder, bounds: EventTimeBounds(start: nil, end: try instant("2013-01-01T00:00:00Z")))
            #expect(try await level(larder) == "2 PRESENT")
        }
    }

    @Test func `with Redis down the offline store goes on, and the next run publishes`() async throws {
        try await withSensors { larder in
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,1\n")
            try await move(larder)
            larder.redis.kill()
            try await larder.ingest("readings", header + "1,2013-01-02T00:00:00Z,2\n")
            let error = try await thrownError { try await move(larder) }
            #expect(error.code == .onlineStoreUnavailable, "\(error)")
            let lines = try await larder.trainingSet(
                spine: "id,event_timestamp\n1,2014-01-01T00:00:00Z\n", ["levels:level"])
            #expect(lines.last == "1,2014-01-01T00:00:00Z,2")
            try await larder.redis.start()
            let deadline = ContinuousClock.now + .seconds(20)
            while (try? await move(larder)) == nil, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await level(larder) == "2 PRESENT")
        }
    }

    @Test func `a row of an older version has a new feature's default until it is computed again`() async throws {
        try await withSensors { larder in
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,10\n")
            try await move(larder)
            try await larder.apply(
                definitions(features: "  - {name: doubled, type: int32, expr: level * 2, default: -1}"))
            #expect(try await level(larder, feature: "doubled") == "-1 DEFAULTED")
            #expect(try await level(larder) == "10 PRESENT")
            #expect(try await move(larder) == OnlineWriteCounts(written: 1, kept: 0))
            #expect(try await level(larder, feature: "doubled") == "20 PRESENT")
        }
    }

    @Test func `publications at once leave the newest row of every key`() async throws {
        try await withSensors(definitions(rowKey: "id")) { larder in
            try await larder.ingest("readings", header + (1...200).map { "\($0),2013-01-02T00:00:00Z,0\n" }.joined())
            try await move(larder)
            for round in 1...3 {
                // Odd keys go back in time, so that their published rows are withdrawn.
                try await larder.ingest(
                    "readings",
                    header
                        + (1...200).map {
                            "\($0),2013-01-\($0.isMultiple(of: 2) ? 10 + round : 10 - round)T00:00:00Z,\(round)\n"
                        }
                        .joined().replacingOccurrences(of: "-01-9T", with: "-01-09T").replacingOccurrences(
                            of: "-01-8T", with: "-01-08T"
                        )
                        .replacingOccurrences(of: "-01-7T", with: "-01-07T"))
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 {
                        // One that is fenced off says so, and has left nothing wrong behind.
                        group.addTask { _ = try? await move(larder) }
                    }
                }
                try await move(larder)
                for id in [Int64(1), 2, 99, 200] { #expect(try await level(larder, id) == "\(round) PRESENT") }
            }
        }
    }
}
