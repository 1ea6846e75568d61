import FeatureModel
import FeatureService
import Foundation
import OfflineStore
import OnlineStore
import PostgresClient
import Testing

@Suite struct IncarnationTests {
    /// As a dump loaded into another server leaves the ledger: written by transactions that this server has not come to.
    private func becomeAnotherServer(_ larder: LarderFixture) async throws {
        try await larder.stores.owner.withConnection { connection in
            try await connection.executeScript(
                """
                INSERT INTO larder.incarnation (system_identifier, timeline, database_oid, first_seen_at)
                VALUES (1, 1, 1, '2000-01-01Z');
                ALTER TABLE larder.write DISABLE TRIGGER USER;
                UPDATE larder.write SET transaction_id = '4000000000',
                    incarnation_id = (SELECT id FROM larder.incarnation WHERE system_identifier = 1);
                UPDATE larder.watermark SET
                    incarnation_id = (SELECT id FROM larder.incarnation WHERE system_identifier = 1);
                UPDATE larder.key_space SET
                    incarnation_id = (SELECT id FROM larder.incarnation WHERE system_identifier = 1);
                """)
        }
    }

    @Test func `transaction ids of another incarnation say nothing: its rows are compared once and not written again`()
        async throws
    {
        try await LarderFixture.run { larder in
            let stages: Set<MaterializationStage> = [.offline, .online]
            try await larder.apply(SensorLevels.definitions(rowKey: "id"))
            try await larder.ingest("readings", "id,at,level\n1,2013-01-01T00:00:00Z,1\n2,2013-01-01T00:00:00Z,2\n")
            try await larder.materialize(stages: stages)
            try await becomeAnotherServer(larder)

            let compared = try await larder.materialize(stages: stages)
            #expect(compared.first?.offline == .init(rowsRead: 2, rowsWritten: 0, rowsWithdrawn: 0))
            // A new key space, filled from the start.
            #expect(compared.first?.online == OnlineWriteCounts(written: 2, kept: 0))
            let followed = try await larder.materialize(stages: stages)
            #expect(followed.first?.offline == .init(rowsRead: 0, rowsWritten: 0, rowsWithdrawn: 0))
            #expect(followed.first?.online == OnlineWriteCounts(written: 0, kept: 0))

            // What this server writes is followed, also when it replaces a row of the other's.
            try await larder.ingest("readings", "id,at,level\n2,2013-01-02T00:00:00Z,3\n")
            let after = try await larder.materialize(stages: stages)
            #expect(after.first?.offline == .init(rowsRead: 1, rowsWritten: 1, rowsWithdrawn: 1))
            #expect(after.first?.online?.written == 1)
        }
    }
}
