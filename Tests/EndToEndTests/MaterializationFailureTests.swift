import Foundation
import TestSupport
import Testing

/// A materialization in which views fail: by the command line, over HTTP, and as the job is kept.
@Suite struct MaterializationFailureTests {
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
        features: [{name: amount, type: float64, expect: {max: 10}}]
        ---
        kind: feature_view
        name: plain
        entities: [customer]
        source: visits
        features: [{name: amount, type: float64}]
        ---
        kind: feature_view
        name: rates
        entities: [customer]
        source: visits
        features: [{name: rate, type: float64, expr: 1 / amount}]

        """

    private static let rows = """
        customer_id,visited_at,amount
        1,2024-05-01T10:00:00Z,20
        2,2024-05-01T10:00:00Z,0

        """

    private static let summary =
        #"2 of 3 feature views could not be computed: "last_visit", "rates"; the others were"#
    private static let tooLarge = #"feature view "last_visit": 1 violation in 2 computed rows; nothing was written"#
    private static let division =
        #"expr of feature "rate" of feature view "rates" failed: division by zero "#
        + "(customer_id = 2, event time 2024-05-01T10:00:00Z); nothing was written"

    @Test func `each failed view is named with its reason and rows, wherever the failure is told`() async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions)
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("ingest", "visits", "-", "--format", "csv", input: Self.rows)

            let outcome = try await larder.larder("materialize", "--only", "offline")
            #expect(outcome.status == 1)
            for text in [
                "error: \(Self.summary) [rows_rejected]", Self.tooLarge, "above_maximum", "customer_id = 1",
                Self.division,
            ] {
                #expect(outcome.errors.contains(text), "\(text) in \(outcome)")
            }

            try await larder.withServer { server in
                let queued = try await server.post(
                    "/v1/projects/shop/materializations", #"{"only": "offline"}"#)
                #expect(queued.status == 202, "\(queued)")
                let id = try #require(queued["id"] as? Int)
                try await larder.wait(for: "the end of the job") {
                    try await server.get("/v1/projects/shop/jobs/\(id)")["state"] as? String == "failed"
                }
                let job = try await server.get("/v1/projects/shop/jobs/\(id)")
                let error = try #require(job["error"] as? [String: Any], "\(job)")
                #expect(error["detail"] as? String == Self.summary)
                let reasons = try #require(error["errors"] as? [[String: Any]], "\(job)")
                #expect(reasons.map { $0["detail"] as? String } == [Self.tooLarge, Self.division])
                #expect(reasons.map { $0["violation_count"] as? Int } == [1, nil])
                let row = (reasons.first?["errors"] as? [[String: Any]])?.first
                #expect(row?["code"] as? String == "above_maximum" && row?["feature"] as? String == "amount")

                let followed = try await larder.larder("jobs", "follow", "\(id)")
                #expect(followed.status == 1)
                for text in ["job \(id) failed: \(Self.summary)", Self.tooLarge, "above_maximum", Self.division] {
                    #expect(followed.errors.contains(text), "\(text) in \(followed)")
                }
                #expect(try await larder.succeed("jobs", "list").contains(Self.summary))

                let waited = try await server.post(
                    "/materialize", #"{"start_ts": "2024-01-01T00:00:00", "end_ts": "2025-01-01T00:00:00"}"#)
                #expect(waited.status == 422, "\(waited)")
                let details = (waited["errors"] as? [[String: Any]])?.map { $0["detail"] as? String }
                #expect(details == [Self.tooLarge, Self.division], "\(waited)")
            }
        }
    }
}
