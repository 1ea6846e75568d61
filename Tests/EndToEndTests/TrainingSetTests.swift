import Foundation
import PostgresClient
import TestSupport
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Training sets over HTTP and by the command line, from the built executable.
@Suite struct TrainingSetTests {
    private static let path = "/v1/projects/shop/training-sets"

    private func withShop(_ body: (Installation) async throws -> Void) async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("ingest", "visits", "-", "--format", "csv", input: Shop.visits)
            try await larder.succeed("materialize", "--only", "offline")
            try await body(larder)
        }
    }

    private func post(
        _ address: String, _ path: String, _ body: String, type: String, accept: String
    ) async throws -> (status: Int, text: String) {
        var request = URLRequest(url: try #require(URL(string: address + path)))
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.setValue(type, forHTTPHeaderField: "Content-Type")
        request.setValue(accept, forHTTPHeaderField: "Accept")
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = try #require(response as? HTTPURLResponse).statusCode
        return (status, String(decoding: data, as: UTF8.self))
    }

    @Test func `over HTTP a training set is what the command line writes, and errors are problems`() async throws {
        try await withShop { larder in
            let file = larder.folder.appending(path: "spine.csv")
            try Data(Shop.spine.utf8).write(to: file)
            let written = try await larder.succeed(
                "training-set", "create", "--spine", file.path, "--service", "checkout", "--out", "-", "--out-format",
                "csv")
            try await withServer(larder) { address in
                let made = try await post(
                    address, Self.path + "?service=checkout", Shop.spine, type: "text/csv", accept: "text/csv")
                #expect(made.status == 200 && made.text == written, "\(made)")
                let named = try await post(
                    address, Self.path + "?features=last_visit:amount&name=first", Shop.spine, type: "text/csv",
                    accept: "text/csv")
                #expect(named.status == 200, "\(named)")
                let again = try await post(
                    address, Self.path + "/first/reproduce", "", type: "text/csv", accept: "text/csv")
                #expect(again.status == 200 && again.text == named.text, "\(again)")
                let list = try await larder.succeed("training-set", "list")
                #expect(list.contains("first"))
                let sql = try await post(
                    address, Self.path + "?features=last_visit:amount",
                    #"{"spine_sql": "SELECT customer_id, visited_at AS event_timestamp FROM visits"}"#,
                    type: "application/json", accept: "application/x-ndjson")
                #expect(sql.status == 200 && sql.text.split(separator: "\n").count == 3, "\(sql)")
                for (query, body, status, code) in [
                    ("?features=last_visit:nothing", Shop.spine, 404, "feature_not_found"),
                    ("?service=checkout&nmae=x", Shop.spine, 400, "request_invalid"),
                    ("", Shop.spine, 400, "request_invalid"),
                    ("?service=checkout", "customer_id\n1\n", 422, "column_missing"),
                    ("?service=checkout", "customer_id,event_timestamp\n1,yesterday\n", 422, "spine_invalid"),
                    ("?service=checkout&as_of=2999-01-01T00:00:00Z", Shop.spine, 503, "as_of_not_settled"),
                    ("?service=checkout&name=first", Shop.spine, 409, "training_set_exists"),
                ] {
                    let refused = try await post(address, Self.path + query, body, type: "text/csv", accept: "text/csv")
                    #expect(refused.text.contains("\"\(code)\""), "\(query): \(refused)")
                    #expect(refused.status == status, "\(query): \(refused)")
                }
            }
        }
    }

    @Test func `a training set as a job is made by the server, followed, and downloaded`() async throws {
        try await withShop { larder in
            try await withServer(larder) { address in
                let queued = try await post(
                    address, Self.path + "?service=checkout&job=true", Shop.spine, type: "text/csv", accept: "text/csv")
                #expect(queued.status == 202, "\(queued)")
                let job = try #require(
                    try JSONSerialization.jsonObject(with: Data(queued.text.utf8)) as? [String: Any])
                let id = "\(try #require(job["id"] as? Int))"
                try await larder.succeed("jobs", "follow", id)
                let file = larder.folder.appending(path: "job.csv")
                try await larder.succeed("jobs", "download", id, "--out", file.path)
                let made = try await post(
                    address, Self.path + "?service=checkout", Shop.spine, type: "text/csv", accept: "text/csv")
                #expect(try String(contentsOf: file, encoding: .utf8) == made.text)
                let bad = try await post(
                    address, Self.path + "?features=last_visit:nothing&job=true", Shop.spine, type: "text/csv",
                    accept: "text/csv")
                #expect(bad.status == 404, "\(bad)")
                let failing = try await post(
                    address, Self.path + "?service=checkout&job=true", "customer_id,event_timestamp\n1,yesterday\n",
                    type: "text/csv", accept: "text/csv")
                let second = try #require(
                    try JSONSerialization.jsonObject(with: Data(failing.text.utf8)) as? [String: Any])
                let outcome = try await larder.larder("jobs", "follow", "\(try #require(second["id"] as? Int))")
                #expect(
                    outcome.status == 1 && (outcome.output + outcome.errors).contains("spine_invalid"), "\(outcome)")
            }
        }
    }

    private func withServer(_ larder: Installation, _ body: (String) async throws -> Void) async throws {
        let server = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
        do {
            try await body(try await server.address())
        } catch {
            server.signal(SIGKILL)
            throw error
        }
        server.signal(SIGTERM)
        #expect(try await server.outcome(within: .seconds(30)).status == 0)
    }

    @Test(arguments: [true, false])
    func `a client or a server that goes away leaves no query and no table`(isClient: Bool) async throws {
        try await withShop { larder in
            let server = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            let address = try await server.address()
            let configuration = try PostgresConfiguration(
                url: try #require(larder.environment["LARDER_POSTGRES_URL"]), applicationName: "test")
            let blocker = try await PostgresConnection.connect(configuration)
            let table = try await larder.query(
                "SELECT relname::text FROM pg_class WHERE relname LIKE 'view\\_%\\_g1' AND relkind = 'r' LIMIT 1",
                as: String.self)
            try await blocker.execute("BEGIN")
            // The join will wait for this table for as long as nobody stops it.
            try await blocker.execute("LOCK TABLE larder_data.\(identifier: table) IN ACCESS EXCLUSIVE MODE")
            let request = Task {
                try await post(
                    address, Self.path + "?service=checkout", Shop.spine, type: "text/csv", accept: "text/csv")
            }
            try await wait(for: "the join to wait for the table", larder) { $0 > 0 }
            if isClient { request.cancel() } else { server.signal(SIGKILL) }
            try await wait(for: "the join to be stopped", larder) { $0 == 0 }
            await blocker.close()
            _ = await request.result
            let tables = try await larder.query(
                "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'", as: Int64.self)
            #expect(tables == 0)
            if isClient {
                let made = try await post(
                    address, Self.path + "?service=checkout", Shop.spine, type: "text/csv", accept: "text/csv")
                #expect(made.status == 200)
                server.signal(SIGTERM)
                #expect(try await server.outcome(within: .seconds(30)).status == 0)
            }
        }
    }

    private func wait(
        for what: String, _ larder: Installation, until isDone: (Int64) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let waiting = try await larder.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
                """, as: Int64.self)
            if isDone(waiting) { return }
            guard ContinuousClock.now < deadline else {
                Issue.record("waited ten seconds for \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
