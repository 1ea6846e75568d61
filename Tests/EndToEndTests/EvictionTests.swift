import PostgresClient
import RedisClient
import TestSupport
import Testing

/// A Redis that evicts: what is gone must not look like an entity that never was.
@Suite struct EvictionTests {
    /// A view whose values expire, late: those are what `volatile-ttl` may evict, and the sentinel is not.
    private static let definitions = """
        \(Shop.head)
        \(ScoreWorld.view)ttl: 36500d
        """

    private func prepare(_ larder: Installation) async throws {
        try larder.write(Self.definitions)
        try await larder.succeed("apply", "--yes")
        try await larder.succeed(
            "push", "scores", "-", "--format", "csv", "--to", "offline",
            input: "customer_id,at,score\n1,2024-05-01T10:00:00Z,5\n")
        try await larder.succeed("materialize")
    }

    /// Evicts everything that may be, and then sets the server right.
    private func evict(_ larder: Installation) async throws {
        try await withRedisClient(larder.redis.configuration, logger: .silent) { redis in
            _ = try await redis.execute(RedisCommand("CONFIG", "SET", "maxmemory-policy", "volatile-ttl"))
            _ = try await redis.execute(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            try await larder.wait(for: "an eviction") {
                let statistics = try await redis.execute(RedisCommand("INFO", "stats")).string ?? ""
                return statistics.contains(/evicted_keys:[1-9]/)
            }
            _ = try await redis.execute(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
            _ = try await redis.execute(RedisCommand("CONFIG", "SET", "maxmemory-policy", "noeviction"))
        }
    }

    @Test(arguments: [true, false]) func `what was evicted is refused, and published again`(fills: Bool) async throws {
        try await Installation.run { larder in
            try await prepare(larder)
            var served = larder
            served.environment["LARDER_SERVING_REFILL"] = fills ? "on" : "off"
            try await served.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                try await evict(larder)
                try await larder.wait(for: "the log to say so") {
                    server.log.contains("error larder: Redis has evicted keys")
                }
                if !fills {
                    let answer = try await server.askScore()
                    #expect(answer.status == 503 && answer.code == "online_store_rebuilding", "\(answer)")
                    try await larder.succeed("materialize", "--only", "online")
                }
                try await server.waitForScore(within: .seconds(10))
                // It is over: nothing is refused, or published, for the same evictions once more.
                try await Task.sleep(for: .seconds(1))
                #expect(ScoreWorld.isRight(try await server.askScore()))
                let jobs = try await larder.query("SELECT count(*) FROM larder.job", as: Int64.self)
                #expect(jobs == (fills ? 1 : 0))
            }
        }
    }

    @Test func `a materialization without a server publishes again what was evicted`() async throws {
        try await Installation.run { larder in
            try await prepare(larder)
            try await evict(larder)
            try await larder.succeed("materialize")
            let answer = try await larder.json(
                "get-online-features", "--features", "scores:score", "--keys", "customer_id=1")
            #expect("\(answer)".contains("PRESENT"), "\(answer)")
        }
    }
}
