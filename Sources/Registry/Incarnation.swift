public import PostgresClient

/// One server's life of transaction ids: (system identifier, WAL timeline, database oid, oid of `larder.incarnation`, which a
/// restore into the same database makes anew). It changes on restore and on promotion, and is compared before any
/// transaction id is.
public struct Incarnation: Sendable, Hashable {
    /// The row in `larder.incarnation`.
    public let id: Int32

    /// The id of the connected database's incarnation; no row when it has not been seen.
    ///
    /// The columns that make up an incarnation are those the two have in common: a database that lacks migrations has fewer.
    public static let idQuery: PostgresQuery =
        "SELECT i.id FROM larder.incarnation i NATURAL JOIN larder.current_incarnation() c"

    /// The incarnation of the connected database, recorded when seen for the first time.
    public static func current(on connection: PostgresConnection) async throws -> Incarnation {
        if let row = try await connection.query(idQuery).first {
            return Incarnation(id: try row.decode("id", as: Int32.self))
        }
        try await connection.execute(
            """
            INSERT INTO larder.incarnation (system_identifier, timeline, database_oid, table_oid, first_seen_at)
            SELECT system_identifier, timeline, database_oid, table_oid, clock_timestamp()
            FROM larder.current_incarnation()
            ON CONFLICT DO NOTHING
            """)
        guard let row = try await connection.query(idQuery).first else {
            throw PostgresError(.decoding, "the incarnation just recorded is not there")
        }
        return Incarnation(id: try row.decode("id", as: Int32.self))
    }
}
