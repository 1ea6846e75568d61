import PostgresClient
import TestSupport
import Testing

@Suite struct LeakTests {
    /// In a process of its own, because the counters are those of a process.
    @Test func nothingOfLibpqIsLeftAfterErrorsCopiesAndLosses() async throws {
        await #expect(processExitsWith: .success) {
            try await exerciseEverything()
            let isClean = try await eventually { LiveHandles.connections == 0 && LiveHandles.results == 0 }
            guard isClean else {
                throw PostgresError(
                    .protocolViolation, "\(LiveHandles.connections) connections, \(LiveHandles.results) results left")
            }
        }
    }
}

private func exerciseEverything() async throws {
    try await withDatabase { (configuration) async throws in
        let (proxy, proxied) = try FaultProxy.inFront(of: configuration)
        defer { proxy.stop() }
        try await withPostgresPool(configuration) { (pool) async throws in
            try await pool.withConnection { (connection) async throws in
                let rows = try await connection.query("SELECT n FROM generate_series(1, 1000) n")
                guard LiveHandles.results >= 1, LiveHandles.connections >= 1, rows.count == 1_000 else {
                    throw PostgresError(.protocolViolation, "the counters do not count")
                }
                _ = await postgresError { try await connection.query("SELECT 1/0") }
                _ = await postgresError { try await connection.query("SELECT pg_sleep(9)", timeout: .milliseconds(50)) }
                _ = await postgresError { try await connection.executeScript("SELECT 1; SELECT 2; SELECT 1/0") }
                _ = try await connection.describe("SELECT 1")
                _ = try await connection.beginCopyOut("COPY (SELECT 1) TO STDOUT (FORMAT binary)")
            }
        }
        let lost = try await PostgresConnection.connect(proxied)
        try await lost.query("LISTEN a")
        let stream = await lost.notifications()
        proxy.cut()
        for await _ in stream {}
        let stalled = try await PostgresConnection.connect(proxied)
        _ = try await stalled.beginCopyOut("COPY (SELECT generate_series(1, 1000000)) TO STDOUT (FORMAT binary)")
        var missing = configuration
        missing.database = "no_such_database"
        _ = await postgresError { _ = try await PostgresConnection.connect(missing) }
    }
}
