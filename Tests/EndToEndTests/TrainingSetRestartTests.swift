import Foundation
import PostgresClient
import TestSupport
import Testing

/// PostgreSQL goes away in the middle of a training set, and comes back.
///
/// In a server of its own: what a restart does to sessions, to locks and to temporary tables is more than the end of
/// the sessions.
@Suite(.serialized) struct TrainingSetRestartTests {
    @Test(arguments: [SIGINT, SIGQUIT])
    func `a PostgreSQL restart in the middle gives a clear error and leaves nothing behind`(
        signal: Int32
    ) async throws {
        try await RestartableStack.run { stack, installation in
            var larder = installation
            larder.environment.merge(Profiles.environment) { $1 }
            try await Profiles.prepare(larder)
            let whole = try await Interruption.make(larder)
            let server = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            do {
                let run = Interruption(
                    stack: stack, signal: signal, larder: larder, whole: whole, address: try await server.address())
                try await run.interruptJoins()
                try await run.interruptCommand()
                try await run.interruptAnswer()
            } catch {
                server.signal(SIGKILL)
                throw error
            }
            server.signal(SIGTERM)
            let outcome = try await server.outcome(within: .seconds(30))
            #expect(outcome.status == 0, "\(outcome)")
        }
    }
}

/// One training set that is asked for on the command line and of a server, and a PostgreSQL that goes away meanwhile.
private struct Interruption {
    let stack: RestartableStack
    let signal: Int32
    let larder: Installation
    /// What comes of it undisturbed.
    let whole: Data
    let address: String

    private static let create = [
        "training-set", "create", "--spine", "spine.csv", "--service", "checkout", "--out", "command.csv",
    ]

    /// - Returns: the training set as the command line writes it.
    static func make(_ larder: Installation) async throws -> Data {
        let made = try await larder.run(create)
        try #require(made.status == 0, "larder \(create): \(made)")
        let file = larder.folder.appending(path: "command.csv")
        defer { try? FileManager.default.removeItem(at: file) }
        return try Data(contentsOf: file)
    }

    private func command() throws -> RunningProgram {
        try RunningProgram(Self.create, environment: larder.environment, directory: larder.folder)
    }

    /// Prints the status of the answer; ends with 0 only when the answer has come to its end.
    private func request() throws -> RunningProgram {
        try RunningProgram(
            [
                "curl", "--silent", "--show-error", "--no-buffer", "--write-out", "%{http_code}", "--header",
                "Content-Type: text/csv", "--header", "Accept: text/csv", "--data-binary", "@spine.csv", "--output",
                "answer", "\(address)/v1/projects/shop/training-sets?service=checkout",
            ], environment: [:], directory: larder.folder, launcher: URL(filePath: "/usr/bin/env"))
    }

    // MARK: Moments

    /// Before the first byte: the joins wait for a table that another session has locked.
    func interruptJoins() async throws {
        let postgres = try await stack.server()
        let blocker = try await larder.lockOfflineTable()
        // Each comes to wait with two sessions, so three are of both.
        let request = try request()
        try await larder.wait(for: "the request to wait for the table") { try await larder.waitingSessions() > 0 }
        let command = try command()
        try await larder.wait(for: "both to wait for the table") { try await larder.waitingSessions() > 1 }
        try await stack.restart(postgres, signal)
        await blocker.close()
        try await expectRefusal(of: command)
        let outcome = try await request.outcome(within: .seconds(30))
        let problem = String(decoding: try takeAnswer().prefix(1_000), as: UTF8.self)
        #expect(outcome.status == 0 && outcome.output == "503", "signal \(signal): \(outcome)\n\(problem)")
        #expect(problem.contains(#""registry_unavailable""#), "signal \(signal): \(problem)")
        try await expectNothingLeft()
        try await expectWholeAnswer()
    }

    func interruptCommand() async throws {
        let postgres = try await stack.server()
        let command = try command()
        try await larder.wait(for: "the command to have written something") { size(of: ".command.csv.partial") > 0 }
        try await stack.restart(postgres, signal)
        try await expectRefusal(of: command)
        try await expectNothingLeft()
        #expect(try await Self.make(larder) == whole, "signal \(signal)")
    }

    func interruptAnswer() async throws {
        let postgres = try await stack.server()
        let request = try request()
        try await larder.wait(for: "the answer to have begun") { size(of: "answer") > 0 }
        try await stack.restart(postgres, signal)
        let outcome = try await request.outcome(within: .seconds(30))
        let answer = try takeAnswer()
        // The status had been sent; that the answer is no whole one shows by its end, which is missing.
        #expect(outcome.status != 0 && outcome.output == "200", "signal \(signal): \(outcome)")
        #expect(
            answer.count < whole.count && whole.starts(with: answer),
            "signal \(signal): \(answer.count) bytes of \(whole.count) came")
        try await expectNothingLeft()
        try await expectWholeAnswer()
    }

    // MARK: Expectations

    private func expectRefusal(of command: RunningProgram) async throws {
        let outcome = try await command.outcome(within: .seconds(30))
        #expect(
            outcome.status == 1 && outcome.errors.contains("[registry_unavailable]"), "signal \(signal): \(outcome)")
    }

    /// The same request succeeds at its first attempt, although the server has lost all of its sessions.
    private func expectWholeAnswer() async throws {
        let outcome = try await request().outcome(within: .seconds(60))
        #expect(outcome.status == 0 && outcome.output == "200", "after signal \(signal): \(outcome)")
        #expect(try takeAnswer() == whole, "after signal \(signal)")
    }

    /// Neither a query nor a table in PostgreSQL, nor a file; one that is not finished has a hidden name.
    private func expectNothingLeft() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        var left = try await inPostgres()
        // The server looks for jobs now and then; what is left of a training set would stay.
        while !left.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
            left = try await inPostgres()
        }
        #expect(left.isEmpty, "signal \(signal)")
        let files = try FileManager.default.contentsOfDirectory(atPath: larder.folder.path()).sorted()
        #expect(files == ["feature-defs", "spine.csv"], "signal \(signal)")
    }

    /// Statements under way or in an open transaction, and tables that are no lasting ones.
    private func inPostgres() async throws -> String {
        try await larder.query(
            """
            SELECT concat_ws(E'\\n',
                (SELECT string_agg(query, E'\\n') FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                   AND state <> 'idle'),
                (SELECT string_agg(oid::regclass::text, E'\\n') FROM pg_class WHERE relpersistence <> 'p'))
            """, as: String.self)
    }

    // MARK: Looking

    private func size(of name: String) -> Int {
        let path = larder.folder.appending(path: name).path()
        return (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }

    /// What has come of the answer, whose file is then no more.
    private func takeAnswer() throws -> Data {
        let file = larder.folder.appending(path: "answer")
        defer { try? FileManager.default.removeItem(at: file) }
        return try Data(contentsOf: file)
    }
}
