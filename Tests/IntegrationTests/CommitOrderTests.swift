import FeatureModel
import FeatureService
import OfflineStore
import OnlineStore
import PostgresClient
import Testing
import TextFormats

/// What began first may commit last: a run that came in between has not seen it, and the next one has to.
@Suite struct CommitOrderTests {
    private static let header = "id,at,level\n"

    private func level(_ larder: LarderFixture, _ id: Int64) async throws -> String {
        let (value, status) = try await larder.online(
            "levels:level", [.init(name: "id", values: [.integer(id)])], at: try instant("2014-01-01T00:00:00Z"))
        return "\(value) \(status.rawValue)"
    }

    @Test func `a load that began first and commits last is computed and published by the next run`() async throws {
        let stages: Set<MaterializationStage> = [.offline, .online]
        try await LarderFixture.run { larder in
            try await larder.apply(SensorLevels.definitions())
            try await larder.ingest("readings", Self.header + "3,2013-01-01T00:00:00Z,30\n")
            try await larder.materialize(stages: stages)
            try await larder.holdingCommit(of: larder.rawTable("readings"), where: "NEW.c1 = 1") {
                try await larder.ingest("readings", Self.header + "1,2013-01-02T00:00:00Z,10\n")
            } meanwhile: {
                try await larder.ingest("readings", Self.header + "2,2013-01-03T00:00:00Z,20\n")
                let counts = try await larder.materialize(stages: stages).first?.online
                #expect(counts == OnlineWriteCounts(written: 1, kept: 0))
                #expect(try await level(larder, 1) == "null NOT_FOUND")
            }
            let counts = try await larder.materialize(stages: stages).first?.online
            #expect(counts == OnlineWriteCounts(written: 1, kept: 0))
            #expect(try await level(larder, 1) == "10 PRESENT")
            #expect(try await level(larder, 2) == "20 PRESENT")
        }
    }

    @Test func `a version that is applied and pushed while views are published is published by the same run`()
        async throws
    {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.first))
            try await larder.publishScores()
            let before = try await larder.project()
            try await larder.apply(PushedScores.definitions(PushedScores.second))
            try await larder.push(
                #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 5, "label": "x", "level": 3}"#, to: .offline)
            let results = try await MaterializeViews(stores: larder.stores).run(.init(stages: [.online]), in: before)
            #expect(results.map(\.online) == [OnlineWriteCounts(written: 1, kept: 0)])
            #expect(try await larder.score("scores:level", of: 1).value == .int32(3))
        }
    }
}

extension LarderFixture {
    /// Runs `write`, which adds rows that meet the condition to a table, up to its commit, and `body` before that.
    fileprivate func holdingCommit(
        of table: PostgresQuery, where condition: PostgresQuery, _ write: @escaping @Sendable () async throws -> Void,
        meanwhile body: () async throws -> Void
    ) async throws {
        let held = try await stores.owner.withConnection { holder in
            try await holder.execute(
                """
                CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'
                """)
            try await holder.execute(
                """
                CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON \(query: table) DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (\(query: condition)) EXECUTE FUNCTION public.hold()
                """)
            return try await holder.transaction { holder in
                try await holder.execute("SELECT pg_advisory_xact_lock(1)")
                let held = Task { try await write() }
                let waiting: PostgresQuery = """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """
                let deadline = ContinuousClock.now + .seconds(10)
                while try await holder.query(waiting).onlyValue(as: Int64.self) == 0 {
                    try #require(ContinuousClock.now < deadline, "the write has not come to its commit")
                    try await Task.sleep(for: .milliseconds(5))
                }
                try await body()
                return held
            }
        }
        try await held.value
    }
}
