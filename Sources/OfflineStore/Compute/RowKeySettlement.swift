import FeatureDefinitions
import FeatureModel
import PostgresClient

/// Of the rows of a raw table with equal row keys, only the newest by (recorded time, sequence) goes on counting.
///
/// Before a load each key has at most one row that counts, so the keys to settle are those that have more than one after it.
/// They are mostly few, and finding them is what costs: a large load walks the index of the row key once, a small one looks
/// up its own keys.
struct RowKeySettlement {
    /// A table this many times the load's share of it is looked up in, not walked. A lookup costs a few times what a step of
    /// the walk does.
    private static let lookupFactor: Int64 = 8

    private let raw: RawTable
    private let keys: [PostgresQuery]
    private let recorded: PostgresQuery?

    /// Nil for a source without row key.
    init?(source: RegisteredSource, version: SourceVersion) {
        guard !source.rowKey.isEmpty else { return nil }
        raw = RawTable(source: source)
        keys = version.columns.filter { source.rowKey.contains($0.name) }.map(raw.column)
        recorded = version.columns.first { $0.name == source.createdTimestampColumn }.map(raw.column)
    }

    /// The size of the table in bytes: a measure of how many rows it has that costs nothing.
    func tableBytes(on connection: PostgresConnection) async throws -> Int64 {
        let rows = try await connection.query("SELECT pg_relation_size(\(literal: "larder_data.\(raw.name)")) AS bytes")
        guard let row = rows.first else { throw PostgresError(.decoding, "pg_relation_size gave no row") }
        return try row.decode("bytes", as: Int64.self)
    }

    /// Withdraws the rows that a newer one outdates.
    /// - Parameters:
    ///   - writeID: the load, whose rows are there already.
    ///   - bytesBefore: `tableBytes(on:)` before the load.
    /// - Returns: how many rows of earlier loads it replaces, and how many of its own do not count.
    func settle(
        writeID: Int64, bytesBefore: Int64, on connection: PostgresConnection
    ) async throws -> (replaced: Int64, outdated: Int64) {
        let bytes = try await tableBytes(on: connection)
        let isSmall = bytes / Self.lookupFactor > bytes - bytesBefore
        let rows = try await connection.query(
            """
            WITH outdated AS (
                UPDATE \(query: raw.table) old SET withdrawn_by = \(writeID)
                FROM (
                    SELECT live.ctid AS place,
                           row_number() OVER (PARTITION BY \(query: columns("live")) ORDER BY \(query: newestFirst)) AS rank
                    FROM (\(query: isSmall ? contestedByLookup(writeID) : contestedByWalk)) contested
                    JOIN \(query: raw.table) live ON \(query: equal("live", "contested"))
                    WHERE live.withdrawn_by IS NULL
                ) ranked
                WHERE ranked.rank > 1 AND old.ctid = ranked.place
                RETURNING old.write_id = \(writeID) AS is_own
            )
            SELECT count(*) FILTER (WHERE NOT is_own) AS replaced, count(*) FILTER (WHERE is_own) AS own FROM outdated
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "the settlement of row keys gave no row") }
        return (try row.decode("replaced", as: Int64.self), try row.decode("own", as: Int64.self))
    }

    private var contestedByWalk: PostgresQuery {
        """
        SELECT \(query: columns("r")) FROM \(query: raw.table) r
        WHERE r.withdrawn_by IS NULL GROUP BY \(query: columns("r")) HAVING count(*) > 1
        """
    }

    private func contestedByLookup(_ writeID: Int64) -> PostgresQuery {
        """
        SELECT DISTINCT \(query: columns("mine")) FROM \(query: raw.table) mine
        WHERE mine.write_id = \(writeID) AND EXISTS (
            SELECT FROM \(query: raw.table) other
            WHERE other.withdrawn_by IS NULL AND \(query: equal("other", "mine")) AND other.sequence <> mine.sequence)
        """
    }

    private func columns(_ alias: PostgresQuery) -> PostgresQuery {
        keys.map { "\(query: alias).\(query: $0)" as PostgresQuery }.joined(separator: ", ")
    }

    private func equal(_ left: PostgresQuery, _ right: PostgresQuery) -> PostgresQuery {
        keys.map { "\(query: left).\(query: $0) = \(query: right).\(query: $0)" as PostgresQuery }
            .joined(separator: " AND ")
    }

    private var newestFirst: PostgresQuery {
        recorded.map { "coalesce(live.\(query: $0), '-infinity') DESC, live.sequence DESC" } ?? "live.sequence DESC"
    }
}
