import Foundation
import PostgresClient
import TestSupport
import Testing

/// The paths of Feast's server that change something, and the materializations behind them.
@Suite struct FeastPathTests {
    private static let definitions = """
        \(Shop.head)
        kind: source
        name: visits
        type: table
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: visited_at, type: timestamp}
          - {name: amount, type: float64}
        timestamp: visited_at
        ---
        kind: feature_view
        name: last_visit
        entities: [customer]
        source: visits
        features: [{name: amount, type: float64}]
        ---
        kind: source
        name: scoring
        type: push
        columns:
          - {name: customer_id, type: int64}
          - {name: at, type: timestamp}
          - {name: score, type: int32}
          - {name: level, type: int32}
        timestamp: at
        timezone: America/New_York
        ---
        kind: feature_view
        name: levels
        entities: [customer]
        source: scoring
        features: [{name: level, type: int32}]
        ---
        kind: feature_view
        name: scores
        entities: [customer]
        source: scoring
        features: [{name: score, type: int32, nullable: false, expect: {min: 0}}]

        """

    private static let levelAndRank = "  - {name: level, type: int32}\n  - {name: rank, type: int32}\n"

    private func withShop(_ body: (Installation, RunningServer) async throws -> Void) async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions)
            try await larder.succeed("apply", "--yes")
            try await larder.succeed(
                "ingest", "visits", "-", "--format", "csv",
                input: "customer_id,visited_at,amount\n1,2024-05-01T10:00:00Z,20\n1,2024-05-03T10:00:00Z,30\n")
            try await larder.withServer { try await body(larder, $0) }
        }
    }

    /// The values, statuses and event times of the last feature asked for, once the server knows that it is published.
    private func online(
        _ feature: String, of customer: Int = 1, _ server: RunningServer
    ) async throws -> (value: Any?, status: String?, time: String?) {
        let body = #"{"features": ["\#(feature)"], "entities": {"customer_id": [\#(customer)]}}"#
        var answer = try await server.post("/get-online-features", body)
        for _ in 0..<200 where answer.status == 503 {
            try await Task.sleep(for: .milliseconds(25))
            answer = try await server.post("/get-online-features", body)
        }
        let result = try #require((answer["results"] as? [[String: Any]])?.last, "\(answer)")
        return (
            (result["values"] as? [Any])?.first, (result["statuses"] as? [String])?.first,
            (result["event_timestamps"] as? [String])?.first
        )
    }

    @Test func `a range is materialized before the answer, an incremental run goes on from nothing`() async throws {
        try await withShop { _, server in
            let range = try await server.post(
                "/materialize",
                #"{"start_ts": "2024-05-01T00:00:00", "end_ts": "2024-05-02", "feature_views": ["last_visit"]}"#)
            #expect(range.status == 200 && range["state"] as? String == "succeeded", "\(range)")
            let first = try await online("last_visit:amount", server)
            #expect(first.value as? Double == 20 && first.time == "2024-05-01T10:00:00Z", "\(first)")
            let now = try await server.post("/materialize-incremental", #"{"end_ts": "2100-01-01T00:00:00"}"#)
            #expect(now.status == 200, "\(now)")
            let done = ((now["result"] as? [String: Any])?["feature_views"] as? [[String: Any]]) ?? []
            #expect(done.compactMap { $0["view"] as? String } == ["last_visit", "levels", "scores"])
            #expect(try await online("last_visit:amount", server).value as? Double == 30)
            let unknown = try await server.post(
                "/materialize-incremental", #"{"end_ts": "2100-01-01T00:00:00", "feature_views": ["last_visits"]}"#)
            #expect(unknown.status == 404 && unknown["code"] as? String == "feature_view_not_found")
        }
    }

    @Test func `a materialization can be a job that nobody waits for`() async throws {
        try await withShop { larder, server in
            let queued = try await server.post(
                "/v1/projects/shop/materializations", #"{"feature_views": ["last_visit"]}"#)
            #expect(queued.status == 202 && queued["kind"] as? String == "materialize", "\(queued)")
            let id = try #require(queued["id"] as? Int)
            try await larder.succeed("jobs", "follow", "\(id)")
            let shown = try await larder.json("jobs", "show", "\(id)")
            #expect(shown["state"] as? String == "succeeded")
            // Two rows computed, one value published.
            #expect(shown["rows_done"] as? Int == 3, "\(shown)")
            #expect((shown["payload"] as? [String: Any])?["feature_views"] as? [String] == ["last_visit"])
            #expect(try await online("last_visit:amount", server).value as? Double == 30)
            let accepted = try await server.post(
                "/materialize-incremental?async=true", #"{"end_ts": "2100-01-01T00:00:00"}"#)
            #expect(accepted.status == 202 && accepted["status"] as? String == "accepted", "\(accepted)")
            #expect(accepted["feature_views"] as? [String] == ["last_visit", "levels", "scores"])
            let second = try #require((accepted["job"] as? [String: Any])?["id"] as? Int)
            try await larder.succeed("jobs", "follow", "\(second)")
        }
    }

    @Test func `with Redis away a materialization that is waited for answers 503 at once`() async throws {
        try await withShop { larder, server in
            larder.redis.kill()
            let began = ContinuousClock.now
            let answer = try await server.post("/materialize-incremental", #"{"end_ts": "2100-01-01T00:00:00"}"#)
            #expect(answer.status == 503 && answer["code"] as? String == "online_store_unavailable", "\(answer)")
            #expect(ContinuousClock.now - began < .seconds(30))
        }
    }

    @Test func `a push feeds every view of its source, in UTC, and stands in PostgreSQL first`() async throws {
        try await withShop { _, server in
            let frame = #"{"customer_id": [1], "at": ["2024-05-01 10:00:00.5"], "score": [5], "level": [7]}"#
            let early = try await server.post("/push", #"{"push_source_name": "scoring", "df": \#(frame)}"#)
            #expect(early.status == 202, "\(early)")
            let published = try await server.post("/materialize-incremental", #"{"end_ts": "2100-01-01"}"#)
            #expect(published.status == 200, "\(published)")
            let score = try await online("scores:score", server)
            #expect(score.value as? Int == 5 && score.time == "2024-05-01T10:00:00.500Z", "\(score)")
            #expect(try await online("levels:level", server).value as? Int == 7)

            let later = #"{"customer_id": [1, 2], "event_timestamp": ["2024-05-02T10:00:00", "2024-05-02T10:00:00"], "#
            let pushed = try await server.post(
                "/push",
                #"{"push_source_name": "scoring", "to": "online_and_offline", "df": \#(later)"#
                    + #""score": [6, 7], "level": [8, null]}}"#)
            #expect(pushed.status == 200, "\(pushed)")
            let views = (pushed["feature_views"] as? [[String: Any]]) ?? []
            #expect(views.compactMap { $0["feature_view"] as? String } == ["levels", "scores"])
            #expect(views.compactMap { $0["rows_written"] as? Int } == [2, 2])
            #expect(try await online("scores:score", of: 2, server).value as? Int == 7)
            #expect(try await online("levels:level", of: 2, server).status == "NULL_VALUE")

            let offline = try await server.post(
                "/push",
                #"{"push_source_name": "scoring", "to": "offline", "df": {"customer_id": [3], "#
                    + #""at": ["2024-05-02T10:00:00"], "score": [1], "level": [1]}}"#)
            #expect(offline.status == 200, "\(offline)")
            #expect(try await online("scores:score", of: 3, server).status == "NOT_FOUND")
        }
    }

    @Test func `a push that one of its views refuses is written into none`() async throws {
        try await withShop { larder, server in
            let refused = try await server.post(
                "/push",
                #"{"push_source_name": "scoring", "df": {"customer_id": [1], "at": ["2024-05-01T10:00:00"], "#
                    + #""score": [-1], "level": [7]}}"#)
            #expect(refused.status == 422 && refused["code"] as? String == "rows_rejected", "\(refused)")
            let unknown = try await server.post(
                "/push", #"{"push_source_name": "scoring", "df": {"customer_id": [1], "speed": [1]}}"#)
            #expect(unknown.status == 422 && unknown["code"] as? String == "column_unknown", "\(unknown)")
            let pushes = try await larder.query(
                "SELECT count(*) FROM larder.write WHERE kind = 'push'", as: Int64.self)
            #expect(pushes == 0)
            let nothing = try await server.post("/push", #"{"push_source_name": "scorings", "df": {}}"#)
            #expect(nothing.status == 404 && nothing["code"] as? String == "source_not_found")
            let table = try await server.post("/push", #"{"push_source_name": "visits", "df": {}}"#)
            #expect(table.status == 422 && table["code"] as? String == "feature_view_not_writable")
        }
    }

    @Test func `after a rename the former name is refused, and what is left out is told`() async throws {
        try await withShop { larder, server in
            try larder.write(
                Self.definitions
                    .replacing("{name: level, type: int32}]", with: "{name: rank, type: int32, renamed_from: level}]")
                    .replacing("  - {name: level, type: int32}\n", with: Self.levelAndRank))
            try await larder.succeed("apply", "--yes")
            func push(_ columns: String) async throws -> RunningServer.Answer {
                let keys = #""customer_id": [1], "at": ["2024-05-01T10:00:00"]"#
                return try await server.post(
                    "/push", #"{"push_source_name": "scoring", "to": "offline", "df": {\#(keys), \#(columns)}}"#)
            }
            let former = try await push(#""score": [5], "level": [7]"#)
            #expect(former.status == 422 && former["code"] as? String == "column_unknown", "\(former)")
            #expect(former["hint"] as? String == #"send the column as "rank""#)
            let pushes = try await larder.query(
                "SELECT count(*) FROM larder.write WHERE kind = 'push'", as: Int64.self)
            #expect(pushes == 0)
            let renamed = try await push(#""score": [5], "rank": [7]"#)
            #expect(renamed.status == 200, "\(renamed)")
            // Of one view alone, a column that only the source has.
            let spare = try await server.post(
                "/write-to-online-store",
                #"{"feature_view_name": "scores", "df": {"customer_id": [4], "score": [9], "level": [7], "#
                    + #""at": ["2024-05-02T10:00:00"]}}"#)
            #expect(spare.status == 202, "\(spare)")
            let write = (spare["feature_views"] as? [[String: Any]])?.first
            #expect((write?["warnings"] as? [String])?.first?.contains(#"column "level""#) == true, "\(spare)")
        }
    }

    @Test func `what the remote online store writes is online, and only views of a push source take it`() async throws {
        try await withShop { _, server in
            _ = try await server.post("/materialize-incremental", #"{"end_ts": "2100-01-01"}"#)
            let written = try await server.post(
                "/write-to-online-store",
                #"{"feature_view_name": "scores", "allow_registry_cache": false, "df": {"customer_id": [4], "#
                    + #""score": [9], "event_timestamp": ["2024-05-02T10:00:00"], "created": [null]}}"#)
            #expect(written.status == 200, "\(written)")
            #expect(try await online("scores:score", of: 4, server).value as? Int == 9)
            let computed = try await server.post(
                "/write-to-online-store",
                #"{"feature_view_name": "last_visit", "df": {"customer_id": [4], "amount": [9]}}"#)
            #expect(computed.status == 422 && computed["code"] as? String == "feature_view_not_writable")
            #expect(try await server.get("/health").status == 200)
        }
    }
}
