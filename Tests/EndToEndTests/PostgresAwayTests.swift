import Foundation
import PostgresClient
import TestSupport
import Testing

/// A server whose PostgreSQL goes away and comes back, or takes no writes.
@Suite struct PostgresAwayTests {
    @Test func `online reads go on without PostgreSQL, and writes when it is back`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            let (proxy, proxied) = try FaultProxy.inFront(of: larder.database)
            defer { proxy.stop() }
            var served = larder
            for variable in ["LARDER_POSTGRES_URL", "LARDER_POSTGRES_SOURCE_URL"] {
                let url = try #require(larder.environment[variable])
                var components = try #require(URLComponents(string: url))
                components.host = proxied.host
                components.port = proxied.port
                let items = (components.queryItems ?? []).filter { !["host", "port"].contains($0.name) }
                components.queryItems = items.isEmpty ? nil : items
                served.environment[variable] = components.string
            }
            try await served.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                proxy.refuse()
                let end = ContinuousClock.now + .seconds(4)
                while ContinuousClock.now < end {
                    let answer = try await server.askScore()
                    #expect(ScoreWorld.isRight(answer), "\(answer)")
                    #expect(answer.duration < .milliseconds(80), "\(answer)")
                    try await Task.sleep(for: .milliseconds(50))
                }
                let refused = try await server.post(ScoreWorld.rowsPath, ScoreWorld.push(6, minute: 1))
                #expect(refused.status == 503 && refused["code"] as? String == "registry_unavailable", "\(refused)")
                proxy.resume()
                let back = ContinuousClock.now
                var status = 0
                while status != 200, ContinuousClock.now - back < .seconds(5) {
                    status = try await server.post(ScoreWorld.rowsPath, ScoreWorld.push(7, minute: 2)).status
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(status == 200)
                try await server.waitForScore(7, within: .seconds(1))
                try await larder.wait(for: "the return to be told") {
                    server.log.contains(/notice larder: PostgreSQL is back away_ms=\d{4,}/)
                }
            }
        }
    }

    @Test func `a PostgreSQL that takes no writes is told as such, and online reads go on`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            let database = try #require(larder.database.database)
            let owner = try await PostgresConnection.connect(larder.database, logger: .silent)
            try await owner.execute("ALTER DATABASE \(identifier: database) SET default_transaction_read_only = on")
            await owner.close()
            try await larder.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                let refused = try await server.post(ScoreWorld.rowsPath, ScoreWorld.push(6, minute: 1))
                #expect(refused.status == 503 && refused["code"] as? String == "registry_unavailable", "\(refused)")
                #expect(refused.text.contains("SQLSTATE 25006") && refused.text.contains("LARDER_POSTGRES_URL"))
                let answer = try await server.askScore()
                #expect(ScoreWorld.isRight(answer), "\(answer)")
            }
        }
    }
}
