import Foundation
import Testing

/// How many rows one request may write.
@Suite struct RowLimitTests {
    private static let definitions = """
        \(Shop.definitions)
        ---
        \(ScoreWorld.view)
        """

    private static let visits = "/v1/projects/shop/sources/visits/rows"
    private static let scores = "/v1/projects/shop/feature-views/scores/rows"
    private static let lines = ["Content-Type": "application/x-ndjson", "Larder-Schema-Version": "1"]

    private static func rows(_ count: Int, _ time: String) -> [String] {
        (1...count).map { #"{"customer_id": \#($0), "\#(time)": "2024-05-01T10:00:00Z"}"# }
    }

    private static func json(_ count: Int, _ time: String) -> String {
        #"{"schema_version": 1, "mode": "partial", "rows": [\#(rows(count, time).joined(separator: ","))]}"#
    }

    private static func feast(_ count: Int) -> String {
        let keys = (1...count).map(String.init).joined(separator: ",")
        let times = (1...count).map { _ in #""2024-05-01T10:00:00""# }.joined(separator: ",")
        return #""df": {"customer_id": [\#(keys)], "event_timestamp": [\#(times)]}"#
    }

    /// A request of so many rows for each way in which they come.
    private static func requests(_ count: Int) -> [(path: String, body: String, headers: [String: String])] {
        let plain = ["Content-Type": "application/json"]
        return [
            (visits, json(count, "visited_at"), plain), (scores, json(count, "at"), plain),
            (visits, rows(count, "visited_at").joined(separator: "\n"), lines),
            (scores, rows(count, "at").joined(separator: "\n"), lines),
            ("/push", #"{"push_source_name": "scoring", \#(feast(count))}"#, plain),
            ("/write-to-online-store", #"{"feature_view_name": "scores", \#(feast(count))}"#, plain),
        ]
    }

    @Test func `one row too many is refused on every path that writes rows, and files may have any number`()
        async throws
    {
        try await Installation.run { installation in
            var larder = installation
            larder.environment["LARDER_LIMITS_ROWS"] = "2"
            try larder.write(Self.definitions)
            try await larder.succeed("apply", "--yes")
            try await larder.withServer { server in
                for (path, body, headers) in Self.requests(3) {
                    let answer = try await server.post(path, body, headers: headers)
                    #expect(answer.status == 413 && answer["code"] as? String == "too_many_rows", "\(path): \(answer)")
                    #expect(answer["detail"] as? String == "there are more than 2 rows")
                }
                #expect(try await larder.rawRowCount() == 0)
                for (path, body, headers) in Self.requests(2) {
                    let answer = try await server.post(path, body, headers: headers)
                    #expect([200, 202].contains(answer.status), "\(path): \(answer)")
                }
                #expect(try await larder.rawRowCount() == 4)
            }
            let file = Self.rows(3, "visited_at").joined(separator: "\n")
            try await larder.succeed("ingest", "visits", "-", "--format", "ndjson", input: file)
            #expect(try await larder.rawRowCount() == 7)
            let push = Self.rows(3, "at").joined(separator: "\n")
            #expect(
                try await larder.succeed("push", "scores", "-", "--format", "ndjson", "--to", "offline", input: push)
                    .contains("3 rows written"))
        }
    }
}
