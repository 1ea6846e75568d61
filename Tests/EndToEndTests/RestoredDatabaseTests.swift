import PostgresClient
import TestSupport
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

    /// As a restore into the database that the dump came from leaves it: the same rows, in tables that were made anew.
    private static let restore = """
        CREATE TABLE larder.restored (LIKE larder.incarnation INCLUDING ALL);
        INSERT INTO larder.restored OVERRIDING SYSTEM VALUE SELECT * FROM larder.incarnation;
        DROP TABLE larder.incarnation CASCADE;
        ALTER TABLE larder.restored RENAME TO incarnation;
        ALTER TABLE larder.incarnation ALTER COLUMN id RESTART WITH 1000;
        GRANT SELECT, INSERT ON larder.incarnation TO larder_writer;
        """

    @Test func `a restore into the same database is noticed by a server that runs`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            try await larder.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                let connection = try await PostgresConnection.connect(larder.database, logger: .silent)
                try await connection.executeScript(Self.restore)
                await connection.close()
                try await larder.wait(for: "the log to say so") {
                    server.log.contains("notice larder: all feature views are published again")
                }
                try await server.waitForScore(within: .seconds(5))
                let published = try await larder.query(
                    "SELECT count(*) FROM larder.key_space WHERE incarnation_id >= 1000 AND published_at IS NOT NULL",
                    as: Int64.self)
                #expect(published == 1)
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
