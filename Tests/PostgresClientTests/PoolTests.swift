import PostgresClient
import TestSupport
import Testing

@Suite struct PoolTests {
    private func withPool<T>(
        _ configuration: PostgresConfiguration, _ change: (inout PostgresPoolLimits) -> Void = { _ in },
        _ body: (PostgresPool) async throws -> T
    ) async throws -> T {
        var limits = PostgresPoolLimits()
        change(&limits)
        return try await withPostgresPool(configuration, limits: limits, body)
    }

    @Test func connectionsAreReusedAndNeverMoreThanAllowed() async throws {
        try await withDatabase { (configuration) async throws in
            try await withPool(configuration, { $0.maximumConnections = 3 }) { (pool) async throws in
                let processes = try await withThrowingTaskGroup(of: Int32.self) { (group) in
                    for _ in 0..<40 {
                        group.addTask {
                            try await pool.withConnection { (connection) async throws in
                                try await connection.query("SELECT pg_sleep(0.005)")
                                return connection.backendProcessID
                            }
                        }
                    }
                    return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
                }
                #expect(!processes.isEmpty && processes.count <= 3)
                #expect(pool.statistics.leasedConnections == 0)
                #expect(pool.statistics.idleConnections == processes.count)
            }
        }
    }

    @Test func waitingEndsAtTheDeadlineAndTheQueueIsBounded() async throws {
        try await withDatabase { (configuration) async throws in
            try await withPool(
                configuration,
                {
                    $0.maximumConnections = 1
                    $0.maximumWaiters = 1
                }
            ) { (pool) async throws in
                try await pool.withConnection { _ async throws in
                    async let waiting = postgresError {
                        try await pool.withConnection(deadline: .milliseconds(300)) { _ in }
                    }
                    #expect(try await eventually { pool.statistics.waitingCallers == 1 })
                    #expect(await postgresError { try await pool.withConnection { _ in } }?.code == .poolExhausted)
                    #expect(await waiting?.code == .poolDeadline)
                }
                try await pool.withConnection { _ in }
                #expect(pool.statistics.refusedCallers == .init(queueFull: 1, deadline: 1))
                #expect(pool.statistics.maximumConnections == 1)
            }
        }
    }

    @Test func aCancelledCallerLeavesTheQueue() async throws {
        try await withDatabase { (configuration) async throws in
            try await withPool(configuration, { $0.maximumConnections = 1 }) { (pool) async throws in
                try await pool.withConnection { _ async throws in
                    let task = Task { try await pool.withConnection { _ in } }
                    #expect(try await eventually { pool.statistics.waitingCallers == 1 })
                    task.cancel()
                    #expect(await postgresError { try await task.value }?.code == .cancelled)
                    #expect(pool.statistics.waitingCallers == 0)
                }
            }
        }
    }

    @Test func brokenConnectionsAreReplaced() async throws {
        try await withDatabase { (configuration) async throws in
            let (proxy, proxied) = try FaultProxy.inFront(of: configuration)
            defer { proxy.stop() }
            try await withPool(proxied, { $0.maximumConnections = 1 }) { (pool) async throws in
                let first = try await pool.withConnection { $0.backendProcessID }
                proxy.cut()
                #expect(try await eventually { pool.statistics.idleConnections == 0 })
                let second = try await pool.withConnection { (connection) async throws in
                    try await connection.query("SELECT 1")
                    return connection.backendProcessID
                }
                #expect(first != second)
                let failure = await postgresError {
                    try await pool.withConnection { (connection) async throws in
                        proxy.cut()
                        try await connection.query("SELECT pg_sleep(10)", timeout: .seconds(5))
                    }
                }
                #expect(failure?.code == .connectionLost)
                #expect(try await pool.withConnection { try await $0.query("SELECT 1").count } == 1)
            }
        }
    }

    @Test func aShortOutageIsBridgedAndALongOneFailsFast() async throws {
        try await withDatabase { (configuration) async throws in
            let (proxy, proxied) = try FaultProxy.inFront(of: configuration)
            defer { proxy.stop() }
            try await withPool(
                proxied,
                {
                    $0.retryDelay = .milliseconds(50)
                    $0.breakerCooldown = .milliseconds(400)
                }
            ) { (pool) async throws in
                proxy.refuse()
                let failure = await postgresError { try await pool.withConnection { _ in } }
                #expect(failure?.code == .poolUnavailable)
                #expect(pool.statistics.isBreakerOpen)
                let start = ContinuousClock.now
                #expect(await postgresError { try await pool.withConnection { _ in } }?.code == .poolUnavailable)
                #expect(ContinuousClock.now - start < .milliseconds(200))
                #expect(pool.statistics.refusedCallers == .init(unavailable: 2))
                proxy.resume()
                #expect(try await eventually { await postgresError { try await pool.withConnection { _ in } } == nil })
                #expect(!pool.statistics.isBreakerOpen)
            }
        }
    }

    @Test func aWrongDatabaseFailsAtOnceWithItsSQLSTATE() async throws {
        var configuration = try PostgresTestDatabase.serverConfiguration()
        configuration.database = "no_such_database"
        let failure = await postgresError { try await withPool(configuration) { try await $0.withConnection { _ in } } }
        #expect(failure?.code == .poolUnavailable && failure?.sqlState == .databaseDoesNotExist)
    }

    @Test func connectionsComeBackClean() async throws {
        try await withDatabase { (configuration) async throws in
            try await withPool(configuration, { $0.maximumConnections = 1 }) { (pool) async throws in
                let first = try await pool.withConnection { (connection) async throws in
                    try await connection.execute("BEGIN")
                    try await connection.execute("CREATE TABLE public.t (a int8)")
                    _ = try await connection.beginCopyIn("COPY public.t FROM STDIN (FORMAT binary)")
                    return connection.backendProcessID
                }
                try await pool.withConnection { (connection) async throws in
                    #expect(connection.backendProcessID == first)
                    let table = try await connection.query("SELECT to_regclass('public.t')::text")
                    #expect(try table.onlyValue(as: String?.self) == nil)
                }
            }
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        try await withDatabase { (configuration) async throws in
            try await withPool(configuration, { $0.idleTimeout = .milliseconds(100) }) { (pool) async throws in
                try await pool.withConnection { _ in }
                #expect(pool.statistics.idleConnections == 1)
                #expect(try await eventually { pool.statistics.idleConnections == 0 })
            }
        }
    }

    @Test func afterShutdownNothingIsLentAndLoansAreWaitedFor() async throws {
        try await withDatabase { (configuration) async throws in
            let pool = PostgresPool(configuration: configuration)
            let running = Task { await pool.run() }
            try await pool.withConnection { (connection) async throws in
                running.cancel()
                #expect(
                    try await eventually {
                        await postgresError { try await pool.withConnection { _ in } }?.code == .poolShutDown
                    })
                #expect(try await connection.query("SELECT 1").count == 1)
            }
            await running.value
            #expect(pool.statistics.idleConnections == 0)
        }
    }
}
