public import PostgresClient

/// One server's life of transaction ids: (system identifier, WAL timeline, database oid). It changes on restore and on
/// promotion, and is compared before any transaction id is.
public struct Incarnation: Sendable, Hashable {
    /// The row in `larder.incarnation`.
    public let id: Int32

    /// The incarnation of the connected database, recorded when seen for the first time.
    public static func current(on connection: PostgresConnection) async throws -> Incarnation {
        let select: PostgresQuery = """
            SELECT i.id FROM larder.incarnation i
            JOIN larder.current_incarnation() c USING (system_identifier, timeline, database_oid)
            """
        if let row = try await connection.query(select).first {
            return Incarnation(id: try row.decode("id", as: Int32.self))
        }
        try await connection.execute(
            """
            INSERT INTO larder.incarnation (system_identifier, timeline, database_oid, first_seen_at)
            SELECT system_identifier, timeline, database_oid, clock_timestamp() FROM larder.current_incarnation()
            ON CONFLICT DO NOTHING
            """)
        guard let row = try await connection.query(select).first else {
            throw PostgresError(.decoding, "the incarnation just recorded is not there")
        }
        return Incarnation(id: try row.decode("id", as: Int32.self))
    }
}
