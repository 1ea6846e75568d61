import Foundation
import Testing

/// A push view with one row online, which is easy to tell from a wrong answer.
enum ScoreWorld {
    static let path = "/v1/projects/shop/online-features"
    static let rowsPath = "/v1/projects/shop/feature-views/scores/rows"
    static let question = #"{"features":["scores:score"],"entities":{"customer_id":[1]}}"#

    private static let definitions = """
        \(Shop.head)
        \(view)
        """

    /// The push view and its source, with the customer of `Shop` as their entity.
    static let view = """
        kind: source
        name: scoring
        type: push
        columns:
          - {name: customer_id, type: int64}
          - {name: at, type: timestamp}
          - {name: score, type: int32}
        timestamp: at
        ---
        kind: feature_view
        name: scores
        entities: [customer]
        source: scoring
        features: [{name: score, type: int32}]

        """

    /// Leaves a score of 5 published.
    static func prepare(_ larder: Installation) async throws {
        try larder.write(definitions)
        try await larder.succeed("apply", "--yes")
        try await larder.succeed(
            "push", "scores", "-", "--format", "csv", "--to", "offline",
            input: "customer_id,at,score\n1,2024-05-01T10:00:00Z,5\n")
        try await larder.succeed("materialize")
    }

    static func push(_ score: Int, minute: Int) -> String {
        #"{"schema_version": 1, "rows": [{"customer_id": 1, "at": "2024-05-02T10:\#(10 + minute):00Z", "#
            + #""score": \#(score)}]}"#
    }

    static func isRight(_ answer: RawAnswer, score: Int = 5) -> Bool {
        guard answer.status == 200, let results = answer.members["results"] as? [[String: Any]], results.count == 2
        else { return false }
        return results[1]["values"] as? [Int] == [score] && results[1]["statuses"] as? [String] == ["PRESENT"]
    }
}

extension RunningServer {
    func askScore() async throws -> RawAnswer {
        try await postRaw(ScoreWorld.path, ScoreWorld.question)
    }

    /// Asks until the answer is right.
    /// - Parameter accept: judges the answers before.
    /// - Returns: how long it took.
    @discardableResult
    func waitForScore(
        _ score: Int = 5, within patience: Duration, _ accept: (RawAnswer) -> Void = { _ in },
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Duration {
        let start = ContinuousClock.now
        while true {
            let answer = try await askScore()
            let duration = ContinuousClock.now - start
            if ScoreWorld.isRight(answer, score: score) {
                #expect(duration <= patience, sourceLocation: sourceLocation)
                return duration
            }
            accept(answer)
            try #require(
                duration < patience, "no right answer within \(patience): \(answer)", sourceLocation: sourceLocation)
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
