import Foundation
import RedisClient
import TestSupport
import Testing

/// What a server tells whoever is on call: in its log and in its metrics.
@Suite struct OnCallTests {
    @Test func `somebody who publishes to another Redis is told with both addresses, and louder the second time`()
        async throws
    {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            try await withPrivateRedis { configuration, _ in
                var other = larder
                other.environment["LARDER_REDIS_URL"] = "\(configuration)"
                let stranger = other
                try await larder.withServer { server in
                    try await server.waitForScore(within: .seconds(5))
                    // Long enough for a look at what Redis holds.
                    try await Task.sleep(for: .seconds(1))
                    try await stranger.succeed("materialize")
                    try await larder.wait(for: "Redis to be filled again") {
                        server.log.contains("notice larder: Redis holds what was published again")
                    }
                    let taken = try #require(
                        server.log.split(separator: "\n").first {
                            $0.contains("warning larder: the data was published to another Redis than this server's")
                        })
                    #expect(taken.contains(larder.redis.configuration.endpoint), "\(taken)")
                    #expect(taken.contains(configuration.endpoint), "\(taken)")
                    #expect(!server.log.contains("take turns"))
                    try await stranger.succeed("materialize")
                    try await larder.wait(for: "the server to say that there are two") {
                        server.log.contains("error larder: two Redis take turns as the online store")
                    }
                    try await server.waitForScore(within: .seconds(10))
                }
            }
        }
    }

    @Test func `the log says when Redis is back and filled again, and how long that took`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            try await larder.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                larder.redis.kill()
                try await larder.wait(for: "the loss to be told") {
                    server.log.contains("warning larder: lost the connection to Redis")
                }
                try await larder.redis.start()
                try await server.waitForScore(within: .seconds(10))
                try await larder.wait(for: "the return to be told") {
                    server.log.contains(/notice larder: Redis holds what was published again away_ms=\d+ project=shop/)
                }
                // Once for the connections that read and once for those that write, however many they are.
                func returns() -> Int {
                    server.log.matches(of: /notice larder: all connections to Redis are up again away_ms=\d+/).count
                }
                try await larder.wait(for: "all connections") { returns() >= 2 }
                #expect(returns() == 2, "\(server.log)")
                #expect(!server.log.contains("take turns") && !server.log.contains("another Redis"), "\(server.log)")
            }
        }
    }

    @Test func `what is the matter with Redis shows in the metrics, and that it is over`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            guard case .unixSocket(let path) = larder.redis.configuration.address else {
                Issue.record("the test's Redis has no socket")
                return
            }
            let redis = try FaultProxy(to: .unixSocket(path: path))
            defer { redis.stop() }
            var served = larder
            served.environment["LARDER_REDIS_URL"] = "redis://127.0.0.1:\(redis.port)"
            try await served.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                let metrics = RedisMetricsOfServer(server: server)
                let limit = try #require(try await metrics.ofReads("larder_redis_connections_limit"))
                try await metrics.waitForConnections(limit)
                #expect(try await metrics.value(RedisMetricsOfServer.usable) == 1)
                #expect(try await metrics.ofReads("larder_redis_reconnects_total") == 0)
                #expect(try await metrics.value(#"larder_redis_connections{client="larder-writes"}"#) != nil)
                let timed = try #require(try await metrics.ofReads("larder_redis_command_duration_seconds_count"))
                #expect(timed >= 1)

                redis.stall()
                #expect(try await server.askScore().status == 503)
                let timeouts = try #require(try await metrics.failures("timeout"))
                #expect(timeouts >= 1)
                #expect(try await metrics.failures("queue_full") == 0)

                redis.refuse()
                try await metrics.waitForConnections(0)
                #expect(try await server.askScore().status == 503)
                #expect(try await metrics.value(RedisMetricsOfServer.usable) == 0)
                let unsent = try #require(try await metrics.failures("not_connected"))
                #expect(unsent >= 1)

                redis.resume()
                try await metrics.waitForConnections(limit)
                #expect(try await metrics.value(RedisMetricsOfServer.usable) == 1)
                #expect(try await metrics.ofReads("larder_redis_reconnects_total") == limit)
            }
        }
    }

    @Test func `a source login that PostgreSQL refuses is told when a server starts`() async throws {
        try await Installation.run { larder in
            let url = try #require(larder.environment["LARDER_POSTGRES_SOURCE_URL"])
            var misspelled = try #require(URLComponents(string: url))
            var elsewhere = misspelled
            misspelled.password = "wrong"
            elsewhere.path = "/no_such_database"
            for (components, state) in [(misspelled, "28P01"), (elsewhere, "3D000")] {
                var refused = larder
                refused.environment["LARDER_POSTGRES_SOURCE_URL"] = components.string
                try await refused.withServer { server in
                    let warning = try #require(
                        server.log.split(separator: "\n").first {
                            $0.contains("warning larder: LARDER_POSTGRES_SOURCE_URL does not lead to a session")
                        }, "\(server.log)")
                    #expect(warning.contains("SQLSTATE \(state)") && !warning.contains("wrong"), "\(warning)")
                }
            }
        }
    }

    @Test func `a variable that is misspelled is told by commands and by servers`() async throws {
        try await Installation.run { larder in
            var misspelled = larder
            misspelled.environment["LARDER_REDIS_TIMOUT"] = "1s"
            let warning = "LARDER_REDIS_TIMOUT is set and is no setting; did you mean LARDER_REDIS_TIMEOUT?"
            let outcome = try await misspelled.larder("migrate", "--dry-run")
            #expect(outcome.errors.contains("warning: \(warning)\n"), "\(outcome)")
            try await misspelled.withServer { server in
                #expect(server.log.contains("warning larder: \(warning)"))
            }
        }
    }
}
