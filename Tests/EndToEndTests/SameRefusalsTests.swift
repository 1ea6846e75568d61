import Foundation
import PostgresClient
import TestSupport
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What a version refuses is refused alike of a command, of a request, and of SQL under the writer's role.
@Suite struct SameRefusalsTests {
    private static let definitions = """
        kind: project
        name: shop
        ---
        kind: entity
        name: customer
        join_keys: [{name: customer_id, type: int64}]
        ---
        kind: source
        name: visits
        type: table
        timestamp: visited_at
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: visited_at, type: timestamp}
          - {name: pages, type: int32, nullable: false}
        ---
        kind: source
        name: scores_pushed
        type: push
        timestamp: at
        columns:
          - {name: customer_id, type: int64}
          - {name: at, type: timestamp}
          - {name: score, type: int32}
        ---
        kind: feature_view
        name: scores
        entities: [customer]
        source: scores_pushed
        features:
          - {name: score, type: int32, nullable: false, expect: {min: 0, max: 100}}
        """

    /// A write of one row, as each way in says it.
    private struct Attempt {
        let what: String
        var version = 1
        /// As JSON and as SQL; nil for none.
        let value: String?
        /// What command and request are refused with, and the reason of the row where there is one.
        let code: String
        var reason: String?
        let state: SQLState
    }

    private static let attempts = [
        Attempt(what: "a wrong type", value: "\"ten\"", code: "rows_rejected", reason: "wrong_type", state: "22P02"),
        Attempt(what: "a null", value: "null", code: "rows_rejected", reason: "null_not_allowed", state: "23514"),
        Attempt(what: "out of the type's range", value: "3000000000", code: "rows_rejected", state: "22003"),
        Attempt(
            what: "an unknown version", version: 9, value: "10", code: "schema_version_mismatch", state: "23514"),
        Attempt(
            what: "a retired version", version: 1, value: "10", code: "schema_version_mismatch", state: "23514"),
    ]

    @Test func `the same rows of sources and views are refused by command, HTTP and SQL`() async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions)
            try await larder.succeed("apply", "--yes")
            let server = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            let address = try await server.readyAddress()
            for attempt in Self.attempts.dropLast() { try await check(attempt, larder, address) }
            let outOfRange = Attempt(
                what: "beyond an expectation", value: "101", code: "rows_rejected", reason: "above_maximum",
                state: "23514")
            try await checkView(outOfRange, larder, address)
            // A second version of each, and the first one retired.
            try larder.write(
                Self.definitions.replacingOccurrences(
                    of: "  - {name: pages,", with: "  - {name: extra, type: string}\n  - {name: pages,"
                ).replacingOccurrences(
                    of: "  - {name: score, type: int32}\n",
                    with: "  - {name: score, type: int32}\n  - {name: more, type: string}\n"
                )
                .replacingOccurrences(
                    of: "features:\n  - {name: score,",
                    with: "features:\n  - {name: more, type: string}\n  - {name: score,"))
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("retire", "scores@1")
            try await larder.succeed("retire", "visits@1", "--source")
            try await check(try #require(Self.attempts.last), larder, address)
            #expect(try await larder.query("SELECT count(*) FROM larder.write", as: Int64.self) == 0)
            server.signal(SIGTERM)
            _ = try await server.outcome(within: .seconds(30))
        }
    }

    @Test func `an idempotency key that is none is refused alike by command and HTTP`() async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions)
            try await larder.succeed("apply", "--yes")
            let score = #"{"customer_id":1,"at":"2024-05-01T10:00:00Z","score":10}"#
            let visit = #"{"customer_id":1,"visited_at":"2024-05-01T10:00:00Z","pages":1}"#
            let told = "the idempotency key is blank or longer than 256 bytes"
            try await larder.withServer { server in
                for key in ["", "  ", String(repeating: "k", count: 257)] {
                    let command = try await larder.larder(
                        "push", "scores", "-", "--format", "ndjson", "--idempotency-key", key, input: score + "\n")
                    #expect(
                        command.status == 1 && command.errors.contains("\(told) [request_invalid]"),
                        "key \"\(key)\": \(command)")
                    for (path, row) in [("feature-views/scores", score), ("sources/visits", visit)] {
                        let answer = try await server.post(
                            "/v1/projects/shop/\(path)/rows",
                            #"{"schema_version":1,"rows":[\#(row)],"idempotency_key":"\#(key)"}"#)
                        #expect(
                            answer.status == 400 && answer["code"] as? String == "request_invalid"
                                && answer.text.contains(told), "key \"\(key)\": \(answer)")
                    }
                }
            }
            #expect(try await larder.query("SELECT count(*) FROM larder.write", as: Int64.self) == 0)
        }
    }

    private func check(_ attempt: Attempt, _ larder: Installation, _ address: String) async throws {
        try await checkView(attempt, larder, address)
        let value = attempt.value ?? "null"
        let row = #"{"customer_id":1,"visited_at":"2024-05-01T10:00:00Z","pages":\#(value)}"#
        let command = try await larder.larder(
            "ingest", "visits", "-", "--format", "ndjson", "--schema-version", "\(attempt.version)", input: row + "\n")
        #expect(command.status == 1 && command.errors.contains("[\(attempt.code)]"), "\(attempt.what): \(command)")
        try await checkHTTP(attempt, row: row, "\(address)/v1/projects/shop/sources/visits/rows")
        let table = try await larder.query(
            "SELECT 'larder_data.source_' || source_id FROM larder.source_table", as: String.self)
        try await checkSQL(
            attempt, larder,
            "INSERT INTO \(table) (sequence, write_id, schema_version, is_deleted, c1, c2, c3) "
                + "VALUES (1, 1, \(attempt.version), false, 1, now(), \(Self.sql(value)))")
    }

    private func checkView(_ attempt: Attempt, _ larder: Installation, _ address: String) async throws {
        let value = attempt.value ?? "null"
        let row = #"{"customer_id":1,"at":"2024-05-01T10:00:00Z","score":\#(value)}"#
        let command = try await larder.larder(
            "push", "scores", "-", "--format", "ndjson", "--schema-version", "\(attempt.version)", input: row + "\n")
        #expect(command.status == 1 && command.errors.contains("[\(attempt.code)]"), "\(attempt.what): \(command)")
        try await checkHTTP(attempt, row: row, "\(address)/v1/projects/shop/feature-views/scores/rows")
        let table = try await larder.query(
            "SELECT 'larder_data.view_' || feature_view_id || '_g1' FROM larder.generation", as: String.self)
        try await checkSQL(
            attempt, larder,
            "INSERT INTO \(table) (k1, event_timestamp, recorded_timestamp, sequence, schema_version, write_id, ingested_at, "
                + "is_deleted, f1) VALUES (1, now(), '-infinity', 1, \(attempt.version), 1, now(), false, \(Self.sql(value)))"
        )
    }

    private static func sql(_ json: String) -> String {
        json.replacingOccurrences(of: "\"", with: "'")
    }

    private func checkHTTP(_ attempt: Attempt, row: String, _ url: String) async throws {
        var request = URLRequest(url: try #require(URL(string: url)))
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data(#"{"schema_version":\#(attempt.version),"rows":[\#(row)]}"#.utf8)
        let (data, response) = try await URLSession.shared.data(for: request)
        let problem = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect((response as? HTTPURLResponse)?.statusCode == (attempt.code == "rows_rejected" ? 422 : 409))
        #expect(problem["code"] as? String == attempt.code, "\(attempt.what): \(problem)")
        guard let reason = attempt.reason else { return }
        #expect((problem["errors"] as? [[String: Any]])?.first?["code"] as? String == reason, "\(problem)")
    }

    private func checkSQL(_ attempt: Attempt, _ larder: Installation, _ statement: String) async throws {
        let connection = try await PostgresConnection.connect(larder.database, logger: .silent)
        try await connection.execute("SET ROLE larder_writer")
        let error = await #expect(throws: PostgresError.self, "\(attempt.what)") {
            try await connection.execute("\(unescaped: statement)")
        }
        #expect(error?.sqlState == attempt.state, "\(attempt.what): \(String(describing: error))")
        await connection.close()
    }
}
