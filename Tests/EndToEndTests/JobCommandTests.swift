import Foundation
import PostgresClient
import TestSupport
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Jobs by the command line and over HTTP; the test itself plays the worker.
@Suite struct JobCommandTests {
    private func withShop(_ body: (Installation) async throws -> Void) async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            try await body(larder)
        }
    }

    private func enqueue(_ larder: Installation, kind: String = "training_set") async throws -> Int64 {
        try await larder.query(
            """
            INSERT INTO larder.job (project_id, kind, payload, created_by, maximum_attempts, kept_for)
            SELECT id, \(kind), '{"service": "s"}', 'ada', 3, '1 day' FROM larder.project RETURNING id
            """, as: Int64.self)
    }

    private func allowAnyKind(_ larder: Installation) async throws {
        let connection = try await PostgresConnection.connect(larder.database, logger: .silent)
        try await connection.execute("ALTER TABLE larder.job DROP CONSTRAINT job_kind_check")
        await connection.close()
    }

    private func begin(_ id: Int64, _ larder: Installation) async throws {
        _ = try await larder.query(
            """
            UPDATE larder.job SET state = 'running', attempts = 1, lease_token = 1, worker = 'w', rows_done = 1000,
                rows_total = 4000, note = 'joining', started_at = clock_timestamp() - interval '10 seconds',
                lease_expires_at = clock_timestamp() + interval '1 hour'
            WHERE id = \(id) RETURNING id
            """, as: Int64.self)
    }

    private func succeed(_ id: Int64, _ larder: Installation) async throws {
        _ = try await larder.query(
            """
            WITH pieces AS (
                INSERT INTO larder.job_output (job_id, lease_token, number, bytes)
                VALUES (\(id), 0, 0, 'of a dead attempt'), (\(id), 1, 0, E'a,b\\n'), (\(id), 1, 1, E'1,2\\n')
            )
            UPDATE larder.job SET state = 'succeeded', rows_done = 4000, lease_expires_at = NULL,
                finished_at = clock_timestamp(), expires_at = clock_timestamp() + kept_for,
                result = '{"content_type": "text/csv", "file_name": "../set \\"1\\".csv"}'
            WHERE id = \(id) RETURNING id
            """, as: Int64.self)
    }

    @Test func `a job is listed, cancelled, begun again, followed and its output written`() async throws {
        try await withShop { larder in
            #expect(try await larder.succeed("jobs", "list") == "There are no such jobs.\n")
            let id = try await enqueue(larder)
            #expect(try await larder.succeed("jobs", "list").contains("training_set"))
            #expect(try await larder.succeed("jobs", "list", "--state", "failed,running").contains("no such jobs"))
            let shown = try await larder.json("jobs", "show", "\(id)")
            #expect(shown["state"] as? String == "queued" && shown["created_by"] as? String == "ada")
            #expect((shown["payload"] as? [String: Any])?["service"] as? String == "s")

            let early = try await larder.larder("jobs", "retry", "\(id)")
            #expect(early.status == 1 && early.errors.contains("[job_not_finished]"))
            #expect(try await larder.succeed("jobs", "cancel", "\(id)") == "Job \(id) is cancelled.\n")
            let late = try await larder.larder("jobs", "cancel", "\(id)")
            #expect(late.status == 1 && late.errors.contains("[job_finished]"))
            #expect(try await larder.larder("jobs", "follow", "\(id)").status == 1)
            let nothing = try await larder.larder("jobs", "download", "\(id)", "--out", "set.csv")
            #expect(nothing.status == 1 && nothing.errors.contains("[job_not_succeeded]"))
            #expect(try await larder.succeed("jobs", "retry", "\(id)") == "Job \(id) is queued again.\n")

            try await begin(id, larder)
            let follower = try RunningProgram(["jobs", "follow", "\(id)"], environment: larder.environment)
            for _ in 0..<400 where !follower.errors.contains("rows/s") { try await Task.sleep(for: .milliseconds(25)) }
            #expect(
                follower.errors.contains(#/job \d+: joining, 1,000 of 4,000 rows \(25 %\), \d+ rows/s, \d+s left/#),
                "\(follower.errors)")
            try await succeed(id, larder)
            let followed = try await follower.outcome(within: .seconds(30))
            #expect(followed.status == 0 && followed.output.contains("succeeded"), "\(followed)")

            try await larder.succeed("jobs", "download", "\(id)", "--out", "set.csv")
            let written = try String(contentsOf: larder.folder.appending(path: "set.csv"), encoding: .utf8)
            #expect(written == "a,b\n1,2\n")
            #expect(try await larder.succeed("jobs", "download", "\(id)", "--out", "-") == "a,b\n1,2\n")
            let unknown = try await larder.larder("jobs", "show", "\(id + 1)")
            #expect(unknown.status == 1 && unknown.errors.contains("[job_not_found]"))
        }
    }

    @Test func `a job that failed says why, and following it ends with status 1`() async throws {
        try await withShop { larder in
            let id = try await enqueue(larder)
            _ = try await larder.query(
                """
                UPDATE larder.job SET state = 'failed', finished_at = now(), expires_at = now() + kept_for,
                    error = '{"code": "spine_invalid", "message": "no time", "hint": "add it"}'
                WHERE id = \(id) RETURNING id
                """, as: Int64.self)
            let followed = try await larder.larder("jobs", "follow", "\(id)")
            #expect(followed.status == 1)
            #expect(followed.errors.contains("error: job \(id) failed: no time [spine_invalid]\n  hint: add it"))
            #expect(try await larder.succeed("jobs", "list").contains("no time [spine_invalid]"))
        }
    }

    @Test func `a job that waits for its next attempt says when that is, until somebody retries it`() async throws {
        try await withShop { larder in
            let id = try await enqueue(larder)
            _ = try await larder.query(
                """
                UPDATE larder.job SET attempts = 2, note = 'PostgreSQL is away', retry_at = '2100-01-01 00:00:30+00'
                WHERE id = \(id) RETURNING id
                """, as: Int64.self)
            let shown = try await larder.json("jobs", "show", "\(id)")
            #expect(shown["state"] as? String == "queued" && shown["retry_at"] as? String == "2100-01-01T00:00:30Z")
            #expect(try await larder.succeed("jobs", "show", "\(id)").contains("retry at:"))
            #expect(try await larder.succeed("jobs", "list").contains("PostgreSQL is away"))
            let follower = try RunningProgram(["jobs", "follow", "\(id)"], environment: larder.environment)
            let line = "job \(id): waits until 2100-01-01T00:00:30Z, PostgreSQL is away, attempt 2 of 3\n"
            for _ in 0..<400 where !follower.errors.contains(line) { try await Task.sleep(for: .milliseconds(25)) }
            #expect(follower.errors.contains(line), "\(follower.errors)")

            #expect(try await larder.succeed("jobs", "retry", "\(id)") == "Job \(id) is queued again.\n")
            let retried = try await larder.json("jobs", "show", "\(id)")
            #expect(retried["retry_at"] == nil && retried["attempts"] as? Int == 0)
            try await larder.succeed("jobs", "cancel", "\(id)")
            #expect(try await follower.outcome(within: .seconds(30)).status == 1)
        }
    }

    @Test func `metrics tell of jobs and of pools, and each metric is in the documentation`() async throws {
        try await withShop { larder in
            try await larder.withServer { server in
                // Its payload is none that a server understands.
                _ = try await enqueue(larder)
                try await larder.wait(for: "the end of the job") {
                    let metrics = try await server.get("/metrics").text
                    return metrics.contains(#"larder_jobs_ended_total{kind="training_set",outcome="failed"} 1"#)
                }
                let metrics = try await server.get("/metrics").text
                for line in [
                    #"larder_jobs_begun_total{kind="training_set"} 1"#,
                    #"larder_job_duration_seconds_count{kind="training_set",outcome="failed"} 1"#,
                    #"larder_pool_connections_limit{pool="owner"} 2"#,
                    #"larder_pool_connections_limit{pool="writer"} 13"#,
                    #"larder_pool_connections_limit{pool="training"} 6"#,
                    #"larder_pool_connections_limit{pool="source"} 3"#,
                    #"larder_pool_connections_limit{pool="jobs"} 3"#,
                    #"larder_pool_connections{pool="training",state="in_use"} 0"#,
                    #"larder_pool_waiting{pool="training"} 0"#,
                    #"larder_pool_refused_total{pool="owner",reason="deadline"} 0"#,
                ] {
                    #expect(metrics.contains("\n\(line)\n"), "\(line) is not in \(metrics)")
                }
                let connections = metrics.split(separator: "\n")
                    .filter { $0.hasPrefix(#"larder_pool_connections{pool="jobs","#) }
                    .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                #expect(connections.count == 3 && (1...3).contains(connections.reduce(0, +)), "\(metrics)")
                let documentation = try String(
                    contentsOf: Program.checkout.appending(path: "docs/metrics.md"), encoding: .utf8)
                for line in metrics.split(separator: "\n") where line.hasPrefix("# TYPE ") {
                    let name = line.split(separator: " ")[2]
                    #expect(documentation.contains("| `\(name)` |"))
                }
            }
        }
    }

    @Test func `over HTTP a job is the same, and its output comes with its type`() async throws {
        try await withShop { larder in
            // Of a kind that no server takes: this test does what a worker would.
            try await allowAnyKind(larder)
            let id = try await enqueue(larder, kind: "of_a_later_version")
            let server = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            let jobs = "\(try await server.address())/v1/projects/shop/jobs"
            do {
                let list = try await send("GET", "\(jobs)?state=queued&limit=1")
                #expect(list.status == 200)
                let first = try #require((list.members["jobs"] as? [[String: Any]])?.first)
                let shown = try await larder.json("jobs", "show", "\(id)")
                #expect(first as NSDictionary == shown as NSDictionary)
                #expect(try await send("GET", "\(jobs)?state=lost").status == 400)
                #expect(try await send("GET", "\(jobs)/x").members["code"] as? String == "job_not_found")
                #expect(try await send("GET", "\(jobs)/\(id)/output").members["code"] as? String == "job_not_finished")

                let cancelled = try await send("DELETE", "\(jobs)/\(id)")
                #expect(cancelled.status == 202 && cancelled.members["state"] as? String == "cancelled")
                let again = try await send("DELETE", "\(jobs)/\(id)")
                #expect(again.status == 409 && again.members["code"] as? String == "job_finished")
                let retried = try await send("POST", "\(jobs)/\(id)/retry")
                #expect(retried.status == 202 && retried.members["state"] as? String == "queued")

                try await begin(id, larder)
                let asked = try await send("DELETE", "\(jobs)/\(id)")
                #expect(asked.status == 202 && asked.members["cancel_requested"] as? Bool == true)
                try await succeed(id, larder)
                let output = try await send("GET", "\(jobs)/\(id)/output")
                #expect(output.status == 200 && output.body == "a,b\n1,2\n")
                #expect(output.headers["content-type"] == "text/csv" && output.headers["content-length"] == "8")
                #expect(output.headers["content-disposition"] == #"attachment; filename="set__1_.csv""#)
                let other = try await send("GET", jobs.replacing("/shop/", with: "/other/"))
                #expect(other.members["code"] as? String == "project_not_found")
            } catch {
                server.signal(SIGKILL)
                throw error
            }
            server.signal(SIGTERM)
            let outcome = try await server.outcome(within: .seconds(30))
            #expect(outcome.status == 0, "\(outcome)")
        }
    }

    private struct Answer {
        let status: Int
        let headers: [String: String]
        let body: String

        var members: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
        }
    }

    private func send(_ method: String, _ address: String) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: address)))
        request.httpMethod = method
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        var headers: [String: String] = [:]
        for (name, value) in http.allHeaderFields {
            if let name = name as? String, let value = value as? String { headers[name.lowercased()] = value }
        }
        return Answer(status: http.statusCode, headers: headers, body: String(decoding: data, as: UTF8.self))
    }
}
