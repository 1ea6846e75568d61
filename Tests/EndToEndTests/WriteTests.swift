import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Partial writes and the quarantine, through commands and over HTTP.
@Suite struct WriteTests {
    private static let rows = """
        customer_id,visited_at,amount,page
        1,2024-05-01T10:00:00Z,1,good
        x,2024-05-01T10:00:00Z,many,bad
        2,2024-05-01T10:00:00,1,late

        """

    @Test func `a partial load succeeds, warns of the bad rows, and leaves them in the quarantine`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let text = try await larder.larder(
                "ingest", "visits", "-", "--format", "csv", "--mode", "partial", input: Self.rows)
            #expect(text.status == 0, "\(text)")
            #expect(text.output == "source \"visits\", version 1: 1 rows written, 2 quarantined\n")
            #expect(text.errors.contains("warning: 2 rows are bad and were quarantined: wrong_type 2"))
            #expect(text.errors.contains("larder quarantine show visits"))
            #expect(text.errors.contains("row 2 (line 3), customer_id"))
            #expect(try await larder.rawRowCount() == 1)

            let json = try await larder.json(
                "ingest", "visits", "-", "--format", "csv", "--mode", "partial", input: Self.rows + "y,,,\n")
            #expect(json["rows_quarantined"] as? Int == 3 && json["violation_count"] as? Int == 5)
            #expect((json["reasons"] as? [String: Int])?["timestamp_without_zone"] == 1)
        }
    }

    @Test func `a row older than the one with its row key is told not to count, and replaces nothing`() async throws {
        try await Installation.run { larder in
            try larder.write(
                """
                \(Shop.head)
                kind: source
                name: prices
                type: table
                columns:
                  - {name: id, type: int64, nullable: false}
                  - {name: recorded, type: timestamp, nullable: false}
                created_timestamp: recorded
                row_key: [id]

                """)
            try await larder.succeed("apply", "--yes")
            func ingest(_ rows: String) async throws -> String {
                try await larder.succeed(
                    "ingest", "prices", "-", "--format", "csv", input: "id,recorded\n" + rows)
            }
            _ = try await ingest("1,2024-05-02T10:00:00Z\n")
            #expect(
                try await ingest("1,2024-05-01T10:00:00Z\n")
                    == "source \"prices\", version 1: 1 rows written, "
                    + "1 of them not counting beside newer ones with the same row key\n")
            #expect(
                try await ingest("1,2024-05-03T10:00:00Z\n")
                    == "source \"prices\", version 1: 1 rows written, 1 earlier ones replaced\n")
        }
    }

    @Test func `quarantined rows are listed, shown, replayed and discarded`() async throws {
        try await Installation.run { larder in
            let strict = Shop.definitions.replacingOccurrences(
                of: "timestamp: visited_at", with: "timestamp: visited_at\ncompatibility: backward")
            let relaxed = strict.replacingOccurrences(
                of: "type: int64, nullable: false", with: "type: int64, nullable: true")
            try larder.write(strict)
            try await larder.succeed("apply", "--yes")
            #expect(try await larder.succeed("quarantine", "list", "visits").contains("is empty"))
            try await larder.succeed(
                "ingest", "visits", "-", "--format", "csv", "--mode", "partial",
                input:
                    "customer_id,visited_at,amount,page\nx,2024-05-01T10:00:00Z,1,bad\n,2024-05-01T10:00:00Z,1,late\n")
            let list = try await larder.succeed("quarantine", "list", "visits")
            #expect(list.contains("wrong_type") && list.contains("null_not_allowed"))
            let listing = try await larder.json("quarantine", "list", "visits")
            #expect(listing["rows"] as? Int == 2)
            let newest = try #require((listing["newest"] as? [[String: Any]])?.first)
            #expect(newest["record"] as? String == ",2024-05-01T10:00:00Z,1,late")
            let id = try #require(newest["id"] as? Int)
            let shown = try await larder.succeed("quarantine", "show", "\(id)")
            #expect(shown.contains(",2024-05-01T10:00:00Z,1,late") && shown.contains("[null_not_allowed]"))

            try larder.write(relaxed)
            try await larder.succeed("apply", "--yes")
            let replay = try await larder.json("quarantine", "replay", "visits")
            #expect(replay["rows_written"] as? Int == 1 && replay["rows_kept"] as? Int == 1)
            #expect(try await larder.rawRowCount() == 1)
            let gone = try await larder.larder("quarantine", "show", "\(id)")
            #expect(gone.status == 1 && gone.errors.contains("[quarantined_row_not_found]"))
            let discarded = try await larder.json("quarantine", "discard", "visits")
            #expect(discarded["rows_discarded"] as? Int == 1)
            let unknown = try await larder.larder("quarantine", "list", "visit")
            #expect(unknown.status == 1 && unknown.errors.contains("did you mean \"visits\"?"))
        }
    }

    @Test func `rows are written over HTTP under the version they name, and counted`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let server = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            let address = try await server.readyAddress()
            let url = try #require(URL(string: "\(address)/v1/projects/shop/sources/visits/rows"))

            func post(
                _ body: String, _ headers: [String: String] = ["Content-Type": "application/json"]
            ) async throws -> (Int, [String: Any]) {
                var request = URLRequest(url: url)
                request.httpMethod = "POST"
                for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
                request.httpBody = Data(body.utf8)
                let (data, response) = try await URLSession.shared.data(for: request)
                let json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
                return (try #require(response as? HTTPURLResponse).statusCode, json)
            }

            let bad = #"[{"customer_id":1,"visited_at":"2024-05-01T10:00:00Z"},{"customer_id":"x"}]"#
            let nameless = try await post(#"{"rows":\#(bad)}"#)
            #expect(nameless.0 == 400 && nameless.1["code"] as? String == "request_invalid")
            let unknown = try await post(#"{"schema_version":7,"rows":\#(bad)}"#)
            #expect(unknown.0 == 409 && (unknown.1["errors"] as? [Any])?.count == 4, "\(unknown)")
            let refused = try await post(#"{"schema_version":1,"rows":\#(bad)}"#)
            #expect(refused.0 == 422 && refused.1["code"] as? String == "rows_rejected")
            #expect((refused.1["errors"] as? [[String: Any]])?.first?["row"] as? Int == 2, "\(refused)")
            #expect(refused.1["violation_count"] as? Int == 2)
            #expect(try await larder.rawRowCount() == 0)

            let request = #"{"schema_version":1,"mode":"partial","idempotency_key":"k","rows":\#(bad)}"#
            let partial = try await post(request)
            #expect(partial.0 == 200 && partial.1["rows_written"] as? Int == 1, "\(partial)")
            #expect(partial.1["rows_quarantined"] as? Int == 1)
            #expect(try await post(request).1["was_there_before"] as? Bool == true)
            let lines = try await post(
                #"{"customer_id":2,"visited_at":"2024-05-01T10:00:00Z"}"# + "\nnothing\n",
                [
                    "Content-Type": "application/x-ndjson", "Larder-Schema-Version": "1",
                    "Larder-Write-Mode": "partial",
                ])
            #expect(lines.0 == 200 && (lines.1["reasons"] as? [String: Int]) == ["invalid_json": 1], "\(lines)")
            #expect(try await post("{}", ["Content-Type": "text/csv"]).0 == 415)
            #expect(try await post(#"{"schema_version":1,"rowz":[]}"#).0 == 400)
            #expect(try await larder.rawRowCount() == 2)

            let metrics = String(
                decoding: try await URLSession.shared.data(from: try #require(URL(string: "\(address)/metrics"))).0,
                as: UTF8.self)
            for line in [
                #"larder_rows_rejected_total{code="wrong_type",name="visits",target="source"} 2"#,
                #"larder_rows_rejected_total{code="invalid_json",name="visits",target="source"} 1"#,
                #"larder_rows_written_total{name="visits",target="source"} 2"#,
            ] {
                #expect(metrics.contains(line), "\(metrics)")
            }
            server.signal(SIGTERM)
            #expect(try await server.outcome(within: .seconds(30)).status == 0)
        }
    }
}

extension RunningProgram {
    /// Where a server listens, once it is ready.
    func readyAddress() async throws -> String {
        for _ in 0..<400 {
            if let match = errors.firstMatch(of: /address=(http:[^ \n]+)/),
                let url = URL(string: "\(match.1)/health/ready"),
                let answer = try? await URLSession.shared.data(from: url),
                (answer.1 as? HTTPURLResponse)?.statusCode == 200
            {
                return String(match.1)
            }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw CancellationError()
    }
}
