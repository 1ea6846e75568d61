import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import OfflineStore
import OnlineStore
import PostgresClient
import RedisClient
import Testing
import TextFormats

/// Generations of a view from their making to their drop, on real servers.
@Suite struct GenerationTests {
    private static func definitions(
        features: String = "  - {name: pages, type: int32}", entity: String = "user", generation: Int? = nil,
        compatibility: String = "full_transitive", service: String = "last_visit@1:pages"
    ) -> String {
        """
        kind: project
        name: test
        ---
        kind: entity
        name: user
        join_keys: [{name: user_id, type: int64}]
        ---
        kind: entity
        name: account
        join_keys: [{name: account, type: string}]
        ---
        kind: source
        name: visits
        type: table
        timestamp: at
        columns:
          - {name: user_id, type: int64}
          - {name: account, type: string}
          - {name: at, type: timestamp}
          - {name: pages, type: int32}
        ---
        kind: feature_view
        name: last_visit
        entities: [\(entity)]
        source: visits
        compatibility: \(compatibility)
        \(generation.map { "generation: \($0)" } ?? "online: true")
        features:
        \(features)
        ---
        kind: feature_service
        name: model
        features: [\(service)]
        """
    }

    private static let asText = "  - {name: pages, type: string, expr: \"pages::text\"}"
    private static let now = "2024-01-03T00:00:00Z"
    private static let user = [OnlineRequest.Key(name: "user_id", values: [.integer(1)])]
    private static let account = [OnlineRequest.Key(name: "account", values: [.string("a")])]

    private static func fill(_ larder: LarderFixture) async throws {
        try await larder.ingest(
            "visits",
            """
            user_id,account,at,pages
            1,a,2024-01-01T00:00:00Z,3
            1,a,2024-01-02T00:00:00Z,4
            2,b,2024-01-02T00:00:00Z,5

            """)
        try await larder.materialize(stages: [.offline, .online])
    }

    private static func change(_ change: LifecycleChange, _ larder: LarderFixture) async throws {
        try await ChangeLifecycle(stores: larder.stores).make(change, in: try await larder.project())
    }

    @Test func `two models read two generations side by side online and offline`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions())
            try await Self.fill(larder)
            try await larder.apply(Self.definitions(features: Self.asText, entity: "account", generation: 2))
            try await larder.materialize(stages: [.offline, .online])
            let now = try instant(Self.now)
            #expect(try await larder.online("last_visit@1:pages", Self.user, at: now).value == .int32(4))
            #expect(try await larder.online("last_visit@2:pages", Self.account, at: now).value == .string("4"))
            #expect(try await larder.online("last_visit:pages", Self.user, at: now).value == .int32(4))
            let spine = "user_id,account,event_timestamp\n1,a,2024-01-01T12:00:00Z\n2,b,2024-01-01T12:00:00Z\n"
            let first = try await larder.trainingSet(spine: spine, ["last_visit@1:pages"])
            let second = try await larder.trainingSet(spine: spine, ["last_visit@2:pages"])
            #expect(
                first == [
                    "user_id,account,event_timestamp,pages", "1,a,2024-01-01T12:00:00Z,3", "2,b,2024-01-01T12:00:00Z,",
                ])
            #expect(second == first)
        }
    }

    @Test func `a switch and a rollback change what is read at once, both as current as each other`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions())
            try await Self.fill(larder)
            try await larder.apply(Self.definitions(features: Self.asText, generation: 2))
            let unfilled = try await thrownError {
                try await Self.change(.switchGeneration(view: "last_visit", to: 2), larder)
            }
            #expect(unfilled.code == .generationNotFilled)
            try await larder.materialize(stages: [.offline, .online])
            let now = try instant(Self.now)
            try await Self.change(.switchGeneration(view: "last_visit", to: 2), larder)
            #expect(try await larder.online("last_visit:pages", Self.user, at: now).value == .string("4"))
            try await larder.ingest("visits", "user_id,account,at,pages\n1,a,2024-01-02T12:00:00Z,6\n")
            try await larder.materialize(stages: [.offline, .online])
            #expect(try await larder.online("last_visit:pages", Self.user, at: now).value == .string("6"))
            try await Self.change(.rollback(view: "last_visit"), larder)
            #expect(try await larder.online("last_visit:pages", Self.user, at: now).value == .int32(6))
            let readable = try await larder.value(
                "SELECT string_agg(pages::text, ',' ORDER BY pages) FROM \(identifier: "larder_features_\(try await larder.project().id)", "last_visit")",
                as: String.self)
            #expect(readable == "3,4,5,6")
        }
    }

    @Test func `a load that fails changes nothing that is served, and is not published`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions())
            try await Self.fill(larder)
            try await larder.apply(
                Self.definitions(
                    features: "  - {name: pages, type: int32, nullable: false, expr: \"nullif(pages, 5)\"}",
                    generation: 2))
            let failure = try await thrownError { try await larder.materialize(stages: [.offline, .online]) }
            #expect(failure.code == .rowsRejected)
            let now = try instant(Self.now)
            #expect(try await larder.online("last_visit:pages", Self.user, at: now).value == .int32(4))
            let unpublished = try await thrownError {
                _ = try await larder.online("last_visit@2:pages", Self.user, at: now)
            }
            #expect(unpublished.code == .notMaterialized)
            let id = try await larder.project().featureView(named: "last_visit").id
            #expect(try await larder.count("larder_data.\(identifier: "view_\(id)_g2")") == 0)
        }
    }

    @Test func `a drop leaves nothing behind in PostgreSQL and Redis and can be run again`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions())
            try await Self.fill(larder)
            let keysOfOne = try await larder.redisKeyCount()
            try await larder.apply(Self.definitions(features: Self.asText, entity: "account", generation: 2))
            try await larder.materialize(stages: [.offline, .online])
            #expect(try await larder.redisKeyCount() == keysOfOne + 3)
            let drop = DropGeneration(stores: larder.stores)
            let current = try await thrownError {
                _ = try await drop.run(view: "last_visit", generation: 1, in: try await larder.project())
            }
            #expect(current.code == .generationInUse)
            // As one that was cut off after its first step.
            try await Self.change(.beginDrop(view: "last_visit", generation: 2), larder)
            let result = try await drop.run(view: "last_visit", generation: 2, in: try await larder.project())
            #expect(result.onlineKeysDeleted == 2)
            #expect(try await larder.redisKeyCount() == keysOfOne)
            let id = try await larder.project().featureView(named: "last_visit").id
            #expect(try await larder.value("SELECT to_regclass(\("larder_data.view_\(id)_g2")) IS NULL", as: Bool.self))
            #expect(
                try await larder.value(
                    """
                    SELECT (SELECT count(*) FROM larder.watermark WHERE generation = 2)
                         + (SELECT count(*) FROM larder.key_space WHERE generation = 2)
                         + (SELECT count(*) FROM larder.generation WHERE number = 2)
                    """, as: Int64.self) == 0)
            let gone = try await thrownError {
                _ = try await larder.online("last_visit@2:pages", Self.account, at: try instant(Self.now))
            }
            #expect(gone.code == .schemaVersionMismatch)
            let again = try await thrownError {
                _ = try await drop.run(view: "last_visit", generation: 2, in: try await larder.project())
            }
            #expect(again.code == .generationNotFound)
            #expect(
                try await larder.online("last_visit:pages", Self.user, at: try instant(Self.now)).value == .int32(4))
        }
    }

    @Test func `the data of a removed view can be dropped`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions())
            try await Self.fill(larder)
            let tree = Self.definitions()
            let end = try #require(tree.range(of: "---\nkind: feature_view")).lowerBound
            try await larder.apply(String(tree[..<end]), allowRemovals: true)
            let result = try await DropGeneration(stores: larder.stores).run(
                view: "last_visit", generation: 1, in: try await larder.project())
            #expect(result.onlineKeysDeleted == 2)
            try await larder.apply(tree)
            #expect(try await larder.project().featureView(named: "last_visit").generations.map(\.number) == [1])
        }
    }

    @Test func `a widened feature is read whole from rows of both types`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions(compatibility: "backward", service: "last_visit@1:pages"))
            try await Self.fill(larder)
            let wide = "  - {name: pages, type: int64}"
            let stranded = try await thrownError {
                try await larder.apply(Self.definitions(features: wide, compatibility: "backward"))
            }
            #expect(stranded.code == .changeRefused)
            #expect(
                stranded.errors.contains { $0.message.contains("feature_service \"model\" pins last_visit@1:pages") },
                "\(stranded.errors)")
            try await larder.apply(
                Self.definitions(features: wide, compatibility: "backward", service: "last_visit:pages"))
            // Nothing has to be computed again, and readers of the new version read the old rows.
            let results = try await larder.materialize(stages: [.offline, .online])
            #expect(results.first?.offline?.rowsWritten == 0)
            let now = try instant(Self.now)
            #expect(try await larder.online("last_visit:pages", Self.user, at: now).value == .int64(4))
            try await larder.ingest("visits", "user_id,account,at,pages\n1,a,2024-01-02T12:00:00Z,6\n")
            try await larder.materialize(stages: [.offline, .online])
            #expect(try await larder.online("last_visit:pages", Self.user, at: now).value == .int64(6))
            #expect(
                try await larder.online("last_visit:pages", [.init(name: "user_id", values: [.integer(2)])], at: now)
                    .value == .int64(5))
            let frame = try await larder.trainingSet(
                spine: "user_id,event_timestamp\n1,2024-01-01T12:00:00Z\n1,2024-01-03T00:00:00Z\n", ["last_visit:pages"]
            )
            #expect(frame.dropFirst() == ["1,2024-01-01T12:00:00Z,3", "1,2024-01-03T00:00:00Z,6"])
            let narrow = try await thrownError {
                _ = try await larder.online("last_visit@1:pages", Self.user, at: now)
            }
            #expect(narrow.code == .schemaVersionMismatch)
        }
    }

    @Test func `a plan prices a new generation from statistics and measured rates`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions())
            let rows = (0..<5_000).map { "\($0 % 500),a,2024-01-01T00:00:00Z,\($0)" }
            try await larder.ingest("visits", "user_id,account,at,pages\n\(rows.joined(separator: "\n"))\n")
            try await larder.stores.owner.withConnection { _ = try await $0.execute("ANALYZE") }
            try await larder.materialize(stages: [.offline, .online])
            let definition = try DefinitionLoader.load(
                files: [(path: "test.yaml", text: Self.definitions(features: Self.asText, generation: 2))])
            let plan = try await ApplyDefinitions(stores: larder.stores).plan(definition, allowRemovals: false)
            let change = try #require(plan.changes.first { $0.kind == .featureView })
            let cost = try #require(change.cost)
            #expect((4_500...5_500).contains(cost.rowsToBackfill))
            #expect((450...550).contains(try #require(cost.onlineKeys)))
            #expect(try #require(cost.onlineBytes) > 500 * 100)
            #expect(try #require(cost.seconds) > 0)
            #expect(change.touchedServices == ["feature_service \"model\" reads last_visit@1, generation 1"])
        }
    }

    @Test func `publishing, filling a generation and dropping it walk over no keys of Redis`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions())
            // The first publication is a rebuild, which walks.
            try await Self.fill(larder)
            let redis = larder.stores.redis
            _ = try await redis.execute(RedisCommand("CONFIG", "RESETSTAT"))
            try await larder.ingest("visits", "user_id,account,at,pages\n1,a,2024-01-02T12:00:00Z,6\n")
            try await larder.apply(Self.definitions(features: Self.asText, entity: "account", generation: 2))
            try await larder.materialize(stages: [.offline, .online])
            _ = try await DropGeneration(stores: larder.stores).run(
                view: "last_visit", generation: 2, in: try await larder.project())
            let statistics = try #require(try await redis.execute(RedisCommand("INFO", "commandstats")).string)
            #expect(statistics.contains("cmdstat_unlink:"), "\(statistics)")
            for command in ["scan", "keys", "flushdb", "flushall"] {
                #expect(!statistics.contains("cmdstat_\(command):"), "\(statistics)")
            }
        }
    }
}

extension LarderFixture {
    /// How many keys this test's Redis holds.
    func redisKeyCount() async throws -> Int64 {
        let reply = try await stores.redis.execute(RedisCommand("DBSIZE"))
        return try #require(reply.integerValue)
    }
}

/// A raised ttl, which says how long what is published stays.
@Suite struct RaisedTTLTests {
    private static func definitions(ttl: String) -> String {
        """
        kind: project
        name: test
        ---
        kind: entity
        name: user
        join_keys: [{name: user_id, type: int64}]
        ---
        kind: source
        name: visits
        type: table
        timestamp: at
        columns: [{name: user_id, type: int64}, {name: at, type: timestamp}, {name: pages, type: int32}]
        ---
        kind: feature_view
        name: last_visit
        entities: [user]
        source: visits
        ttl: \(ttl)
        features: [{name: pages, type: int32}]
        """
    }

    @Test func `a raised ttl has everything published again with the later expiry`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions(ttl: "5m"))
            let now = Timestamp(microsecondsSince1970: Int64(Date().timeIntervalSince1970) * 1_000_000)
            try await larder.ingest("visits", "user_id,at,pages\n1,\(now),3\n")
            try await larder.materialize(stages: [.offline, .online])
            let before = try await larder.longestExpiry()
            try await larder.apply(Self.definitions(ttl: "300d"))
            let results = try await larder.materialize(stages: [.offline, .online])
            #expect(results.first?.online?.kept == 1)
            #expect(try await larder.longestExpiry() > before + 299 * 86_400)
        }
    }
}

extension LarderFixture {
    /// The longest time that a key of this test's Redis still has, in seconds.
    fileprivate func longestExpiry() async throws -> Int64 {
        let keys = try #require(try await stores.redis.execute(RedisCommand("KEYS", "*")).elements).compactMap(\.bytes)
        var longest: Int64 = 0
        for key in keys {
            let reply = try await stores.redis.execute(RedisCommand("TTL", .bytes(key)))
            longest = max(longest, reply.integerValue ?? 0)
        }
        return longest
    }
}
