import Logging
import NIOCore
import NIOPosix
import RedisClient
import TestSupport
import Testing

/// What happens to the callers when the server, the network or a neighbour misbehaves.
@Suite(.timeLimit(.minutes(1)))
struct RedisFailureTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func connect(_ configuration: RedisConfiguration) async throws(RedisError) -> RedisConnection {
        try await RedisConnection.connect(
            configuration, on: MultiThreadedEventLoopGroup.singleton.next(), logger: Self.logger)
    }

    /// Runs `body` with a connection whose server does not answer until the returned closure is called.
    private func withPausedServer(
        commandTimeout: Duration = .seconds(20),
        stallTimeout: Duration = .seconds(40),
        maximumQueuedCommands: Int = 100,
        _ body: (_ paused: RedisConnection, _ resume: () async throws -> Void) async throws -> Void
    ) async throws {
        try await withPrivateRedis { configuration, _ in
            let control = try await connect(configuration)
            var settings = configuration
            settings.commandTimeout = commandTimeout
            settings.stallTimeout = stallTimeout
            settings.maximumQueuedCommands = maximumQueuedCommands
            let connection = try await connect(settings)
            // Longer than any test: only writes and scripts wait, so that the control connection still works.
            _ = try await control.execute(RedisCommand("CLIENT", "PAUSE", 60_000, "WRITE"))
            try await body(connection) { _ = try await control.execute(RedisCommand("CLIENT", "UNPAUSE")) }
            await connection.close()
            await control.close()
        }
    }

    // MARK: Timeouts and cancellation

    @Test func aCommandWithoutReplyTimesOutAndItsLateReplyReachesNobodyElse() async throws {
        try await withPausedServer(commandTimeout: .milliseconds(100)) { connection, resume in
            let error = await #expect(throws: RedisError.self) {
                try await connection.execute(RedisCommand("INCR", "late"))
            }
            #expect(error?.code == .timeout)
            try await resume()
            #expect(try await connection.execute(RedisCommand("ECHO", "mine")).string == "mine")
            #expect(try await connection.execute(RedisCommand("GET", "late")).string == "1")
            #expect(connection.isActive)
        }
    }

    @Test func aTimedOutPipelineHasAnOutcomeForEachCommand() async throws {
        try await withPausedServer(commandTimeout: .milliseconds(100)) { connection, resume in
            let outcomes = try await connection.execute([
                RedisCommand("ECHO", "before"), RedisCommand("INCR", "n"), RedisCommand("ECHO", "after"),
            ])
            #expect(try outcomes[0].get().string == "before")
            for outcome in outcomes.dropFirst() {
                #expect(throws: RedisError.self) { try outcome.get() }
            }
            try await resume()
        }
    }

    @Test func aCancelledCommandDoesNotTouchItsNeighbours() async throws {
        try await withPausedServer { connection, resume in
            async let before = connection.execute(RedisCommand("INCR", "before"))
            // A write, which the pause holds up wherever it stands in the queue.
            let cancelled = Task { try await connection.execute(RedisCommand("INCR", "unwanted")) }
            async let after = connection.execute(RedisCommand("ECHO", "wanted"))
            try await Task.sleep(for: .milliseconds(50))
            cancelled.cancel()
            let error = await #expect(throws: RedisError.self) { try await cancelled.value }
            #expect(error?.code == .cancelled)
            try await resume()
            #expect(try await before == .integer(1))
            #expect(try await after.string == "wanted")
        }
    }

    @Test func aCancelledPipelineThrowsAndLeavesTheConnectionUsable() async throws {
        try await withPausedServer { connection, resume in
            let cancelled = Task {
                try await connection.execute(Array(repeating: RedisCommand("INCR", "n"), count: 50))
            }
            try await Task.sleep(for: .milliseconds(50))
            cancelled.cancel()
            let error = await #expect(throws: RedisError.self) { try await cancelled.value }
            #expect(error?.code == .cancelled)
            try await resume()
            #expect(try await connection.execute(RedisCommand("ECHO", "next")).string == "next")
        }
    }

    @Test func aTaskThatWasCancelledBeforeSendsNothing() async throws {
        try await withPrivateRedis { configuration, _ in
            let connection = try await connect(configuration)
            for _ in 0..<200 {
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await connection.execute(RedisCommand("INCR", "n"))
                }
                let error = await #expect(throws: RedisError.self) { try await task.value }
                #expect(error?.code == .cancelled)
            }
            #expect(try await connection.execute(RedisCommand("GET", "n")) == .null)
            await connection.close()
        }
    }

    @Test func cancellingAtRandomMomentsNeverMixesReplies() async throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SplitMix64(state: seed)
        try await withPrivateRedis { configuration, _ in
            let connection = try await connect(configuration)
            for round in 0..<300 {
                let tasks = (0..<5).map { index in
                    Task { try await connection.execute(RedisCommand("ECHO", .string("\(round)-\(index)"))).string }
                }
                let victim = Int.random(in: 0..<5, using: &generator)
                if Bool.random(using: &generator) { await Task.yield() }
                tasks[victim].cancel()
                for (index, task) in tasks.enumerated() {
                    switch await task.result {
                    case .success(let text): #expect(text == "\(round)-\(index)", "seed \(seed)")
                    case .failure(let error):
                        #expect(index == victim && (error as? RedisError)?.code == .cancelled, "seed \(seed)")
                    }
                }
            }
            await connection.close()
        }
    }

    @Test func aConnectionWhoseOldestCommandIsTooOldIsClosed() async throws {
        try await withPausedServer(commandTimeout: .milliseconds(50), stallTimeout: .milliseconds(200)) {
            connection, _ in
            let error = await #expect(throws: RedisError.self) {
                try await connection.execute(RedisCommand("INCR", "n"))
            }
            #expect(error?.code == .timeout)
            try await connection.closeFuture.get()
            let refused = await #expect(throws: RedisError.self) { try await connection.execute(RedisCommand("PING")) }
            #expect(refused?.code == .notConnected)
        }
    }

    // MARK: Limits

    @Test func aFullQueueRefusesWithoutSendingAndRecovers() async throws {
        try await withPausedServer(maximumQueuedCommands: 3) { connection, resume in
            async let first = connection.execute(RedisCommand("INCR", "n"))
            async let second = connection.execute(RedisCommand("INCR", "n"))
            try await Task.sleep(for: .milliseconds(50))
            let error = await #expect(throws: RedisError.self) {
                try await connection.execute([RedisCommand("INCR", "n"), RedisCommand("INCR", "n")])
            }
            #expect(error?.code == .queueFull)
            try await resume()
            let replies = try await [first, second].compactMap(\.integerValue).sorted()
            #expect(replies == [1, 2])
            #expect(try await connection.execute(RedisCommand("INCR", "n")) == .integer(3))
        }
    }

    // MARK: Peers that are not well

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n\r\n", "$-7\r\n", ":1x\r\n", "*99999999999\r\n", String(repeating: "*1\r\n", count: 12),
    ])
    func garbageFailsTheCommandAndClosesTheConnection(garbage: String) async throws {
        try await FakeRedis.run([FakeRedis.handshake, garbage]) { peer in
            let connection = try await connect(RedisConfiguration(url: peer.url))
            #expect(connection.runID == "pretend")
            let error = await #expect(throws: RedisError.self) { try await connection.execute(RedisCommand("PING")) }
            #expect(error?.code == .protocolViolation)
            try await connection.closeFuture.get()
        }
    }

    @Test func aReplyThatNobodyAskedForClosesTheConnection() async throws {
        try await FakeRedis.run([FakeRedis.handshake, "+ONE\r\n+TWO\r\n"]) { peer in
            let connection = try await connect(RedisConfiguration(url: peer.url))
            #expect(try await connection.execute(RedisCommand("PING")) == .status("ONE"))
            try await connection.closeFuture.get()
        }
    }

    @Test func aPeerThatHangsUpFailsEveryPendingCommand() async throws {
        try await FakeRedis.run([FakeRedis.handshake, nil]) { peer in
            let connection = try await connect(RedisConfiguration(url: peer.url))
            let outcomes = try await connection.execute(Array(repeating: RedisCommand("PING"), count: 5))
            #expect(outcomes.count == 5)
            for outcome in outcomes {
                let error = #expect(throws: RedisError.self) { try outcome.get() }
                #expect(error?.code == .connectionLost)
            }
        }
    }

    @Test(
        arguments: [
            ("$3\r\nabc\r\n+OK\r\n", RedisError.Code.connectionFailed), ("HTTP/1.1 400\r\n", .connectionFailed),
            ("-NOAUTH Authentication required.\r\n-NOAUTH Authentication required.\r\n", .authenticationFailed),
            (nil, .connectionFailed),
        ] as [(String?, RedisError.Code)])
    func aHandshakeThatFailsSaysWhy(answer: String?, code: RedisError.Code) async throws {
        try await FakeRedis.run([answer]) { peer in
            let configuration = try RedisConfiguration(url: peer.url)
            let error = await #expect(throws: RedisError.self) { try await connect(configuration) }
            #expect(error?.code == code)
        }
    }

    @Test func aPeerThatNeverAnswersTheHandshakeIsGivenUp() async throws {
        try await FakeRedis.run([]) { peer in
            var configuration = try RedisConfiguration(url: peer.url)
            configuration.connectTimeout = .milliseconds(100)
            let settings = configuration
            let error = await #expect(throws: RedisError.self) { try await connect(settings) }
            #expect(error?.code == .connectionFailed)
        }
    }

    @Test func aServerWithTooManyClientsIsAConnectionFailureAlsoWithAPassword() async throws {
        try await withPrivateRedis(arguments: ["--requirepass", "right"]) { configuration, _ in
            guard case .unixSocket(let path) = configuration.address else { return }
            let settings = try RedisConfiguration(url: "redis+unix://:right@\(path)")
            let only = try await connect(settings)
            _ = try await only.execute(RedisCommand("CONFIG", "SET", "maxclients", 1))
            let error = await #expect(throws: RedisError.self) { try await connect(settings) }
            #expect(error?.code == .connectionFailed)
            await only.close()
        }
    }

    @Test func connectingCanBeCancelled() async throws {
        try await FakeRedis.run([]) { peer in
            let configuration = try RedisConfiguration(url: peer.url)
            let start = ContinuousClock.now
            let connecting = Task { try await connect(configuration) }
            try await Task.sleep(for: .milliseconds(50))
            connecting.cancel()
            let error = await #expect(throws: RedisError.self) { try await connecting.value }
            #expect(error?.code == .cancelled)
            #expect(ContinuousClock.now - start < configuration.connectTimeout)
        }
    }

    @Test func nobodyListeningIsAConnectionFailure() async throws {
        let configuration = try RedisConfiguration(url: "redis+unix:///nonexistent/redis.sock")
        let error = await #expect(throws: RedisError.self) {
            try await withRedisClient(configuration, logger: Self.logger) { _ in }
        }
        #expect(error?.code == .connectionFailed)
        #expect(error?.message.contains("/nonexistent/redis.sock") == true)
    }

    // MARK: Authentication

    @Test func aWrongPasswordIsAnAuthenticationFailureThatDoesNotShowIt() async throws {
        try await withPrivateRedis(arguments: ["--requirepass", "right"]) { configuration, _ in
            guard case .unixSocket(let path) = configuration.address else { return }
            let good = try await connect(RedisConfiguration(url: "redis+unix://:right@\(path)?db=2"))
            #expect(try await good.execute(RedisCommand("PING")) == .status("PONG"))
            await good.close()
            for url in ["redis+unix://:wr0ng@\(path)", "redis+unix://nobody:wr0ng@\(path)", "redis+unix://\(path)"] {
                let configuration = try RedisConfiguration(url: url)
                let error = await #expect(throws: RedisError.self) { try await connect(configuration) }
                #expect(error?.code == .authenticationFailed)
                #expect(error.map { !String(reflecting: $0).contains("wr0ng") } == true)
            }
        }
    }

    @Test func aDatabaseTheServerDoesNotHaveIsAConnectionFailure() async throws {
        try await withPrivateRedis { configuration, _ in
            guard case .unixSocket(let path) = configuration.address else { return }
            let settings = try RedisConfiguration(url: "redis+unix://\(path)?db=9999")
            let error = await #expect(throws: RedisError.self) { try await connect(settings) }
            #expect(error?.code == .connectionFailed)
        }
    }

    // MARK: Servers that die

    @Test func aKilledServerFailsPendingCommandsOnceAndAfterARestartTheRunIDIsAnother() async throws {
        try await withPrivateRedis { configuration, server in
            var settings = configuration
            settings.maximumReconnectDelay = .milliseconds(100)
            try await withRedisClient(settings, logger: Self.logger) { client in
                let first = try #require(client.connections.first)
                _ = try await client.execute(RedisCommand("CLIENT", "PAUSE", 60_000, "WRITE"))
                let pending = Task { try await client.execute([RedisCommand("INCR", "a"), RedisCommand("INCR", "b")]) }
                try await Task.sleep(for: .milliseconds(50))
                server.kill()
                for outcome in try await pending.value {
                    let error = #expect(throws: RedisError.self) { try outcome.get() }
                    #expect(error?.code == .connectionLost)
                }
                try await first.closeFuture.get()

                let start = ContinuousClock.now
                let down = await #expect(throws: RedisError.self) { try await client.execute(RedisCommand("PING")) }
                #expect(down.map { [.notConnected, .connectionLost].contains($0.code) } == true)
                #expect(ContinuousClock.now - start < .seconds(1), "while down, commands fail at once")

                try await server.start()
                let second = try await reconnected(client, after: first.generation)
                #expect(second.runID != first.runID)
                #expect(second.generation > first.generation)
                #expect(try await client.execute(RedisCommand("PING")) == .status("PONG"))
            }
        }
    }

    private func reconnected(_ client: RedisClient, after generation: UInt64) async throws -> RedisConnection {
        while true {
            if let connection = client.connections.first, connection.generation > generation { return connection }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test func anEmptiedServerKeepsItsConnectionAndRunID() async throws {
        try await withPrivateRedis { configuration, server in
            let connection = try await connect(configuration)
            _ = try await connection.execute(RedisCommand("SET", "k", "v"))
            try await server.empty()
            #expect(try await connection.execute(RedisCommand("GET", "k")) == .null)
            await connection.close()
        }
    }

    // MARK: Closing

    @Test func closingWaitsForPendingRepliesAndRefusesNewCommands() async throws {
        try await withPausedServer { connection, resume in
            async let pending = connection.execute(RedisCommand("INCR", "n"))
            try await Task.sleep(for: .milliseconds(50))
            async let closed: Void = connection.close()
            try await Task.sleep(for: .milliseconds(50))
            let error = await #expect(throws: RedisError.self) { try await connection.execute(RedisCommand("PING")) }
            #expect(error?.code == .closed)
            try await resume()
            #expect(try await pending == .integer(1))
            await closed
            #expect(!connection.isActive)
        }
    }

    @Test func aClientThatStoppedRefusesAndRunsOnlyOnce() async throws {
        try await withPrivateRedis { configuration, _ in
            let client = RedisClient(
                configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: Self.logger)
            let early = await #expect(throws: RedisError.self) { try await client.execute(RedisCommand("PING")) }
            #expect(early?.code == .notConnected)
            let running = Task { try await client.run() }
            try await client.waitUntilConnected()
            #expect(try await client.execute(RedisCommand("PING")) == .status("PONG"))
            running.cancel()
            try await running.value
            #expect(client.connections.isEmpty)
            let late = await #expect(throws: RedisError.self) { try await client.execute(RedisCommand("PING")) }
            #expect(late?.code == .closed)
            await #expect(throws: RedisError.self) { try await client.run() }
        }
    }

    @Test func waitingForAConnectionCanBeCancelled() async throws {
        let client = RedisClient(
            configuration: try RedisConfiguration(url: "redis://127.0.0.1:1"),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: Self.logger)
        let waiting = Task { try await client.waitUntilConnected() }
        waiting.cancel()
        let error = await #expect(throws: RedisError.self) { try await waiting.value }
        #expect(error?.code == .cancelled)
    }
}
