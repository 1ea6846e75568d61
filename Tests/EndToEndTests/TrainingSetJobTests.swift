import Foundation
import TestSupport
import Testing

/// Training sets that a server makes as jobs.
@Suite struct TrainingSetJobTests {
    private static let header = "customer_id,event_timestamp\n"

    /// Has a training set made of a spine.
    private func enqueue(_ spine: String, on server: RunningServer) async throws -> Int {
        let queued = try await server.post(
            "/v1/projects/shop/training-sets?service=checkout&job=true", spine, headers: RunningServer.csv)
        #expect(queued.status == 202, "\(queued)")
        return try #require(queued["id"] as? Int, "\(queued)")
    }

    @Test func `a training set as a job is made by the server, followed, and downloaded`() async throws {
        try await Shop.run { larder in
            try await larder.withServer { server in
                let id = try await enqueue(Shop.spine, on: server)
                try await larder.succeed("jobs", "follow", "\(id)")
                let file = larder.folder.appending(path: "job.csv")
                try await larder.succeed("jobs", "download", "\(id)", "--out", file.path)
                let made = try await server.post(
                    "/v1/projects/shop/training-sets?service=checkout", Shop.spine, headers: RunningServer.csv)
                #expect(try String(contentsOf: file, encoding: .utf8) == made.text)
                let bad = try await server.post(
                    "/v1/projects/shop/training-sets?features=last_visit:nothing&job=true", Shop.spine,
                    headers: RunningServer.csv)
                #expect(bad.status == 404, "\(bad)")
            }
        }
    }

    @Test func `a job that failed keeps every reason of the rows to blame, and shows them`() async throws {
        try await Shop.run { larder in
            try await larder.withServer { server in
                let rows = "1,2024-05-01T12:00:00Z\nx,yesterday\n2,2024-05-01T12:00:00\n"
                let error = try await failure(of: Self.header + rows, larder, server)
                #expect(error["code"] as? String == "spine_invalid")
                #expect(error["violation_count"] as? Int == 3)
                let reasons = try #require(error["errors"] as? [[String: Any]])
                let places = try reasons.map { reason in
                    let row = try #require(reason["row"] as? Int)
                    let line = try #require(reason["line"] as? Int)
                    let feature = try #require(reason["feature"] as? String)
                    let code = try #require(reason["code"] as? String)
                    return "row \(row), line \(line), \(feature): \(code)"
                }
                #expect(
                    places.sorted() == [
                        "row 2, line 3, customer_id: wrong_type", "row 2, line 3, event_timestamp: wrong_type",
                        "row 3, line 4, event_timestamp: timestamp_without_zone",
                    ])
                let messages = reasons.compactMap { $0["message"] as? String }
                #expect(messages.count == 3 && messages.contains { $0.contains("\"yesterday\"") }, "\(messages)")
            }
        }
    }

    @Test func `of many rows to blame a job keeps the first hundred reasons and the exact count`() async throws {
        try await Shop.run { larder in
            try await larder.withServer { server in
                let rows = String(repeating: "1,yesterday\n", count: 150)
                let error = try await failure(of: Self.header + rows, larder, server)
                #expect(error["violation_count"] as? Int == 150)
                let reasons = try #require(error["errors"] as? [[String: Any]])
                #expect(reasons.compactMap { $0["row"] as? Int } == Array(1...100))
            }
        }
    }

    /// The error of a job whose spine is bad, which following it tells too.
    private func failure(
        of spine: String, _ larder: Installation, _ server: RunningServer
    ) async throws -> [String: Any] {
        let id = try await enqueue(spine, on: server)
        let followed = try await larder.larder("jobs", "follow", "\(id)")
        #expect(followed.status == 1 && followed.errors.contains("[spine_invalid]"), "\(followed)")
        let job = try await server.get("/v1/projects/shop/jobs/\(id)")
        #expect(job.status == 200 && job["state"] as? String == "failed", "\(job)")
        return try #require(job["error"] as? [String: Any], "\(job)")
    }
}
