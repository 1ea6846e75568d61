import Foundation
import TestSupport
import Testing

/// Rows into feature views, plans and applies: by the command line and over HTTP.
@Suite struct PushTests {
    private static func definitions(_ more: String = "") -> String {
        """
        \(Shop.head)
        kind: source
        name: scoring
        type: push
        columns:
          - {name: customer_id, type: int64}
          - {name: at, type: timestamp}
          - {name: score, type: int32}
          - {name: level, type: int32}
        timestamp: at
        ---
        kind: feature_view
        name: scores
        entities: [customer]
        source: scoring
        features:
          - {name: score, type: int32, nullable: false, expect: {min: 0}}
        \(more)

        """
    }

    private static let level = "  - {name: level, type: int32, nullable: false, default: 7}"
    private static let path = "/v1/projects/shop/feature-views/scores/rows"

    /// Asks until the server has learned of the first publication.
    private func online(_ body: String, _ server: RunningServer) async throws -> RunningServer.Answer {
        for _ in 0..<200 {
            let answer = try await server.post("/v1/projects/shop/online-features", body)
            if answer.status != 503 { return answer }
            try await Task.sleep(for: .milliseconds(25))
        }
        return try await server.post("/v1/projects/shop/online-features", body)
    }

    @Test func `a push by command is online at once, under the version it names`() async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions())
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("materialize")
            let text = try await larder.succeed(
                "push", "scores", "-", "--format", "csv", input: "customer_id,at,score\n1,2024-05-01T10:00:00Z,5\n")
            #expect(text.contains(#"feature view "scores", version 1: 1 rows written, 1 published"#))
            try larder.write(Self.definitions(Self.level))
            try await larder.succeed("apply", "--yes")
            let report = try await larder.json(
                "push", "scores", "-", "--format", "ndjson", "--schema-version", "1", "--to", "offline",
                input: #"{"customer_id": 2, "at": "2024-05-01T10:00:00Z", "score": 6}"#)
            #expect(report["schema_version"] as? Int == 1)
            #expect(report["online"] as? String == "none")
            let answer = try await larder.json(
                "get-online-features", "--features", "scores:score,scores:level", "--keys", "customer_id=1", "--keys",
                "customer_id=2")
            let results = try #require(answer["results"] as? [[String: Any]])
            #expect(results[0]["values"] as? [Int] == [1, 2])
            #expect(results[1]["statuses"] as? [String] == ["PRESENT", "NOT_FOUND"])
            #expect(results[2]["statuses"] as? [String] == ["DEFAULTED", "NOT_FOUND"])
        }
    }

    @Test func `keys of a command's answer have their types, and stay text where nothing needs them`() async throws {
        try await Installation.run { larder in
            try larder.write(
                """
                \(Shop.head)
                kind: entity
                name: plan
                join_keys: [{name: is_paid, type: bool}, {name: tier, type: string}, {name: since, type: date}]
                ---
                kind: source
                name: prices_in
                type: push
                columns:
                  - {name: is_paid, type: bool}
                  - {name: tier, type: string}
                  - {name: since, type: date}
                  - {name: at, type: timestamp}
                  - {name: price, type: int32}
                timestamp: at
                ---
                kind: feature_view
                name: prices
                entities: [plan]
                source: prices_in
                features: [{name: price, type: int32}]

                """)
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("materialize")
            try await larder.succeed(
                "push", "prices", "-", "--format", "csv",
                input: "is_paid,tier,since,at,price\ntrue,1,2024-05-01,2024-05-01T10:00:00Z,5\n")
            let answer = try await larder.json(
                "get-online-features", "--features", "prices:price", "--keys",
                "is_paid=true,tier=1,since=2024-05-01,customer_id=7")
            let names = (answer["metadata"] as? [String: Any])?["feature_names"] as? [String]
            #expect(names == ["is_paid", "tier", "since", "customer_id", "price"])
            let results = try #require(answer["results"] as? [[String: Any]])
            #expect(results[0]["values"] as? [Bool] == [true], "\(results)")
            #expect(results[1]["values"] as? [String] == ["1"], "\(results)")
            #expect(results[2]["values"] as? [String] == ["2024-05-01"], "\(results)")
            #expect(results[3]["values"] as? [String] == ["7"], "\(results)")
            #expect(results[4]["values"] as? [Int] == [5], "\(results)")
        }
    }

    @Test func `rows replayed from the quarantine are published, or say that they are not`() async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions())
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("materialize")
            func quarantine(_ customer: Int) async throws {
                try await larder.succeed(
                    "push", "scores", "-", "--format", "csv", "--mode", "partial",
                    input: "customer_id,at,score\n\(customer),2024-05-01T10:00:00Z,-5\n")
            }
            try await quarantine(1)
            try larder.write(Self.definitions().replacing(", expect: {min: 0}", with: ""))
            try await larder.succeed("apply", "--yes")
            #expect(
                try await larder.succeed("quarantine", "replay", "scores")
                    == "feature view \"scores\", version 1: 1 rows written, 1 published, 0 stay quarantined\n")
            try larder.write(Self.definitions())
            try await larder.succeed("apply", "--yes")
            try await quarantine(2)
            try larder.write(Self.definitions().replacing(", expect: {min: 0}", with: ""))
            try await larder.succeed("apply", "--yes")
            larder.redis.kill()
            let pending = try await larder.larder("quarantine", "replay", "scores", "--output", "json")
            #expect(pending.status == 0, "\(pending)")
            #expect(pending.output.contains(#""online": "pending""#), "\(pending)")
            #expect(pending.errors.contains("larder materialize scores publishes them"), "\(pending)")
        }
    }

    @Test func `with Redis away a push by command stands and says what is left to do`() async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions())
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("materialize")
            larder.redis.kill()
            let outcome = try await larder.larder(
                "push", "scores", "-", "--format", "csv", input: "customer_id,at,score\n1,2024-05-01T10:00:00Z,5\n")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains("1 rows written, not published yet"))
            #expect(outcome.errors.contains("larder materialize scores"))
        }
    }

    @Test func `rows over HTTP answer 200, 202 or a problem with every reason`() async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions())
            try await larder.succeed("apply", "--yes")
            try await larder.withServer { server in
                let row = #"{"customer_id": 1, "at": "2024-05-01T10:00:00Z", "score": 5}"#
                let early = try await server.post(Self.path, #"{"schema_version": 1, "rows": [\#(row)]}"#)
                #expect(early.status == 202, "\(early)")
                #expect(early["online"] as? String == "pending")
                try await larder.succeed("materialize")
                let unversioned = try await server.post(Self.path, #"{"rows": [\#(row)]}"#)
                #expect(unversioned.status == 400 && unversioned["code"] as? String == "request_invalid")
                #expect((unversioned["hint"] as? String)?.contains("Larder-Schema-Version") == true)
                let written = try await server.post(
                    Self.path, #"{"schema_version": 1, "rows": [\#(row)], "idempotency_key": "a"}"#)
                #expect(written.status == 200, "\(written)")
                #expect(written["online"] as? String == "published" && written["rows_written"] as? Int == 1)
                let again = try await server.post(
                    Self.path, #"{"rows": [\#(row)], "schema_version": 1}"#,
                    headers: ["Content-Type": "application/json", "Idempotency-Key": "a"])
                #expect(again.status == 200 && again["was_there_before"] as? Bool == true, "\(again)")
                let other = try await server.post(
                    Self.path,
                    #"{"schema_version": 1, "rows": [\#(row.replacing("5}", with: "6}"))], "idempotency_key": "a"}"#)
                #expect(other.status == 422 && other["code"] as? String == "idempotency_key_reused", "\(other)")
                let lines = try await server.post(
                    Self.path, #"{"customer_id": 2, "at": "2024-05-01T10:00:00Z", "score": 6}"# + "\n",
                    headers: [
                        "Content-Type": "application/x-ndjson", "Larder-Schema-Version": "1",
                        "Larder-Write-To": "offline", "Idempotency-Key": "b",
                    ])
                #expect(lines.status == 200 && lines["online"] as? String == "none", "\(lines)")
                let bad = try await server.post(
                    Self.path,
                    #"{"schema_version": 1, "rows": [{"customer_id": null, "at": "2024-05-01T10:00:00Z", "score": -1}]}"#
                )
                #expect(bad.status == 422 && bad["code"] as? String == "rows_rejected")
                let reasons = (bad["errors"] as? [[String: Any]])?.compactMap { $0["code"] as? String }
                #expect(reasons == ["null_key", "below_minimum"])
                let partial = try await server.post(
                    Self.path,
                    """
                    {"schema_version": 1, "mode": "partial", "rows": [
                      \(row),
                      {
                        "customer_id": 1
                      }
                    ]}
                    """)
                #expect(partial.status == 200 && partial["rows_quarantined"] as? Int == 1, "\(partial)")
                let quarantine = try await larder.json("quarantine", "list", "scores")
                let quarantined = try #require((quarantine["newest"] as? [[String: Any]])?.first)
                #expect(quarantined["record"] as? String == #"{    "customer_id": 1  }"#)
                let twice = try await server.post(
                    Self.path, #"{"schema_version": 1, "rows": [{"customer_id": 1, "customer_id": 2}]}"#)
                #expect(twice.status == 422 && twice.text.contains("duplicate_member"), "\(twice)")
                let unknown = try await server.post(Self.path, #"{"schema_version": 5, "rows": [\#(row)]}"#)
                #expect(unknown.status == 409 && unknown["code"] as? String == "schema_version_mismatch")
                let misspelt = try await server.post(Self.path, #"{"schema_version": 1, "rowz": []}"#)
                #expect(misspelt.status == 400)
                let nowhere = try await server.post(Self.path, #"{"schema_version": 1, "rows": [], "to": "moon"}"#)
                #expect(nowhere.status == 400)
                let answer = try await online(
                    #"{"features": ["scores:score"], "entities": {"customer_id": [1, 2]}}"#, server)
                let results = try #require(answer["results"] as? [[String: Any]])
                #expect(results[1]["statuses"] as? [String] == ["PRESENT", "NOT_FOUND"])
            }
        }
    }

    @Test func `small pushes at once are each answered for themselves, and are online together`() async throws {
        try await Installation.run { larder in
            try larder.write(Self.definitions())
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("materialize")
            try await larder.withServer { server in
                let (customers, bad) = (60, 30)
                let answers = try await withThrowingTaskGroup(of: (Int, RunningServer.Answer).self) { group in
                    for customer in 1...customers {
                        group.addTask {
                            let score = customer == bad ? -1 : customer
                            let row = #"{"customer_id": \#(customer), "at": "2024-05-01T10:00:00Z""#
                            let body = #"{"schema_version": 1, "rows": [\#(row), "score": \#(score)}]}"#
                            return (customer, try await server.post(Self.path, body))
                        }
                    }
                    return try await group.reduce(into: [Int: RunningServer.Answer]()) { $0[$1.0] = $1.1 }
                }
                for (customer, answer) in answers {
                    #expect(answer.status == (customer == bad ? 422 : 200), "\(customer): \(answer)")
                    if customer != bad {
                        #expect(answer["online"] as? String == "published" && answer["rows_written"] as? Int == 1)
                    }
                }
                let keys = (1...customers).map { "\($0)" }.joined(separator: ", ")
                let answer = try await online(
                    #"{"features": ["scores:score"], "entities": {"customer_id": [\#(keys)]}}"#, server)
                let results = try #require(answer["results"] as? [[String: Any]])
                let expected = (1...customers).map { $0 == bad ? "NOT_FOUND" : "PRESENT" }
                #expect(results[1]["statuses"] as? [String] == expected)
                let metrics = try await server.get("/metrics").text
                #expect(metrics.contains(#"larder_push_group_rows_count{name="scores"}"#), "none went into a group")
            }
        }
    }

    @Test func `plan and apply over HTTP say what the commands say`() async throws {
        try await Installation.run { larder in
            try await larder.withServer { server in
                func body(_ text: String, _ more: String = "") throws -> String {
                    let files = try JSONSerialization.data(withJSONObject: ["shop.yaml": text])
                    return #"{"files": \#(String(decoding: files, as: UTF8.self))\#(more)}"#
                }
                let planned = try await server.post("/v1/projects/shop/plan", try body(Self.definitions()))
                #expect(planned.status == 200, "\(planned)")
                try larder.write(Self.definitions())
                let command = try await larder.json("plan")
                #expect(planned.members as NSDictionary == command as NSDictionary)
                let applied = try await server.post(
                    "/v1/projects/shop/apply", try body(Self.definitions(), #", "expected_revision": 0"#))
                #expect(applied.status == 200 && applied["applied"] as? Bool == true, "\(applied)")
                #expect(applied["revision"] as? Int == 1)
                let again = try await server.post("/v1/projects/shop/apply", try body(Self.definitions()))
                #expect(again.status == 200 && again["applied"] as? Bool == false)
                let stale = try await server.post(
                    "/v1/projects/shop/apply", try body(Self.definitions(Self.level), #", "expected_revision": 0"#))
                #expect(stale.status == 409 && stale["code"] as? String == "revision_conflict")
                // Readers of version 1 need the score.
                let breaking = try body(
                    Self.definitions().replacing(
                        "name: score, type: int32, nullable: false, expect: {min: 0}", with: "name: level, type: int32")
                )
                let refused = try await server.post("/v1/projects/shop/plan", breaking)
                #expect(refused.status == 200 && (refused["refusals"] as? [Any])?.isEmpty == false, "\(refused)")
                let unchanged = try await server.post("/v1/projects/shop/apply", breaking)
                #expect(unchanged.status == 409 && unchanged["code"] as? String == "change_refused", "\(unchanged)")
                let mistaken = try await server.post(
                    "/v1/projects/shop/plan", try body(Self.definitions("  - {name: nothing, type: int32}")))
                #expect(mistaken.status == 422 && mistaken["code"] as? String == "definition_invalid")
                let place = (mistaken["errors"] as? [[String: Any]])?.first
                #expect(place?["file"] as? String == "shop.yaml" && place?["line"] is Int)
                let other = try await server.post("/v1/projects/other/plan", try body(Self.definitions()))
                #expect(other.status == 404 && other["code"] as? String == "project_not_found")
            }
        }
    }

    @Test func `a server without PostgreSQL starts, and answers writes with 503`() async throws {
        try await Installation.run { larder in
            var away = larder
            away.environment["LARDER_POSTGRES_URL"] = "postgresql://owner@127.0.0.1:1/larder"
            away.environment["LARDER_POSTGRES_SOURCE_URL"] = "postgresql://source@127.0.0.1:1/larder"
            try await away.withServer(knowingTheRegistry: false) { server in
                let answer = try await server.post(Self.path, #"{"schema_version": 1, "rows": []}"#)
                #expect(answer.status == 503 && answer["code"] as? String == "registry_unavailable", "\(answer)")
                let health = try await server.get("/health/ready")
                for check in ["migrations", "clock"] {
                    let unknown = #"{"name":"\#(check)","status":"fail","detail":"not known yet"}"#
                    #expect(health.status == 503 && health.text.contains(unknown), "\(health)")
                }
                // Nothing is known of its source login either.
                #expect(!server.log.contains("does not lead to a session"), "\(server.log)")
            }
        }
    }
}
