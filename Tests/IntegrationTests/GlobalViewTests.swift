import FeatureModel
import FeatureService
import OfflineStore
import TestSupport
import Testing

/// A view without an entity, from raw rows to its drop: all of its rows have the one key there is.
@Suite struct GlobalViewTests {
    private let stages: Set<MaterializationStage> = [.offline, .online]

    private static func definitions(generation: Int = 1) -> String {
        """
        kind: project
        name: test
        ---
        kind: source
        name: loads
        type: table
        row_key: [at]
        columns: [{name: at, type: timestamp}, {name: level, type: int32}]
        timestamp: at
        ---
        kind: feature_view
        name: site
        entities: []
        source: loads
        generation: \(generation)
        features: [{name: level, type: int32, expr: level * \(generation)}]
        """
    }

    @Test func `a view without an entity is published, replaced, taken away, rebuilt and dropped`() async throws {
        try await LarderFixture.run { larder in
            func level(_ version: Int = 1) async throws -> String {
                let (value, status) = try await larder.online(
                    "site@\(version):level", [], at: try instant("2014-01-01T00:00:00Z"))
                return "\(value) \(status.rawValue)"
            }
            func load(_ rows: String) async throws {
                try await larder.ingest("loads", "at,level,__deleted\n\(rows)\n")
                try await larder.materialize(stages: stages)
            }
            try await larder.apply(Self.definitions())
            try await load("2013-01-01T00:00:00Z,1,\n2013-01-02T00:00:00Z,2,")
            #expect(try await level() == "2 PRESENT")
            // Late.
            try await load("2012-12-31T00:00:00Z,3,")
            #expect(try await level() == "2 PRESENT")
            // In the place of a row that is withdrawn.
            try await load("2013-01-02T00:00:00Z,4,")
            #expect(try await level() == "4 PRESENT")
            try await load("2013-01-03T00:00:00Z,,true")
            #expect(try await level() == "null NOT_FOUND")
            try await load("2013-01-04T00:00:00Z,5,")
            #expect(try await level() == "5 PRESENT")
            try await larder.redis.empty()
            try await larder.materialize(stages: stages)
            #expect(try await level() == "5 PRESENT")

            let keys = try await larder.redisKeyCount()
            try await larder.apply(Self.definitions(generation: 2))
            try await larder.materialize(stages: stages)
            #expect(try await level(2) == "10 PRESENT")
            let dropped = try await DropGeneration(stores: larder.stores).run(
                view: "site", generation: 2, in: try await larder.project())
            #expect(dropped.onlineKeysDeleted == 1)
            #expect(try await larder.redisKeyCount() == keys)
            #expect(try await level() == "5 PRESENT")
        }
    }
}
