import PostgresClient
import TestSupport
import Testing

/// Deadlines, cancellation and connections that break.
@Suite struct InterruptionTests {
    @Test func aDeadlineStopsTheStatementInTheServerAndKeepsTheConnection() async throws {
        try await withConnection { (connection) async throws in
            let clock = ContinuousClock()
            let start = clock.now
            let failure = await postgresError {
                try await connection.query("SELECT pg_sleep(60)", timeout: .milliseconds(150))
            }
            #expect(failure?.code == .timeout)
            #expect(clock.now - start < .seconds(10))
            #expect(!connection.isBroken)
            for number in 0..<20 {
                #expect(try await connection.query("SELECT \(number)").onlyValue(as: Int.self) == number)
            }
        }
    }

    @Test func deadlinesHoldInTheMiddleOfRows() async throws {
        try await withConnection { (connection) async throws in
            let endless: PostgresQuery = "SELECT generate_series(1, 2000000000), repeat('x', 100)"
            #expect(
                await postgresError { try await connection.query(endless, timeout: .milliseconds(100)) }?.code
                    == .timeout)
            #expect(try await connection.query("SELECT 1").count == 1)
        }
    }

    @Test func deadlinesHoldForEveryChunkOfACopy() async throws {
        try await withConnection { (connection) async throws in
            let copy = try await connection.beginCopyOut(
                """
                COPY (SELECT CASE WHEN n = 100000 THEN pg_sleep(60)::text ELSE repeat('x', 100) END
                    FROM generate_series(1, 200000) n)
                TO STDOUT (FORMAT binary)
                """, timeout: .milliseconds(500))
            let failure = await postgresError { try await drain(copy) }
            #expect(failure?.code == .timeout)
            #expect(try await connection.query("SELECT 1").count == 1)
        }
    }

    @Test func cancellingTheTaskStopsTheStatementInTheServer() async throws {
        try await withDatabase { (configuration) async throws in
            try await connected(to: configuration) { (connection) async throws in
                try await connected(to: configuration) { (observer) async throws in
                    let task = Task { try await connection.query("SELECT pg_sleep(60)") }
                    let isSleeping = { () async throws -> Bool in
                        try await observer.query(
                            """
                            SELECT count(*) FROM pg_stat_activity
                            WHERE pid = \(connection.backendProcessID) AND state = 'active' AND query LIKE '%pg_sleep%'
                            """
                        ).onlyValue(as: Int.self) == 1
                    }
                    #expect(try await eventually { try await isSleeping() })
                    task.cancel()
                    #expect(await postgresError { _ = try await task.value }?.code == .cancelled)
                    #expect(try await !isSleeping())
                    #expect(try await connection.query("SELECT 1").count == 1)
                }
            }
        }
    }

    @Test func aCancelledTaskSendsNothing() async throws {
        try await withConnection { (connection) async throws in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await connection.execute("CREATE TABLE public.t (a int8)")
            }
            #expect(await postgresError { _ = try await task.value }?.code == .cancelled)
            #expect(
                try await connection.query("SELECT to_regclass('public.t')::text").onlyValue(as: String?.self) == nil)
        }
    }

    @Test func aBackendThatIsTerminatedIsAConnectionLost() async throws {
        try await withDatabase { (configuration) async throws in
            try await connected(to: configuration) { (observer) async throws in
                try await connected(to: configuration) { (victim) async throws in
                    let task = Task { try await victim.query("SELECT pg_sleep(60)") }
                    try await Task.sleep(for: .milliseconds(100))
                    try await observer.query("SELECT pg_terminate_backend(\(victim.backendProcessID))")
                    let failure = await postgresError { _ = try await task.value }
                    #expect(failure?.code == .connectionLost)
                    #expect(failure?.sqlState == .adminShutdown)
                    #expect(victim.isBroken)
                    #expect(await postgresError { try await victim.query("SELECT 1") }?.code == .connectionLost)
                }
            }
        }
    }

    @Test func anIdleConnectionNoticesThatTheServerLeft() async throws {
        try await withDatabase { (configuration) async throws in
            try await connected(to: configuration) { (observer) async throws in
                let victim = try await PostgresConnection.connect(configuration)
                try await observer.query("SELECT pg_terminate_backend(\(victim.backendProcessID))")
                #expect(try await eventually { victim.isBroken })
                let failure = await postgresError { try await victim.query("SELECT 1") }
                #expect(failure?.code == .connectionLost && failure?.sqlState == .adminShutdown)
            }
        }
    }

    @Test func aStalledPeerCannotHoldACallerBeyondItsDeadline() async throws {
        try await withDatabase { (configuration) async throws in
            let (proxy, proxied) = try FaultProxy.inFront(of: configuration)
            defer { proxy.stop() }
            let connection = try await PostgresConnection.connect(proxied)
            #expect(try await connection.query("SELECT 1").count == 1)
            proxy.stall()
            let clock = ContinuousClock()
            let start = clock.now
            #expect(
                await postgresError { try await connection.query("SELECT 2", timeout: .milliseconds(300)) }?.code
                    == .timeout)
            #expect(clock.now - start < .seconds(9))
            #expect(connection.isBroken)
        }
    }

    @Test func connectingToAStalledPeerEndsAtItsDeadline() async throws {
        let (proxy, stalled) = try FaultProxy.inFront(of: PostgresTestDatabase.serverConfiguration())
        defer { proxy.stop() }
        proxy.stall()
        var configuration = stalled
        configuration.connectTimeout = .milliseconds(300)
        #expect(
            await postgresError { _ = try await PostgresConnection.connect(configuration) }?.code == .connectionFailed)
        configuration.connectTimeout = .seconds(60)
        let task = Task { [configuration] in try await PostgresConnection.connect(configuration) }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        #expect(await postgresError { _ = try await task.value }?.code == .cancelled)
    }

    @Test func aBrokenCommitSaysThatItsOutcomeIsUnknown() async throws {
        try await withDatabase { (configuration) async throws in
            let (proxy, proxied) = try FaultProxy.inFront(of: configuration)
            defer { proxy.stop() }
            let connection = try await PostgresConnection.connect(proxied)
            let failure = await postgresError {
                try await connection.transaction { (connection) async throws in
                    try await connection.execute("CREATE TABLE public.t (a int8)")
                    proxy.stall()
                    Task {
                        try await Task.sleep(for: .milliseconds(100))
                        proxy.cut()
                    }
                }
            }
            #expect(failure?.code == .commitOutcomeUnknown)
            #expect(connection.isBroken)
        }
    }

    @Test func theServersOwnTimeoutIsTheNetBeneath() async throws {
        try await withDatabase { (configuration) async throws in
            var configuration = configuration
            configuration.statementTimeout = .milliseconds(100)
            try await connected(to: configuration) { (connection) async throws in
                let failure = await postgresError { try await connection.query("SELECT pg_sleep(60)") }
                #expect(failure?.sqlState == .queryCanceled)
                #expect(try await connection.query("SELECT 1").count == 1)
            }
        }
    }

    @Test func callsAfterCloseSayClosed() async throws {
        try await withDatabase { (configuration) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            await connection.close()
            await connection.close()
            #expect(connection.isBroken)
            #expect(await postgresError { try await connection.query("SELECT 1") }?.code == .connectionClosed)
        }
    }
}
