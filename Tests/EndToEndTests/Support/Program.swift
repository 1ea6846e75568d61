import Foundation
import Synchronization

/// The program under test, as it was built beside these tests.
enum Program {
    struct Outcome: Sendable, CustomStringConvertible {
        let status: Int32
        let output: String
        let errors: String

        var description: String { "status \(status)\n--- output\n\(output)\n--- errors\n\(errors)" }
    }

    /// Runs are stopped after so long.
    private static let patience: Duration = .seconds(120)

    static let executable: URL = {
        if let path = ProcessInfo.processInfo.environment["LARDER_TEST_BINARY"] { return URL(filePath: path) }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/"
        return URL(filePath: tests).deletingLastPathComponent().appending(path: "larder")
    }()

    static let checkout = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The environment without any setting of Larder's.
    static let cleanEnvironment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LARDER_") }

    /// Runs the program to its end.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: Data = Data(), directory: URL? = nil
    ) async throws -> Outcome {
        let running = try RunningProgram(arguments, environment: environment, input: input, directory: directory)
        return try await running.outcome(within: patience)
    }

    /// Runs the program with a terminal on all three of its streams, whose text comes back as the output.
    static func runOnTerminal(
        _ command: String, environment: [String: String], typing input: String, directory: URL
    ) async throws -> Outcome {
        let running = try RunningProgram(
            ["script", "-qec", "'\(executable.path())' \(command)", "/dev/null"], environment: environment,
            input: Data(input.utf8), directory: directory, launcher: URL(filePath: "/usr/bin/env"))
        return try await running.outcome(within: patience)
    }

    fileprivate static func process(
        _ arguments: [String], _ environment: [String: String], launcher: URL?
    ) -> Process {
        let process = Process()
        process.executableURL = launcher ?? executable
        process.arguments = arguments
        process.environment = cleanEnvironment.merging(environment) { _, new in new }
        return process
    }
}

/// The program while it runs.
final class RunningProgram: Sendable {
    private let folder: URL
    private let identifier: Int32
    private let ended: AsyncStream<Int32>

    /// - Parameter launcher: runs in the program's place, with these arguments.
    init(
        _ arguments: [String], environment: [String: String], input: Data = Data(), directory: URL? = nil,
        launcher: URL? = nil
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "larder-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["input", "output", "errors"] {
            try (name == "input" ? input : Data()).write(to: folder.appending(path: name))
        }
        let process = Program.process(arguments, environment, launcher: launcher)
        process.currentDirectoryURL = directory
        // Files take any amount, pipes would have to be read meanwhile.
        let streams = [
            try FileHandle(forReadingFrom: folder.appending(path: "input")),
            try FileHandle(forWritingTo: folder.appending(path: "output")),
            try FileHandle(forWritingTo: folder.appending(path: "errors")),
        ]
        // The program has its own, and Foundation keeps these for as long as the suite runs.
        defer { for stream in streams { try? stream.close() } }
        process.standardInput = streams[0]
        process.standardOutput = streams[1]
        process.standardError = streams[2]
        let (ended, end) = AsyncStream.makeStream(of: Int32.self)
        self.ended = ended
        process.terminationHandler = { process in
            let isSignalled = process.terminationReason == .uncaughtSignal
            end.yield(isSignalled ? 256 + process.terminationStatus : process.terminationStatus)
            end.finish()
        }
        try process.run()
        identifier = process.processIdentifier
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    var errors: String { text("errors") }

    /// Where a server listens, once it does.
    func address() async throws -> String {
        for _ in 0..<400 {
            if let match = errors.firstMatch(of: /address=(http:[^ \n]+)/) { return String(match.1) }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw CancellationError()
    }

    func signal(_ number: Int32) {
        kill(identifier, number)
    }

    /// Waits for the end; kills the program when it takes too long. A program that a signal ended has 256 and its number as status.
    func outcome(within patience: Duration) async throws -> Program.Outcome {
        let watchdog = Task { [identifier] in
            try await Task.sleep(for: patience)
            kill(identifier, SIGKILL)
        }
        var status: Int32 = -1
        for await end in ended { status = end }
        watchdog.cancel()
        return Program.Outcome(status: status, output: text("output"), errors: text("errors"))
    }

    private func text(_ name: String) -> String {
        let data = (try? Data(contentsOf: folder.appending(path: name))) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}
