import Foundation
import PostgresClient
import Testing

/// A server that is asked to stop while it writes.
@Suite struct StoppingTests {
    @Test func `a server that is asked to stop commits, publishes and answers the pushes it has taken`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            let program = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            do {
                let server = RunningServer(address: try await program.address(), program: program)
                try await server.waitForScore(within: .seconds(5))
                let blocker = try await larder.lockOfflineTable()
                // More rows than a group takes: one push is in a group, the other is written alone.
                let rows = (2...1_002).map { #"{"customer_id": \#($0), "at": "2024-05-02T10:00:00Z", "score": 7}"# }
                let many = #"{"schema_version": 1, "rows": [\#(rows.joined(separator: ","))]}"#
                let pushes = [ScoreWorld.push(6, minute: 1), many].map { body in
                    Task { try await server.post(ScoreWorld.rowsPath, body) }
                }
                try await larder.wait(for: "both pushes to be under way") {
                    try await larder.query(
                        """
                        SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'RowExclusiveLock'
                          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                        """, as: Int64.self) == 2
                }
                program.signal(SIGTERM)
                try await larder.wait(for: "the server to say that it stops") {
                    program.errors.contains("stopping, once what has been asked is answered")
                }
                await blocker.close()
                for push in pushes {
                    let answer = try await push.value
                    #expect(answer.status == 200 && answer["online"] as? String == "published", "\(answer)")
                }
                let outcome = try await program.outcome(within: .seconds(30))
                #expect(outcome.status == 0, "\(outcome)")
            } catch {
                program.signal(SIGKILL)
                throw error
            }
            let answer = try await larder.json(
                "get-online-features", "--features", "scores:score", "--keys", "customer_id=1", "--keys",
                "customer_id=1002")
            let results = try #require(answer["results"] as? [[String: Any]])
            #expect(results[1]["values"] as? [Int] == [6, 7], "\(answer)")
        }
    }
}
