import Foundation
import TestSupport
import Testing

/// From raw rows to a training set and to an online answer, through commands alone.
@Suite struct FullPathTests {
    private func prepare(_ larder: Installation) async throws {
        try larder.write(Shop.definitions)
        try await larder.succeed("apply", "--yes")
        try await larder.succeed("ingest", "visits", "-", "--format", "csv", input: Shop.visits)
        try Data(Shop.spine.utf8).write(to: larder.folder.appending(path: "spine.csv"))
    }

    @Test func `rows that are ingested twice count once`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let first = try await larder.json("ingest", "visits", "-", "--format", "csv", input: Shop.visits)
            #expect(first["rows_written"] as? Int == 3)
            #expect(first["schema_version"] as? Int == 1)
            let second = try await larder.json("ingest", "visits", "-", "--format", "csv", input: Shop.visits)
            #expect(second["was_there_before"] as? Bool == true)
            #expect(try await larder.rawRowCount() == 3)
        }
    }

    @Test func `a training set has the features that were right at each row's time`() async throws {
        try await Installation.run { larder in
            try await prepare(larder)
            try await larder.succeed("materialize", "--only", "offline")
            let summary = try await larder.json(
                "training-set", "create", "--spine", "spine.csv", "--service", "checkout", "--out", "out.csv",
                "--include-timestamps")
            #expect(summary["rows"] as? Int == 5)
            let expected = #"""
                customer_id,event_timestamp,label,last_visit__event_timestamp,amount,page,is_large
                1,2024-05-01T11:00:00Z,a,2024-05-01T10:00:00Z,20.5,home,false
                1,2024-05-01T12:00:00Z,b,2024-05-01T12:00:00Z,120.0,cart,true
                2,2024-05-01T12:00:00Z,c,2024-05-01T11:00:00Z,,"a, ""b""",
                3,2024-05-01T12:00:00Z,d,,,,
                1,2024-05-01T18:00:00.000001Z,e,2024-05-01T12:00:00Z,,,

                """#
            let written = try String(contentsOf: larder.folder.appending(path: "out.csv"), encoding: .utf8)
            #expect(written.replacing("\r\n", with: "\n") == expected)
        }
    }

    @Test func `with the frame on standard output nothing else is there`() async throws {
        try await Installation.run { larder in
            try await prepare(larder)
            try await larder.succeed("materialize", "--only", "offline")
            let outcome = try await larder.larder(
                "training-set", "create", "--spine", "-", "--spine-format", "csv", "--features", "last_visit:page",
                "--out", "-", "--out-format", "ndjson", "--full-feature-names", input: Shop.spine)
            #expect(outcome.status == 0, "\(outcome)")
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.count == 5)
            for line in lines {
                let row = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(row?.keys.contains("last_visit__page") == true)
            }
            #expect(outcome.errors.contains("5 rows"))
        }
    }

    @Test func `the online answer has values, statuses and ages`() async throws {
        try await Installation.run { larder in
            try await prepare(larder)
            let unpublished = try await larder.larder(
                "get-online-features", "--service", "checkout", "--keys", "customer_id=1")
            #expect(unpublished.status == 1)
            #expect(unpublished.errors.contains("[not_materialized]"))
            try await larder.succeed("materialize")

            let answer = try await larder.json(
                "get-online-features", "--service", "checkout", "--clock-fixed", "2024-05-01T13:00:00Z", "--keys",
                "customer_id=1", "--keys", "customer_id=2", "--keys", "customer_id=9")
            let names = (answer["metadata"] as? [String: Any])?["feature_names"] as? [String]
            #expect(names == ["customer_id", "amount", "page", "is_large"])
            let results = try #require(answer["results"] as? [[String: Any]])
            #expect(results[1]["statuses"] as? [String] == ["PRESENT", "NULL_VALUE", "NOT_FOUND"])
            #expect(results[2]["values"] as? NSArray == ["cart", "a, \"b\"", NSNull()])
            #expect(
                results[3]["event_timestamps"] as? NSArray
                    == ["2024-05-01T12:00:00Z", "2024-05-01T11:00:00Z", NSNull()])

            let text = try await larder.larder(
                "get-online-features", "--features", "last_visit:page", "--clock-fixed", "2024-05-01T19:30:00Z",
                "--keys", "customer_id=1")
            #expect(text.output.contains(/page +- +OUTSIDE_MAX_AGE +2024-05-01T12:00:00Z +7h 30m\n/))
            #expect(text.errors.contains("--clock-fixed"))
        }
    }

    @Test func `with Redis away the offline half works and the other one says what is wrong`() async throws {
        try await Installation.run { larder in
            try await prepare(larder)
            larder.redis.kill()
            try await larder.succeed("materialize", "--only", "offline")
            let outcome = try await larder.larder("materialize", "--only", "online")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("[online_store_unavailable]"), "\(outcome)")
            #expect(outcome.errors.contains("LARDER_REDIS_URL"))
        }
    }

    @Test func `with PostgreSQL away the message says what to check`() async throws {
        let away = [
            "LARDER_POSTGRES_URL": "postgresql://owner:hunter2@127.0.0.1:1/larder",
            "LARDER_POSTGRES_SOURCE_URL": "postgresql://source@127.0.0.1:1/larder",
            "LARDER_REDIS_URL": "redis://127.0.0.1:1",
            "LARDER_MIGRATIONS": Program.checkout.appending(path: "migrations").path(),
        ]
        for command in [["list", "entities"], ["migrate"]] {
            let outcome = try await Program.run(command, environment: away)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("[registry_unavailable]"), "\(outcome)")
            #expect(outcome.errors.contains("LARDER_POSTGRES_URL"))
            #expect(!outcome.errors.contains("hunter2"))
        }
    }
}
