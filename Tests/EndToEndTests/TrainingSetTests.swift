import Foundation
import PostgresClient
import TestSupport
import Testing

/// Training sets over HTTP and by the command line, from the built executable.
@Suite struct TrainingSetTests {
    private static let path = "/v1/projects/shop/training-sets"

    @Test func `over HTTP a training set is what the command line writes, and errors are problems`() async throws {
        try await Shop.run { larder in
            let file = larder.folder.appending(path: "spine.csv")
            try Data(Shop.spine.utf8).write(to: file)
            let written = try await larder.succeed(
                "training-set", "create", "--spine", file.path, "--service", "checkout", "--out", "-", "--out-format",
                "csv")
            try await larder.withServer { server in
                func post(_ path: String, _ spine: String) async throws -> RunningServer.Answer {
                    try await server.post(Self.path + path, spine, headers: RunningServer.csv)
                }
                let made = try await post("?service=checkout", Shop.spine)
                #expect(made.status == 200 && made.text == written, "\(made)")
                let named = try await post("?features=last_visit:amount&name=first", Shop.spine)
                #expect(named.status == 200, "\(named)")
                let again = try await post("/first/reproduce", "")
                #expect(again.status == 200 && again.text == named.text, "\(again)")
                let list = try await larder.succeed("training-set", "list")
                #expect(list.contains("first"))
                let sql = try await server.post(
                    Self.path + "?features=last_visit:amount",
                    #"{"spine_sql": "SELECT customer_id, visited_at AS event_timestamp FROM visits"}"#,
                    headers: ["Content-Type": "application/json", "Accept": "application/x-ndjson"])
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
                    let refused = try await post(query, body)
                    #expect(refused.text.contains("\"\(code)\""), "\(query): \(refused)")
                    #expect(refused.status == status, "\(query): \(refused)")
                }
            }
        }
    }

    @Test func `a reader that goes away ends the command as SIGPIPE would, and nothing is told`() async throws {
        try await Shop.run { larder in
            // More than a pipe holds, so that who writes it waits for the reader, who takes a byte and goes.
            let spine = (0..<20_000).map { "\($0 % 3),2024-05-01T12:00:00Z,\($0)\n" }.joined()
            try Data("customer_id,event_timestamp,label\n\(spine)".utf8)
                .write(to: larder.folder.appending(path: "spine.csv"))
            let pipeline = try RunningProgram(
                [
                    "bash", "-c", #""$0" "$@" | head -c 1; exit "${PIPESTATUS[0]}""#, Program.executable.path(),
                    "training-set", "create", "--spine", "spine.csv", "--service", "checkout", "--out", "-",
                    "--out-format", "csv",
                ], environment: larder.environment, directory: larder.folder, launcher: URL(filePath: "/usr/bin/env"))
            let outcome = try await pipeline.outcome(within: .seconds(60))
            #expect(outcome.status == 141, "\(outcome)")
            #expect(outcome.output == "c" && outcome.errors.isEmpty, "\(outcome)")
        }
    }

    @Test(arguments: [true, false])
    func `a client or a server that goes away leaves no query and no table`(isClient: Bool) async throws {
        try await Shop.run { larder in
            let program = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            let server = RunningServer(address: try await program.address())
            let blocker = try await larder.lockOfflineTable()
            // The join will wait for this table for as long as nobody stops it.
            let request = Task {
                try await server.post(Self.path + "?service=checkout", Shop.spine, headers: RunningServer.csv)
            }
            try await larder.wait(for: "the join to wait for the table") { try await larder.waitingSessions() > 0 }
            if isClient { request.cancel() } else { program.signal(SIGKILL) }
            try await larder.wait(for: "the join to be stopped") { try await larder.waitingSessions() == 0 }
            await blocker.close()
            _ = await request.result
            let tables = try await larder.query(
                "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'", as: Int64.self)
            #expect(tables == 0)
            if isClient {
                let made = try await server.post(
                    Self.path + "?service=checkout", Shop.spine, headers: RunningServer.csv)
                #expect(made.status == 200)
                program.signal(SIGTERM)
                #expect(try await program.outcome(within: .seconds(30)).status == 0)
            }
        }
    }
}
