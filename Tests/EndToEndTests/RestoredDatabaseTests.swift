import PostgresClient
import Testing

/// A PostgreSQL that was promoted or restored, beside the Redis of before: another database id stands for another timeline.
@Suite struct RestoredDatabaseTests {
    @Test func `what was published before is published again by the server that finds it`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            try await larder.withRestoredDatabase { restored in
                try await restored.withServer(knowingTheRegistry: false) { server in
                    try await server.waitForScore(within: .seconds(10)) { answer in
                        #expect([200, 503].contains(answer.status), "\(answer)")
                        if let code = answer.code {
                            #expect(["not_ready", "online_store_rebuilding"].contains(code), "\(answer)")
                        }
                    }
                    try await restored.wait(for: "the log to say so") {
                        server.log.contains("notice larder: all feature views are published again")
                    }
                    #expect(try await server.get("/health/ready").status == 200)
                    // Once, however often the server looks.
                    let jobs = try await restored.query("SELECT count(*) FROM larder.job", as: Int64.self)
                    #expect(jobs == 1)
                }
            }
        }
    }

    @Test func `a server that fills nothing by itself says what is the matter and what to run`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            try await larder.withRestoredDatabase { restored in
                var unfilled = restored
                unfilled.environment["LARDER_SERVING_REFILL"] = "off"
                try await unfilled.withServer(knowingTheRegistry: false) { server in
                    try await unfilled.wait(for: "the log to say so") {
                        server.log.contains("warning larder: PostgreSQL was promoted or restored")
                    }
                    let answer = try await server.askScore()
                    #expect(answer.status == 503 && answer.code == "online_store_rebuilding", "\(answer)")
                    #expect(answer.body.contains("larder materialize"), "\(answer)")
                    #expect(answer.header("retry-after") == "10", "\(answer)")
                    let health = try await server.get("/health/ready")
                    #expect(health.status == 503 && health.text.contains("promoted or restored"), "\(health)")
                    let usable = try await RedisMetricsOfServer(server: server).value(RedisMetricsOfServer.usable)
                    #expect(usable == 0)

                    try await unfilled.succeed("materialize", "--only", "online")
                    try await server.waitForScore(within: .seconds(5))
                    #expect(try await server.get("/health/ready").status == 200)
                }
            }
        }
    }
}
