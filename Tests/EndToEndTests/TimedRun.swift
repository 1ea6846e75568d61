import Foundation
import Testing

/// A process that has to end well, and what it writes.
struct TimedRun: CustomStringConvertible {
    let name: String
    let arguments: [String]
    let out: String
    /// Whether it is another program than the one under test.
    let isOther: Bool

    var description: String { "\(isOther ? "" : "larder ")\(arguments.joined(separator: " "))" }

    struct Span: CustomStringConvertible {
        let name: String
        let start: ContinuousClock.Instant
        let end: ContinuousClock.Instant

        var description: String { "\(name) \(end - start)" }
    }

    init(_ name: String, _ arguments: [String], out: String = "", isOther: Bool = false) {
        self.name = name
        self.arguments = arguments
        self.out = out
        self.isOther = isOther
    }

    func bytes(_ larder: Installation) throws -> Data {
        try Data(contentsOf: larder.folder.appending(path: out))
    }

    /// Runs them all at once.
    @discardableResult
    static func all(_ runs: [TimedRun], _ larder: Installation) async throws -> [Span] {
        try await withThrowingTaskGroup(of: Span.self) { group in
            for run in runs {
                let start = ContinuousClock.now
                let process = try RunningProgram(
                    run.arguments, environment: larder.environment, directory: larder.folder,
                    launcher: run.isOther ? URL(filePath: "/usr/bin/env") : nil)
                group.addTask {
                    let outcome = try await process.outcome(within: .seconds(120))
                    let end = ContinuousClock.now
                    #expect(outcome.status == 0, "\(run): \(outcome)")
                    return Span(name: run.name, start: start, end: end)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
