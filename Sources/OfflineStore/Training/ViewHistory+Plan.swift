import FeatureModel
public import PointInTime
public import PostgresClient

extension ViewHistory {
    /// Histories up to this many rows are read in a tenth of a second, whatever the spine: not worth a closer look.
    private static let smallHistory: Int64 = 100_000
    /// Keys of the spine whose rows are counted.
    private static let sampledKeys = 32
    /// Counting a sampled key's rows ends here.
    private static let countedRows: Int64 = 2_000

    /// Chooses how to join by the numbers of rows, keys and probes, and by a look at some of the spine's keys.
    /// - Parameter forced: overrides the choice; the estimates are made all the same.
    public func plan(
        for spine: SpineIndex, forced: JoinStrategy? = nil, on connection: PostgresConnection
    ) async throws -> JoinPlan {
        let keyCount = spine.distinctKeyCount
        let rows = try await rowCount(on: connection)
        var statistics = JoinStatistics(
            historyRows: rows, rowsPerKey: Double(rows) / Double(max(1, keyCount)),
            keys: keyCount, probes: spine.probeCount)
        if rows > Self.smallHistory, !schema.joinKeys.isEmpty, keyCount > 0 {
            statistics.rowsPerKey = try await rowsPerKey(of: spine, on: connection)
        }
        return JoinPlan(statistics, model: costModel, forced: forced)
    }

    /// By PostgreSQL's own statistics or, before it has any, by the ledger.
    private func rowCount(on connection: PostgresConnection) async throws -> Int64 {
        try await connection.query(
            """
            SELECT greatest(
                (SELECT c.reltuples::bigint FROM pg_class c WHERE c.oid = \(table.qualifiedName)::regclass),
                (SELECT coalesce(sum(l.rows_written), 0)::bigint FROM larder.write l
                 WHERE l.feature_view_id = \(table.featureViewID) AND l.generation = \(table.generation))) AS rows
            """
        ).onlyValue(as: Int64.self)
    }

    private func rowsPerKey(of spine: SpineIndex, on connection: PostgresConnection) async throws -> Double {
        let keyCount = spine.distinctKeyCount
        let sampled = min(keyCount, Self.sampledKeys)
        let keys = spine.keys(ofGroups: (0..<sampled).map { $0 * keyCount / sampled })
        let arrays = zip(schema.joinKeys, keys).map { key, column in column.keyArrayLiteral(key) }
        let names = keyColumns.joined(separator: ", ")
        let matches = keyColumns.map { "t.\(query: $0) = k.\(query: $0)" as PostgresQuery }.joined(separator: " AND ")
        let counted = try await connection.query(
            """
            SELECT coalesce(sum(n.rows), 0)::bigint AS rows
            FROM unnest(\(query: arrays.joined(separator: ", "))) k(\(query: names)) CROSS JOIN LATERAL (
                SELECT count(*) AS rows FROM (
                    SELECT FROM \(query: table.table) t WHERE \(query: matches) LIMIT \(literal: Self.countedRows)
                ) counted
            ) n
            """
        ).onlyValue(as: Int64.self)
        return Double(counted) / Double(sampled)
    }
}
