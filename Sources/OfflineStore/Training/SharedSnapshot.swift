import FeatureModel
public import PostgresClient

/// Several connections in transactions that see one and the same state of the database.
public enum SharedSnapshot {
    /// How long a further connection is waited for, before the work goes on with fewer: those who hold one and wait for
    /// another could otherwise wait for each other.
    private static let patience: Duration = .milliseconds(500)

    /// Runs `body` with connections of a pool, each in a transaction in which nothing is written but temporary tables.
    /// - Parameter count: how many; there may be fewer when others have taken them, but never none.
    public static func with<Value>(
        connections count: Int, of pool: PostgresPool,
        _ body: (_ connections: [PostgresConnection], _ snapshot: String) async throws -> Value
    ) async throws -> Value {
        try await pool.withConnection { connection in
            try await connection.transaction(isolation: .repeatableRead) { connection in
                try await prepare(connection)
                let snapshot = try await connection.query("SELECT pg_export_snapshot() AS snapshot")
                    .onlyValue(as: String.self)
                return try await join(snapshot, [connection], count, pool, body)
            }
        }
    }

    private static func join<Value>(
        _ snapshot: String, _ joined: [PostgresConnection], _ count: Int, _ pool: PostgresPool,
        _ body: (_ connections: [PostgresConnection], _ snapshot: String) async throws -> Value
    ) async throws -> Value {
        guard joined.count < count else { return try await body(joined, snapshot) }
        var isConnected = false
        do {
            return try await pool.withConnection(deadline: patience) { connection in
                isConnected = true
                return try await connection.transaction(isolation: .repeatableRead) { connection in
                    // The first statement, as it has to be.
                    try await connection.execute("SET TRANSACTION SNAPSHOT \(literal: snapshot)")
                    try await prepare(connection)
                    return try await join(snapshot, joined + [connection], count, pool, body)
                }
            }
        } catch let error as PostgresError where !isConnected && [.poolDeadline, .poolExhausted].contains(error.code) {
            return try await body(joined, snapshot)
        }
    }

    private struct RollBack: Error {}

    /// Runs `body` in a read-only transaction of another pool that sees the same, on the same database. It is rolled back in
    /// the end: a few functions write even where everything is read-only.
    public static func joining<Value>(
        _ snapshot: String, of pool: PostgresPool, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await pool.withConnection { connection in
            // What an earlier query may have set in this session, or locked, is not for this one.
            try await connection.execute("DISCARD ALL")
            var value: Value?
            do {
                try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
                    try await connection.execute("SET TRANSACTION SNAPSHOT \(literal: snapshot)")
                    value = try await body(connection)
                    throw RollBack()
                }
            } catch is RollBack {}
            guard let value else { throw LarderError(.internalError, "a transaction ended before its work did") }
            return value
        }
    }

    /// Plans are to be what the strategy means: one process a connection, rows in the order of the loop. And a server whose
    /// client is gone is to notice in the middle of a query too, where the platform can.
    private static func prepare(_ connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            SELECT set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
                set_config('client_connection_check_interval', CASE WHEN version() ~ 'linux' THEN '1s' ELSE '0' END, true)
            """)
    }
}
