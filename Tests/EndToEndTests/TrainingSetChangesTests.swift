import Foundation
import TestSupport
import Testing

/// Training sets without a spine, of named entities.
@Suite struct TrainingSetChangesTests {
    private static let path = "/v1/projects/shop/training-sets"

    /// Of the first visitor, all changes.
    private static let frame = """
        customer_id,event_timestamp,amount,page,is_large
        1,2024-05-01T10:00:00Z,20.5,home,false
        1,2024-05-01T12:00:00Z,120.0,cart,true

        """

    /// Asks for the changes of a day.
    private func changes(
        _ query: String, _ members: String, of server: RunningServer
    ) async throws -> RunningServer.Answer {
        try await server.post(
            Self.path + query,
            #"{"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z", \#(members)}"#,
            headers: ["Content-Type": "application/json", "Accept": "text/csv"])
    }

    @Test func `changes of named entities are the same by the command line, over HTTP and as a job`() async throws {
        try await Shop.run { larder in
            let written = try await larder.succeed(
                "training-set", "create", "--start", "2024-05-01T00:00:00Z", "--end", "2024-05-02T00:00:00Z", "--keys",
                "customer_id=1", "--keys", "customer_id=7", "--service", "checkout", "--out", "-", "--out-format",
                "csv")
            #expect(written == Self.frame)
            try await larder.withServer { server in
                let entities = #""entities": {"customer_id": [1, 7]}"#
                let made = try await changes("?service=checkout", entities, of: server)
                #expect(made.status == 200 && made.text == Self.frame, "\(made)")
                let queued = try await changes("?service=checkout&job=true", entities, of: server)
                let id = try #require(queued["id"] as? Int, "\(queued)")
                try await larder.succeed("jobs", "follow", "\(id)")
                let file = larder.folder.appending(path: "job.csv")
                try await larder.succeed("jobs", "download", "\(id)", "--out", file.path)
                #expect(try String(contentsOf: file, encoding: .utf8) == Self.frame)
            }
        }
    }

    @Test func `entities that do not fit are refused at once, streamed or as a job`() async throws {
        try await Shop.run { larder in
            try await larder.withServer { server in
                let many = Array(repeating: "1", count: 10_001).joined(separator: ",")
                for (members, status, code) in [
                    (#""entities": {"customer_id": ["x"]}"#, 422, "join_key_type"),
                    (#""entities": {"customer": [1]}"#, 422, "join_key_missing"),
                    (#""entities": {"customer_id": [1], "page": ["home"]}"#, 400, "request_invalid"),
                    (#""entities": {"customer_id": [1, 2], "customer_id": [1]}"#, 400, "request_invalid"),
                    (#""entities": {"customer_id": 1}"#, 400, "request_invalid"),
                    (#""entities": {}"#, 400, "request_invalid"), (#""entitys": {}"#, 400, "request_invalid"),
                    (#""entities": {"customer_id": [\#(many)]}"#, 413, "too_many_entities"),
                ] {
                    for query in ["?service=checkout", "?service=checkout&job=true"] {
                        let refused = try await changes(query, members, of: server)
                        #expect(refused.status == status, "\(query), \(members.prefix(80)): \(refused)")
                        #expect(refused["code"] as? String == code, "\(query), \(members.prefix(80)): \(refused)")
                    }
                }
            }
        }
    }

    @Test func `a time that cannot be read is refused by its name, with how to write it`() async throws {
        try await Shop.run { larder in
            try await larder.withServer { server in
                for (member, text, times) in [
                    ("start", "2024-05-01", #"{"start": "2024-05-01", "end": "2024-05-02T00:00:00Z"}"#),
                    (
                        "end", "2024-05-02T00:00:00",
                        #"{"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00"}"#
                    ),
                ] {
                    for query in ["?service=checkout", "?service=checkout&job=true"] {
                        let refused = try await server.post(Self.path + query, times)
                        #expect(refused.status == 400, "\(query), \(times): \(refused)")
                        let detail = "\"\(member)\" is \"\(text)\", which is no time with an offset"
                        #expect(refused["detail"] as? String == detail, "\(query), \(times): \(refused)")
                        #expect(refused["hint"] as? String == "write 2013-01-01T00:00:00Z", "\(refused)")
                    }
                }
            }
        }
    }

    @Test func `keys beside a spine are a usage error`() async throws {
        try await Installation.run(isMigrated: false) { larder in
            let misplaced = try await larder.larder(
                "training-set", "create", "--spine", "spine.csv", "--keys", "customer_id=1", "--service", "checkout",
                "--out", "out.csv")
            #expect(misplaced.status == 64 && misplaced.errors.contains("--start and --end"), "\(misplaced)")
        }
    }

    @Test func `a hint over HTTP names the query parameter`() async throws {
        try await Shop.run { larder in
            try await larder.withServer { server in
                let refused = try await server.post(
                    Self.path + "?service=checkout", "customer_id,at\n1,2024-05-01T12:00:00Z\n",
                    headers: RunningServer.csv)
                #expect(refused["code"] as? String == "column_missing", "\(refused)")
                #expect((refused["hint"] as? String)?.contains("the option timestamp_column") == true, "\(refused)")
                let named = try await server.post(
                    Self.path + "?service=checkout&timestamp_column=at", "customer_id,at\n1,2024-05-01T12:00:00Z\n",
                    headers: RunningServer.csv)
                #expect(named.status == 200, "\(named)")
            }
        }
    }
}
