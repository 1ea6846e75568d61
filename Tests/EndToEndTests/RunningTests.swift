import Foundation
import PostgresClient
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The server, and commands that a signal ends.
@Suite struct RunningTests {
    @Test func `a server answers as of its clock until it is asked to stop`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("ingest", "visits", "-", "--format", "csv", input: Shop.visits)
            try await larder.succeed("materialize")
            let server = try RunningProgram(
                ["serve", "--port", "0", "--clock-fixed", "2024-05-01T13:00:00Z"], environment: larder.environment)
            let address = try await server.address()
            try await waitUntilReady(address)
            var request = URLRequest(url: try #require(URL(string: "\(address)/v1/projects/shop/online-features")))
            request.httpMethod = "POST"
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(#"{"feature_service":"checkout","entities":{"customer_id":[1]}}"#.utf8)
            let (data, _) = try await URLSession.shared.data(for: request)
            let online = try #require(JSONSerialization.jsonObject(with: data) as? NSDictionary)
            let command = try await larder.json(
                "get-online-features", "--service", "checkout", "--keys", "customer_id=1", "--clock-fixed",
                "2024-05-01T13:00:00Z")
            let results = try #require(online["results"] as? NSArray)
            let told = try #require(command["results"] as? NSArray)
            // The key's own value is a number over HTTP and text on the command line.
            #expect(results.subarray(with: NSRange(1...3)) as NSArray == told.subarray(with: NSRange(1...3)) as NSArray)
            server.signal(SIGTERM)
            let outcome = try await server.outcome(within: .seconds(30))
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.isEmpty)
        }
    }

    @Test func `a second signal ends a server at once, though a request is under way`() async throws {
        try await Shop.run { larder in
            let program = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            do {
                let server = RunningServer(address: try await program.address())
                let blocker = try await larder.lockOfflineTable()
                // It waits for the table, and the server for it, for as long as this test does.
                let request = Task {
                    try await server.post(
                        "/v1/projects/shop/training-sets?service=checkout", Shop.spine, headers: RunningServer.csv)
                }
                try await larder.wait(for: "the request to be under way") { try await larder.waitingSessions() > 0 }
                program.signal(SIGTERM)
                try await larder.wait(for: "the server to say that it stops") {
                    program.errors.contains("stopping, once what has been asked is answered")
                }
                // Long enough to end, were it not for the request.
                try await Task.sleep(for: .seconds(1))
                #expect(try await larder.waitingSessions() > 0)
                program.signal(SIGTERM)
                let outcome = try await program.outcome(within: .seconds(5))
                #expect(outcome.status == 256 + SIGTERM, "\(outcome)")
                await blocker.close()
                _ = await request.result
            } catch {
                program.signal(SIGKILL)
                throw error
            }
        }
    }

    @Test func `a fixed clock is refused where others can reach the server`() async throws {
        try await Installation.run { larder in
            let outcome = try await larder.larder(
                "serve", "--host", "0.0.0.0", "--port", "0", "--clock-fixed", "2024-05-01T13:00:00Z")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("[configuration_invalid]"))
        }
    }

    @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
    func `a signal ends a command with the status that shells know, and nothing is half done`(
        _ signal: Int32, _ status: Int32
    ) async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let rows = (0..<400_000).map { "\($0),2024-05-01T10:00:00Z,1,a" }.joined(separator: "\n")
            let running = try RunningProgram(
                ["ingest", "visits", "-", "--format", "csv"], environment: larder.environment,
                input: Data("customer_id,visited_at,amount,page\n\(rows)\n".utf8))
            try await waitForWriter(larder)
            running.signal(signal)
            let outcome = try await running.outcome(within: .seconds(30))
            #expect(outcome.status == status, "\(outcome)")
            #expect(outcome.errors.contains("interrupted"))
            #expect(try await larder.rawRowCount() == 0)
        }
    }

    /// Returns once the load's COPY has begun.
    private func waitForWriter(_ larder: Installation) async throws {
        for _ in 0..<400 {
            let copying = try await larder.query(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%'",
                as: Int64.self)
            if copying > 0 { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("the load never began")
    }

    private func waitUntilReady(_ address: String) async throws {
        let url = try #require(URL(string: "\(address)/health/ready"))
        for _ in 0..<400 {
            let answer = try? await URLSession.shared.data(from: url)
            if (answer?.1 as? HTTPURLResponse)?.statusCode == 200 { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("the server never became ready")
    }
}
