import Foundation
import TestSupport

/// A run of the built executable that a test may kill.
final class LarderRun {
    let process = Process()
    private let output: URL

    init(_ arguments: [String], environment: [String: String]) throws {
        output = FileManager.default.temporaryDirectory.appending(path: "larder-run-\(UUID().uuidString)")
        try Data().write(to: output)
        let handle = try FileHandle(forWritingTo: output)
        process.executableURL = Program.executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
    }

    deinit {
        if process.isRunning { kill() }
        try? FileManager.default.removeItem(at: output)
    }

    var isRunning: Bool { process.isRunning }

    /// `kill -9`, and waits until the process is gone.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Waits for the end.
    /// - Returns: exit code and everything printed.
    func finish() -> (status: Int32, output: String) {
        process.waitUntilExit()
        return (process.terminationStatus, printed)
    }

    var printed: String {
        (try? String(contentsOf: output, encoding: .utf8)) ?? ""
    }
}
