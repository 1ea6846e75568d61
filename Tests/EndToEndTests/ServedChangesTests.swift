import Synchronization
import Testing

/// Definitions that change while a server answers: it follows by itself, and no request fails meanwhile.
@Suite(.timeLimit(.minutes(3))) struct ServedChangesTests {
    private func definitions(_ options: String) -> String {
        """
        \(Shop.head)
        \(ScoreWorld.view)\(options)
        """
    }

    private func apply(_ options: String, _ larder: Installation) async throws {
        try larder.write(definitions(options))
        try await larder.succeed("apply", "--yes")
    }

    private func status(_ answer: RawAnswer) -> String? {
        guard answer.status == 200, let results = answer.members["results"] as? [[String: Any]], results.count == 2
        else { return nil }
        return (results[1]["statuses"] as? [String])?.first
    }

    /// Asks all the time while `body` runs.
    /// - Returns: the scores that were answered, one for each time that it changed, and what was no right answer.
    private func asking(
        _ server: RunningServer, until body: () async throws -> Void
    ) async throws -> (scores: [Int], wrong: [String]) {
        let isOver = Mutex(false)
        async let answers: ([Int], [String]) = {
            var scores: [Int] = []
            var wrong: [String] = []
            while !isOver.withLock({ $0 }) {
                let answer = try await server.askScore()
                guard let score = [5, 6].first(where: { ScoreWorld.isRight(answer, score: $0) }) else {
                    wrong.append("\(answer)")
                    continue
                }
                if scores.last != score { scores.append(score) }
            }
            return (scores, wrong)
        }()
        do {
            try await body()
        } catch {
            isOver.withLock { $0 = true }
            throw error
        }
        isOver.withLock { $0 = true }
        return try await answers
    }

    @Test func `another ttl counts for what is published already, both ways`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            try await apply("ttl: 36500d", larder)
            try await larder.succeed("materialize")
            try await larder.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                for (ttl, expected) in [("1d", "NOT_FOUND"), ("36500d", "PRESENT")] {
                    try await apply("ttl: \(ttl)", larder)
                    var seen: Set<String?> = []
                    try await larder.wait(for: "status \(expected)") {
                        let status = status(try await server.askScore())
                        seen.insert(status)
                        return status == expected
                    }
                    #expect(seen.isSubset(of: ["PRESENT", "NOT_FOUND"]), "\(seen)")
                }
            }
        }
    }

    @Test func `a new generation takes over, and is taken back, between two right answers`() async throws {
        try await Installation.run { larder in
            try await ScoreWorld.prepare(larder)
            try await larder.withServer { server in
                try await server.waitForScore(within: .seconds(5))
                let (scores, wrong) = try await asking(server) {
                    try await apply("generation: 2", larder)
                    // Long enough for the server to see what is applied and not there yet.
                    try await Task.sleep(for: .seconds(1))
                    try await larder.succeed("materialize")
                    // A row of the new version, which the generation before does not get.
                    try await larder.succeed(
                        "push", "scores", "-", "--format", "csv", "--schema-version", "2",
                        input: "customer_id,at,score\n1,2024-05-02T10:00:00Z,6\n")
                    try await larder.succeed("switch", "scores", "--to-generation", "2")
                    try await server.waitForScore(6, within: .seconds(5))
                    try await larder.succeed("rollback", "scores")
                    try await server.waitForScore(5, within: .seconds(5))
                }
                #expect(scores == [5, 6, 5])
                #expect(wrong.isEmpty, "\(wrong.count) answers, the first \(wrong.first ?? "")")
            }
        }
    }
}
