import FeatureDefinitions
import FeatureModel
import FeatureService
import OfflineStore
import OnlineStore
import PostgresClient
import Testing

/// A later generation of pushed rows takes those of the one before it.
@Suite struct CopyGenerationTests {
    /// Widened, stricter, and with a feature that earlier rows lack.
    private static let third = """
          - {name: score, type: int64, nullable: false, expect: {min: 0, max: 50}}
          - {name: level, type: int32, nullable: false, default: 7}
        """

    private func withTwoGenerations(_ body: (LarderFixture) async throws -> Void) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.first))
            try await larder.publishScores()
            try await larder.push(
                """
                {"user_id": 1, "at": "2024-05-01T10:00:00Z", "seen": "2024-05-01T10:05:00Z", "score": 10, "label": "a"},
                {"user_id": 2, "at": "2024-05-01T10:00:00Z", "score": 60},
                {"user_id": 3, "at": "2024-05-01T10:00:00Z", "score": 30},
                {"user_id": 3, "at": "2024-05-01T11:00:00Z", "__deleted": true}
                """)
            try await larder.apply(PushedScores.definitions(generation: 2, Self.third))
            try await body(larder)
        }
    }

    private func copied(_ larder: LarderFixture, isFull: Bool = false) async throws -> MaterializationResult? {
        try await larder.materialize(["scores"], isFull: isFull, stages: [.offline, .online])
            .first { $0.generation == 2 }?.offline
    }

    @Test func `rows that pass the new checks are copied with their place and arrival, the others are counted`()
        async throws
    {
        try await withTwoGenerations { larder in
            let result = try await copied(larder)
            #expect(result == MaterializationResult(rowsRead: 4, rowsWritten: 3, rowsWithdrawn: 0, rowsSkipped: 1))
            let (old, new) = (try await larder.scoresTable(), try await larder.scoresTable(2))
            let same: Int64 = try await larder.value(
                """
                SELECT count(*) AS same FROM \(query: old) o JOIN \(query: new) n
                USING (k1, event_timestamp, recorded_timestamp, sequence, ingested_at, is_deleted)
                WHERE n.schema_version = 2
                """)
            #expect(same == 3)
            #expect(try await larder.score("scores@2:score", of: 1).value == .int64(10))
            #expect(try await larder.score("scores@2:level", of: 1).value == .int32(7))
            #expect(try await larder.score("scores@2:level", of: 1).status == .present)
            #expect(try await larder.score("scores@2:score", of: 2).status == .notFound)
            #expect(try await larder.score("scores@2:score", of: 3).status == .notFound)
            // The old generation is what it was.
            #expect(try await larder.score("scores@1:score", of: 2).value == .int32(60))
        }
    }

    @Test func `later pushes into the old generation follow, once each`() async throws {
        try await withTwoGenerations { larder in
            _ = try await copied(larder)
            #expect(try await copied(larder) == MaterializationResult())
            try await larder.push(#"{"user_id": 4, "at": "2024-05-01T10:00:00Z", "score": 40}"#, version: 1)
            try await larder.push(#"{"user_id": 5, "at": "2024-05-01T10:00:00Z", "score": 50, "level": 1}"#, version: 2)
            let result = try await copied(larder)
            #expect(result == MaterializationResult(rowsRead: 1, rowsWritten: 1))
            #expect(try await larder.score("scores@2:score", of: 4).value == .int64(40))
            // A full run finds every copy there; what was refused is looked at again, what was pushed stays.
            #expect(
                try await copied(larder, isFull: true)
                    == MaterializationResult(rowsRead: 1, rowsWritten: 0, rowsWithdrawn: 0, rowsSkipped: 1))
            #expect(try await larder.count(larder.scoresTable(2)) == 5)
        }
    }

    @Test func `withdrawals follow`() async throws {
        try await withTwoGenerations { larder in
            _ = try await copied(larder)
            let (old, id) = (try await larder.scoresTable(), try await larder.project().featureView(named: "scores").id)
            try await larder.stores.owner.withTransaction { connection in
                let write = try await WriteLedger.reserveWriteID(on: connection)
                try await connection.execute("UPDATE \(query: old) SET withdrawn_by = \(write) WHERE k1 = 1")
                try await connection.execute(
                    """
                    INSERT INTO larder.write (write_id, incarnation_id, transaction_id, arrived_at, actor, kind,
                        feature_view_id, generation, schema_version, rows_written, rows_withdrawn)
                    SELECT \(write), max(id), pg_current_xact_id(), clock_timestamp(), 'test', 'erase', \(id), 1, 1, 0, 1
                    FROM larder.incarnation
                    """)
            }
            #expect(try await copied(larder) == MaterializationResult(rowsWithdrawn: 1))
            #expect(try await larder.score("scores@2:score", of: 1).status == .notFound)
        }
    }

    @Test func `a bounded run copies its range, and the next run the rest`() async throws {
        try await withTwoGenerations { larder in
            let bounds = EventTimeBounds(start: nil, end: try instant("2024-05-01T10:30:00Z"))
            let first = try await larder.materialize(["scores"], bounds: bounds).first { $0.generation == 2 }?.offline
            #expect(first?.rowsWritten == 2)
            #expect(try await copied(larder)?.rowsWritten == 1)
            #expect(try await larder.count(larder.scoresTable(2)) == 3)
        }
    }

    @Test func `under other join keys nothing is copied`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.first))
            try await larder.publishScores()
            try await larder.push(#"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 10}"#)
            try await larder.apply(
                PushedScores.definitions(
                    generation: 2, entities: "[user, place]", PushedScores.first))
            #expect(try await copied(larder) == MaterializationResult())
            // The generation is ready all the same.
            try await ChangeLifecycle(stores: larder.stores).make(
                .switchGeneration(view: "scores", to: 2), in: try await larder.project())
            let report = try await larder.push(
                #"{"user_id": 1, "region": "eu", "at": "2024-05-01T10:00:00Z", "score": 10}"#)
            #expect(report.generation == 2 && !report.online.isPending)
        }
    }
}
