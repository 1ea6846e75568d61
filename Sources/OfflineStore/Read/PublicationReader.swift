public import FeatureModel
public import PointInTime
public import PostgresClient
public import Registry

/// What of an offline table is to be published.
public enum PublicationScope: Sendable {
    /// Every key.
    case everything
    /// Keys with a commit since the snapshot, or with a row whose event time lies in (horizon, now]. What was written under
    /// another incarnation than the snapshot's is not of it.
    case since(snapshot: String, incarnation: Incarnation, horizon: Timestamp?)
    /// Keys with a row whose event time lies in the range, both ends included.
    case eventTime(from: Timestamp, through: Timestamp)
}

/// Reads from an offline table what the online store is to hold: per key the newest row at `now`.
public struct PublicationReader: Sendable {
    private let table: OfflineTable
    private let schema: ViewSchema
    private let now: Timestamp

    /// - Parameters:
    ///   - schema: whose features to read.
    ///   - now: rows with a later event time wait.
    public init(table: OfflineTable, schema: ViewSchema, now: Timestamp) {
        self.table = table
        self.schema = schema
        self.now = now
    }

    /// The winners of the keys in scope, one row a key, tombstones included.
    public func winners(_ scope: PublicationScope, on connection: PostgresConnection) async throws -> Winners {
        let select: PostgresQuery =
            switch affected(scope) {
            case nil: everyWinner
            case .some(let condition): winnersOfKeys(where: condition)
            }
        return Winners(stream: try await StoredRowStream.open(select, schema: schema, on: connection))
    }

    /// The winners of the keys that one write has rows of.
    public func winners(ofWrite writeID: Int64, on connection: PostgresConnection) async throws -> Winners {
        let select = winnersOfKeys(where: "c.write_id = \(literal: writeID)")
        return Winners(stream: try await StoredRowStream.open(select, schema: schema, on: connection))
    }

    /// Rows that were withdrawn by commits in scope, each with the winner of its key, to which a stored value that still
    /// is the withdrawn row gives way. A key comes as often as it has such rows.
    public func withdrawn(_ scope: PublicationScope, on connection: PostgresConnection) async throws -> WithdrawnRows {
        var conditions: [PostgresQuery] = ["t.withdrawn_by IS NOT NULL"]
        switch scope {
        case .everything: break
        case .since(let snapshot, let incarnation, _):
            conditions.append("t.withdrawn_by IN (\(query: writes(since: snapshot, incarnation)))")
        case .eventTime(let from, let through):
            // Only of keys whose winners are in scope too: what remains of the others is not looked at.
            conditions += EventTimeBounds(start: from, end: through).conditions(on: "t.event_timestamp")
        }
        return try await WithdrawnRows.open(
            "SELECT t.* FROM \(query: table.table) t WHERE \(query: conditions.joined(separator: " AND "))",
            winner: winner(ofKeyOf: WithdrawnRows.alias), schema: schema, on: connection)
    }

    /// Rows, pulled in batches.
    public struct Winners {
        fileprivate var stream: StoredRowStream

        public mutating func next() async throws -> HistoryBatch? {
            try await stream.next()?.rows
        }
    }

    private var bound: PostgresQuery {
        "\(literal: PostgresTimestamp(microsecondsSince1970: now.microsecondsSince1970))"
    }

    private var keys: [PostgresQuery] { schema.joinKeys.indices.map(OfflineTable.keyColumn) }

    private func order(_ columns: [PostgresQuery]) -> PostgresQuery {
        (columns + ["event_timestamp", "recorded_timestamp", "sequence", "schema_version"])
            .map { "t.\(query: $0) DESC" as PostgresQuery }.joined(separator: ", ")
    }

    /// In descending order throughout, so that the index over the one order is read backwards.
    private var everyWinner: PostgresQuery {
        let distinct: PostgresQuery =
            keys.isEmpty
            ? "" : "DISTINCT ON (\(query: keys.map { "t.\(query: $0)" as PostgresQuery }.joined(separator: ", ")))"
        return """
            SELECT \(query: distinct) \(query: StoredRowStream.columns(of: schema, in: table)) FROM \(query: table.table) t
            WHERE t.withdrawn_by IS NULL AND t.event_timestamp <= \(query: bound)
            ORDER BY \(query: order(keys)) \(query: keys.isEmpty ? "LIMIT 1" : "")
            """
    }

    private func winnersOfKeys(where condition: PostgresQuery) -> PostgresQuery {
        let affectedKeys: PostgresQuery =
            keys.isEmpty
            ? "SELECT 1 AS one FROM \(query: table.table) c WHERE \(query: condition) LIMIT 1"
            : "SELECT DISTINCT \(query: keys.joined(separator: ", ")) FROM \(query: table.table) c WHERE \(query: condition)"
        return """
            SELECT w.* FROM (\(query: affectedKeys)) a CROSS JOIN LATERAL (
                \(query: winner(ofKeyOf: "a"))
            ) w
            """
    }

    /// The newest row that counts of the key in a row of another relation.
    private func winner(ofKeyOf other: PostgresQuery) -> PostgresQuery {
        let matches =
            keys.map { "t.\(query: $0) = \(query: other).\(query: $0)" as PostgresQuery } + [
                "t.withdrawn_by IS NULL", "t.event_timestamp <= \(query: bound)",
            ]
        return """
            SELECT \(query: StoredRowStream.columns(of: schema, in: table)) FROM \(query: table.table) t
            WHERE \(query: matches.joined(separator: " AND "))
            ORDER BY \(query: order([])) LIMIT 1
            """
    }

    private func affected(_ scope: PublicationScope) -> PostgresQuery? {
        switch scope {
        case .everything: return nil
        case .since(let snapshot, let incarnation, let horizon):
            let writes = writes(since: snapshot, incarnation)
            var condition: PostgresQuery = "c.write_id IN (\(query: writes)) OR c.withdrawn_by IN (\(query: writes))"
            if let horizon {
                let from = PostgresTimestamp(microsecondsSince1970: horizon.microsecondsSince1970)
                condition += " OR (c.event_timestamp > \(literal: from) AND c.event_timestamp <= \(query: bound))"
            }
            return condition
        case .eventTime(let from, let through):
            return EventTimeBounds(start: from, end: through).conditions(on: "c.event_timestamp")
                .joined(separator: " AND ")
        }
    }

    private func writes(since snapshot: String, _ incarnation: Incarnation) -> PostgresQuery {
        WriteLedger.writes(into: table, since: snapshot, incarnation)
    }
}

/// Reading and moving the online watermark.
public struct PublicationLedger: Sendable {
    private let table: OfflineTable

    public init(table: OfflineTable) {
        self.table = table
    }

    /// The stage's watermark and the snapshot of the reading transaction. Call inside a REPEATABLE READ transaction.
    public func begin(
        incarnation: Incarnation, on reader: PostgresConnection
    ) async throws -> (watermark: Watermark, snapshot: String) {
        let watermark = try await WatermarkStore.read(table, stage: .online, incarnation: incarnation, on: reader)
        let snapshot = try await reader.query("SELECT pg_current_snapshot()::text AS snapshot")
            .onlyValue(as: String.self)
        return (watermark, snapshot)
    }

    /// Moves the watermark after everything up to it is published.
    public func commit(
        from watermark: Watermark, snapshot: String, horizon: Timestamp, schemaVersion: Int32,
        incarnation: Incarnation, on connection: PostgresConnection
    ) async throws {
        try await WatermarkStore.move(
            table, stage: .online, from: watermark,
            to: .init(snapshot: snapshot, horizon: horizon, mustCompare: false, schemaVersion: schemaVersion),
            incarnation: incarnation, on: connection)
    }
}
