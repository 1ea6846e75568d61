import Foundation
import Glibc
import PostgresClient
import TestSupport
import Testing

/// Clients that take next to nothing of what a server streams to them.
@Suite struct SlowClientTests {
    /// Connections of a server that are for training sets alone.
    private static let trainingConnections: Int64 = 6
    /// More than there are connections for training sets, and than there are for everything else.
    private static let clients = 12

    @Test func `training sets for slow clients leave writes and listings their connections`() async throws {
        try await Installation.run { installation in
            var larder = installation
            larder.environment.merge(Profiles.environment) { $1 }
            try await Profiles.prepare(larder)
            try await larder.withServer { server in
                let clients = try (0..<Self.clients).map { try SlowClient($0, server, larder) }
                try await withThrowingTaskGroup(of: Program.Outcome.self) { group in
                    defer { for client in clients { client.program.signal(SIGKILL) } }
                    for client in clients {
                        group.addTask { try await client.program.outcome(within: .seconds(50)) }
                    }
                    // One that has waited in vain tells that the others have all the connections there are for them.
                    let first = try await group.next()
                    let refused = try #require(first)
                    #expect(refused.status == 0 && refused.output == "503", "\(refused)")
                    try await expectAnswers(server)
                    let transactions = try await openTransactions(larder)
                    #expect(transactions >= Self.trainingConnections, "the training sets were over before")
                }
            }
        }
    }

    private func expectAnswers(_ server: RunningServer) async throws {
        let row = #"{"customer_id": 1, "changed_at": "2024-05-03T10:00:00Z", "score": 5}"#
        let written = try await server.post(
            "/v1/projects/shop/sources/profiles/rows", #"{"schema_version": 1, "rows": [\#(row)]}"#)
        #expect(written.status == 200 && written["rows_written"] as? Int == 1, "\(written)")
        for list in ["training-sets", "jobs"] {
            let listed = try await server.get("/v1/projects/shop/\(list)")
            #expect(listed.status == 200, "\(list): \(listed)")
        }
    }

    private func openTransactions(_ larder: Installation) async throws -> Int64 {
        try await larder.query(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                AND xact_start IS NOT NULL
            """, as: Int64.self)
    }
}

/// Asks for a training set and writes the answer into a pipe that nobody reads: it takes no more once that is full. An
/// answer that is short, such as a refusal, fits; the program's output is its status then.
private final class SlowClient: Sendable {
    let program: RunningProgram
    /// The pipe's other end, which only has to be open.
    private let reader: Int32

    init(_ number: Int, _ server: RunningServer, _ larder: Installation) throws {
        let path = larder.folder.appending(path: "answer\(number)").path()
        try #require(mkfifo(path, 0o600) == 0)
        // For both directions, because opening one of them would wait for the other.
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
        reader = descriptor
        program = try RunningProgram(
            [
                "curl", "--silent", "--show-error", "--write-out", "%{http_code}", "--header", "Content-Type: text/csv",
                "--header", "Accept: application/vnd.apache.arrow.stream", "--data-binary", "@spine.csv", "--output",
                path, "\(server.address)/v1/projects/shop/training-sets?service=checkout",
            ], environment: [:], directory: larder.folder, launcher: URL(filePath: "/usr/bin/env"))
    }

    deinit {
        close(reader)
    }
}
