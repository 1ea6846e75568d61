import FeatureModel
import PostgresClient

/// DDL must not queue behind a long reader while every other reader queues behind it.
enum LockWait {
    /// Runs `body` in a transaction in which no lock is waited for longer than 5 seconds.
    /// - Throws: `registry_unavailable` naming who holds the lock.
    static func transaction(
        on connection: PostgresConnection, _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        do {
            try await connection.transaction(isolation: .readCommitted) { connection in
                try await connection.execute("SET LOCAL lock_timeout = '5s'")
                try await body(connection)
            }
        } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
            throw try await explanation(on: connection)
        }
    }

    /// Who holds locks on Larder's tables now, if anybody still does.
    private static func explanation(on connection: PostgresConnection) async throws -> LarderError {
        let holders = try await connection.query(
            """
            SELECT DISTINCT a.pid, coalesce(nullif(a.application_name, ''), a.usename, 'unknown') AS who,
                   extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS seconds
            FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE l.granted AND l.pid <> pg_backend_pid() AND n.nspname IN ('larder', 'larder_data')
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            ORDER BY seconds DESC NULLS LAST LIMIT 5
            """)
        let texts = try holders.map { row in
            let seconds = try row.decode("seconds", as: Int64?.self) ?? 0
            return
                "\(try row.decode("who", as: String.self)) (pid \(try row.decode("pid", as: Int32.self)), for \(seconds) s)"
        }
        return LarderError(
            .registryUnavailable,
            texts.isEmpty
                ? "a table was in use by another transaction, which has ended since"
                : "a table is in use by \(texts.joined(separator: ", ")); nothing was changed",
            hint: texts.isEmpty
                ? "try again" : "wait for it, or end it with SELECT pg_terminate_backend(pid), and try again")
    }
}
