import PostgresClient
import TestSupport
import Testing

extension Installation {
    /// A session that has locked the offline table of the only view there is: what reads it waits until the session is
    /// closed.
    func lockOfflineTable() async throws -> PostgresConnection {
        let table = try await query(
            "SELECT relname::text FROM pg_class WHERE relname LIKE 'view\\_%\\_g1' AND relkind = 'r'", as: String.self)
        let blocker = try await PostgresConnection.connect(database, logger: .silent)
        try await blocker.execute("BEGIN")
        try await blocker.execute("LOCK TABLE larder_data.\(identifier: table) IN ACCESS EXCLUSIVE MODE")
        return blocker
    }

    /// How many sessions wait for a lock.
    func waitingSessions() async throws -> Int64 {
        try await query(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """, as: Int64.self)
    }

    /// Returns once `isDone`, which is asked again and again.
    func wait(for what: String, until isDone: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !isDone() {
            try #require(ContinuousClock.now < deadline, "waited thirty seconds for \(what)")
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
