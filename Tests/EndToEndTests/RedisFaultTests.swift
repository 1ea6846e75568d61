import Foundation
import PostgresClient
import RedisClient
import TestSupport
import Testing

/// What online reads and pushes answer while something is the matter with Redis, how soon, and that it passes by itself.
@Suite struct RedisFaultTests {
    /// The answer to a read that Redis keeps waiting comes at `redis.timeout`, whose default this is.
    private static let timeout: Duration = .milliseconds(100)
    /// What an answer may take that waits for nothing.
    private static let atOnce: Duration = .milliseconds(80)
    private static let recovery: Duration = .seconds(1)

    /// Runs `body` with a server whose way to Redis leads through a proxy.
    private func withServer(
        _ environment: [String: String] = [:],
        _ body: (_ larder: Installation, _ redis: FaultProxy, _ server: RunningServer) async throws -> Void
    ) async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            guard case .unixSocket(let path) = larder.redis.configuration.address else {
                Issue.record("the test's Redis has no socket")
                return
            }
            let proxy = try FaultProxy(to: .unixSocket(path: path))
            defer { proxy.stop() }
            var served = larder
            served.environment["LARDER_REDIS_URL"] = "redis://127.0.0.1:\(proxy.port)"
            served.environment.merge(environment) { $1 }
            try await served.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                try await body(served, proxy, server)
            }
        }
    }

    private func expectUnavailable(
        _ answer: RawAnswer, _ code: String = "online_store_unavailable",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(answer.status == 503 && answer.code == code, "\(answer)", sourceLocation: sourceLocation)
        #expect(answer.header("retry-after") != nil, "\(answer.head)", sourceLocation: sourceLocation)
    }

    /// A push that stands in PostgreSQL, and is not published.
    private func expectPending(
        _ answer: RunningServer.Answer, reason: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            answer.status == 202 && answer["online"] as? String == "pending", "\(answer)",
            sourceLocation: sourceLocation)
        let detail = (answer["online_pending"] as? [String: Any])?["detail"] as? String ?? ""
        if let reason { #expect(detail.contains(reason), "\(answer)", sourceLocation: sourceLocation) }
    }

    private func command(_ larder: Installation, _ command: RedisCommand) async throws {
        try await withRedisClient(larder.redis.configuration, logger: .silent) { _ = try await $0.execute(command) }
    }

    // MARK: Slow and gone

    @Test func `a Redis that is slow is given up at the deadline, and is as good as ever afterwards`() async throws {
        try await withServer { _, redis, server in
            redis.stall()
            var durations: [Duration] = []
            // Together shorter than what a connection is taken for dead after.
            for _ in 0..<5 {
                let answer = try await server.askScore()
                expectUnavailable(answer)
                durations.append(answer.duration)
            }
            let fastest = try #require(durations.min())
            #expect(fastest >= Self.timeout && fastest < Self.timeout + .milliseconds(50), "\(durations)")
            #expect(durations.allSatisfy { $0 < Self.timeout * 3 }, "\(durations)")
            redis.resume()
            let answer = try await server.askScore()
            #expect(ScoreWorld.isRight(answer), "\(answer)")
        }
    }

    @Test func `a read has the time that the setting gives it`() async throws {
        try await withServer(["LARDER_REDIS_TIMEOUT": "400ms"]) { _, redis, server in
            redis.stall()
            let refused = try await server.askScore()
            expectUnavailable(refused)
            #expect(refused.duration >= .milliseconds(400) && refused.duration < .milliseconds(600), "\(refused)")
            let late = Task { try await server.askScore() }
            try await Task.sleep(for: .milliseconds(200))
            redis.resume()
            let answer = try await late.value
            #expect(ScoreWorld.isRight(answer) && answer.duration > Self.timeout, "\(answer)")
        }
    }

    @Test func `a connection that hangs is cut off, and made anew within a second of its end`() async throws {
        try await withServer { _, redis, server in
            redis.stall()
            let end = ContinuousClock.now + .seconds(2)
            while ContinuousClock.now < end {
                let answer = try await server.askScore()
                expectUnavailable(answer)
                #expect(answer.duration < Self.timeout * 3, "\(answer)")
            }
            redis.resume()
            try await server.waitForScore(within: Self.recovery) { expectUnavailable($0) }
        }
    }

    @Test func `reads beyond those that may wait are refused at once`() async throws {
        try await withServer(["LARDER_REDIS_TIMEOUT": "1s", "LARDER_REDIS_QUEUED_COMMANDS": "2"]) { _, redis, server in
            redis.stall()
            // More than may wait on all connections, of which there is one a processor.
            let count = 2 * ProcessInfo.processInfo.activeProcessorCount + 8
            let answers = try await withThrowingTaskGroup(of: RawAnswer.self) { group in
                for _ in 0..<count { group.addTask { try await server.askScore() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for answer in answers { expectUnavailable(answer) }
            let isShed = answers.map { $0.duration < .milliseconds(500) }
            #expect(isShed.contains(true) && isShed.contains(false), "\(answers)")
            redis.resume()
            try await server.waitForScore(within: Self.recovery) { expectUnavailable($0) }
        }
    }

    @Test func `a Redis that is gone is told at once, and found again within a second of its return`() async throws {
        try await withServer { _, redis, server in
            redis.refuse()
            try await Task.sleep(for: .milliseconds(50))
            for _ in 0..<20 {
                let answer = try await server.askScore()
                expectUnavailable(answer)
                #expect(answer.duration < Self.atOnce, "\(answer)")
                try await Task.sleep(for: .milliseconds(50))
            }
            expectPending(try await server.post(ScoreWorld.rowsPath, ScoreWorld.push(6, minute: 1)))
            redis.resume()
            try await server.waitForScore(within: Self.recovery) { expectUnavailable($0) }
        }
    }

    // MARK: Without its data

    @Test(arguments: [true, false])
    func `a Redis without its data is filled again, once for all servers`(isRestarted: Bool) async throws {
        try await withServer { larder, _, server in
            try await larder.withServer { other in
                let start = ContinuousClock.now
                if isRestarted {
                    larder.redis.kill()
                    expectUnavailable(try await server.askScore())
                    try await larder.redis.start()
                } else {
                    try await larder.redis.empty()
                    expectUnavailable(try await server.askScore(), "online_store_rebuilding")
                }
                var codes: Set<String> = []
                for each in [server, other] {
                    try await each.waitForScore(within: .seconds(5)) { answer in
                        #expect(answer.status == 503 && answer.header("retry-after") != nil, "\(answer)")
                        codes.insert(answer.code ?? "none")
                    }
                }
                #expect(codes.isSubset(of: ["online_store_rebuilding", "online_store_unavailable"]), "\(codes)")
                #expect(ContinuousClock.now - start < .seconds(5))
                let jobs = try await larder.query(
                    "SELECT count(*) FROM larder.job WHERE key LIKE 'refill:%'", as: Int64.self)
                #expect(jobs == 1)
                let pushed = try await server.post(ScoreWorld.rowsPath, ScoreWorld.push(7, minute: 2))
                #expect(pushed.status == 200 && pushed["online"] as? String == "published", "\(pushed)")
                try await other.waitForScore(7, within: Self.recovery)
            }
        }
    }

    /// What a push has shown may not go again, whoever fills Redis: a row that is a little ahead of the clock, and one that a
    /// server whose clock stands still would not have published.
    @Test(arguments: [false, true])
    func `a Redis is filled again with all that was shown`(isFilledByFixedClock: Bool) async throws {
        try await withServer(["LARDER_SERVING_REFILL": isFilledByFixedClock ? "off" : "on"]) { larder, _, server in
            let ahead = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: 45))
            let row = #"{"customer_id": 1, "at": "\#(ahead)", "score": 8}"#
            let pushed = try await server.post(
                ScoreWorld.rowsPath, #"{"schema_version": 1, "rows": [\#(row)]}"#)
            #expect(pushed.status == 200 && pushed["online"] as? String == "published", "\(pushed)")
            try await server.waitForScore(8, within: Self.recovery)
            try await larder.redis.empty()
            func waitForAll() async throws {
                try await server.waitForScore(8, within: .seconds(5)) { #expect($0.status == 503, "\($0)") }
            }
            guard isFilledByFixedClock else { return try await waitForAll() }
            var other = larder
            other.environment["LARDER_SERVING_REFILL"] = "on"
            try await other.withServer("--clock-fixed", "2024-06-01T00:00:00Z") { _ in try await waitForAll() }
        }
    }

    @Test func `without the setting a Redis stays empty until somebody publishes`() async throws {
        try await withServer(["LARDER_SERVING_REFILL": "off"]) { larder, _, server in
            try await larder.redis.empty()
            let end = ContinuousClock.now + .seconds(2)
            while ContinuousClock.now < end {
                expectUnavailable(try await server.askScore(), "online_store_rebuilding")
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try await server.get("/health/ready").status == 503)
            #expect(try await larder.query("SELECT count(*) FROM larder.job", as: Int64.self) == 0)
            try await larder.succeed("materialize")
            try await server.waitForScore(within: Self.recovery)
            #expect(try await server.get("/health/ready").status == 200)
        }
    }

    @Test func `somebody who publishes while a server has it filled again does not get in its way`() async throws {
        try await withServer { larder, _, server in
            for _ in 0..<3 {
                try await larder.redis.empty()
                async let first: String = larder.succeed("materialize")
                async let second: String = larder.succeed("materialize", "--only", "online")
                _ = try await (first, second)
                try await server.waitForScore(within: .seconds(5))
            }
            let failed = try await larder.query(
                "SELECT count(*) FROM larder.job WHERE state = 'failed'", as: Int64.self)
            #expect(failed == 0)
        }
    }

    // MARK: Not taking writes

    @Test func `a read-only replica is read, and pushes wait`() async throws {
        try await withServer { larder, _, server in
            // Nobody is there: the replica keeps what it has.
            try await command(larder, RedisCommand("REPLICAOF", "127.0.0.1", "1"))
            expectPending(
                try await server.post(ScoreWorld.rowsPath, ScoreWorld.push(6, minute: 1)), reason: "read-only replica")
            let answer = try await server.askScore()
            #expect(ScoreWorld.isRight(answer), "\(answer)")
            try await command(larder, RedisCommand("REPLICAOF", "NO", "ONE"))
            let pushed = try await server.post(ScoreWorld.rowsPath, ScoreWorld.push(7, minute: 2))
            #expect(pushed.status == 200, "\(pushed)")
            try await server.waitForScore(7, within: Self.recovery)
        }
    }

    @Test func `a Redis out of memory is read, and pushes say why they wait until it has room`() async throws {
        try await withServer { larder, _, server in
            try await command(larder, RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            expectPending(
                try await server.post(ScoreWorld.rowsPath, ScoreWorld.push(6, minute: 1)), reason: "out of memory")
            let metrics = try await server.get("/metrics").text
            let line = #"larder_publications_pending_total{code="online_store_unavailable",name="scores"} 1"#
            #expect(metrics.contains(line), "\(metrics)")
            let answer = try await server.askScore()
            #expect(ScoreWorld.isRight(answer), "\(answer)")
            // No job tries in vain meanwhile.
            try await Task.sleep(for: .seconds(1))
            #expect(try await larder.query("SELECT count(*) FROM larder.job", as: Int64.self) == 0)
            try await command(larder, RedisCommand("CONFIG", "SET", "maxmemory", "0"))
            try await server.waitForScore(6, within: .seconds(10))
            #expect(server.log.contains("notice larder: pushed rows that waited are being published"), "\(server.log)")
        }
    }

    // MARK: Garbage

    @Test(arguments: ["garbage\r\n", "*1\r\n$-1\r\n", "*3\r\n$-1\r\n$-1\r\n$-1\r\n", "+OK\r\n", ":7\r\n", "*-1\r\n"])
    func `an answer that is not what was asked for is refused, and the next one is right`(
        _ bytes: String
    ) async throws {
        // Nothing but reads may get the wrong answer, nor the greeting of another event loop's connection.
        let settings = ["LARDER_SERVING_REFILL": "off", "NIO_SINGLETON_GROUP_LOOP_COUNT": "1"]
        try await withServer(settings) { _, redis, server in
            for _ in 0..<3 {
                redis.replaceNextAnswer(by: Array(bytes.utf8))
                let answer = try await server.askScore()
                expectUnavailable(answer)
                #expect(answer.duration < Self.atOnce, "\(answer)")
                try await server.waitForScore(within: Self.recovery)
            }
        }
    }
}
