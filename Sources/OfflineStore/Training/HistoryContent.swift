import PostgresClient

/// Which rows a generation may have that readers have to look out for; without any, they need no condition.
struct HistoryContent: Sendable, Hashable {
    var hasTombstones = true
    var hasWithdrawnRows = true

    /// What the snapshot of the running transaction shows. It holds for all that is read in that snapshot, and no longer.
    static func read(of table: OfflineTable, on connection: PostgresConnection) async throws -> HistoryContent {
        // In the order of a partial index, so that it is used whatever the planner believes about how many such rows
        // there are. Older tables lack the one over tombstones, and reading them whole is not worth it.
        let row = try await connection.query(
            """
            SELECT
                CASE WHEN to_regclass(\(table.qualifiedTombstoneIndex)) IS NULL THEN true ELSE (
                    SELECT t.write_id FROM \(query: table.table) t WHERE t.is_deleted ORDER BY t.write_id LIMIT 1
                ) IS NOT NULL END AS has_tombstones,
                (
                    SELECT t.withdrawn_by FROM \(query: table.table) t WHERE t.withdrawn_by IS NOT NULL
                    ORDER BY t.withdrawn_by LIMIT 1
                ) IS NOT NULL AS has_withdrawn_rows
            """)[0]
        return HistoryContent(
            hasTombstones: try row.decode("has_tombstones", as: Bool.self),
            hasWithdrawnRows: try row.decode("has_withdrawn_rows", as: Bool.self))
    }
}
