import Foundation
import Glibc
import PostgresClient
import TestSupport
import Testing

/// A PostgreSQL of one test, which may restart it: a stack of `dev/stack` beside the one that the tests share.
///
/// It is a persistent one, because the data of an ephemeral one is given up when its server went down by itself.
struct RestartableStack {
    /// One name for all runs, so that what a killed run has left is removed by the next one.
    private static let name =
        (ProcessInfo.processInfo.environment["LARDER_STACK_NAME"] ?? "default") + "-restart"

    /// Runs `body` with a stack of its own and an installation that is migrated there, and removes both afterwards.
    static func run(_ body: (RestartableStack, Installation) async throws -> Void) async throws {
        let stack = RestartableStack()
        try await stack.command("remove")
        do {
            try await withPrivateRedis { configuration, redis in
                let folder = FileManager.default.temporaryDirectory.appending(path: "larder-\(UUID().uuidString)")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(at: folder) }
                try await stack.command("start")
                var environment = [
                    "LARDER_REDIS_URL": "\(configuration)",
                    "LARDER_MIGRATIONS": Program.checkout.appending(path: "migrations").path(),
                ]
                for line in try await stack.command("env").matches(of: /export (LARDER_POSTGRES\w*)='([^']*)'/) {
                    environment[String(line.1)] = String(line.2)
                }
                let url = try #require(environment["LARDER_POSTGRES_URL"])
                let installation = Installation(
                    folder: folder, database: try PostgresConfiguration(url: url, applicationName: "larder-tests"),
                    redis: redis, environment: environment)
                try await installation.succeed("migrate")
                try await body(stack, installation)
            }
        } catch {
            try await stack.command("remove")
            throw error
        }
        try await stack.command("remove")
    }

    /// The running server, to be had before the moment at which it has to go.
    func server() async throws -> Int32 {
        let status = try await command("status")
        let process = try #require(status.firstMatch(of: /PostgreSQL: running, .* process (\d+)/)?.1, "\(status)")
        return try #require(Int32(process))
    }

    /// Has the server shut down, and starts it again.
    /// - Parameter signal: how it shuts down: SIGINT ends the sessions, SIGQUIT drops everything as a crash would.
    func restart(_ process: Int32, _ signal: Int32) async throws {
        kill(process, signal)
        // A process that is gone, even where nobody has asked for its status, works nowhere.
        while (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")) != nil {
            try await Task.sleep(for: .milliseconds(10))
        }
        try await command("start")
    }

    /// - Returns: what `dev/stack` prints.
    @discardableResult
    private func command(_ name: String) async throws -> String {
        let script = Program.checkout.appending(path: "dev/stack").path()
        let (status, printed) = try await Self.run(
            ["/bin/bash", "-c", Self.closing, "bash", "/usr/bin/env", "LARDER_STACK_NAME=\(Self.name)", script, name])
        try #require(status == 0, "LARDER_STACK_NAME=\(Self.name) dev/stack \(name): \(printed)")
        return printed
    }

    /// Runs its arguments without the descriptors of ours: a server counts those it is given, and late in a run of tests there
    /// are nearly as many as it may have.
    private static let closing = """
        for each in /proc/$BASHPID/fd/*; do
            each=${each##*/}
            if ((each > 2)); then eval "exec $each>&-"; fi
        done
        exec "$@"
        """

    /// Runs a program that starts servers, which live on. Foundation's `Process` will not do: it takes a program for
    /// running while a server has its descriptors, and servers would begin with the blocked signals of a thread of ours.
    private static func run(_ arguments: [String]) async throws -> (status: Int32, printed: String) {
        let output = FileManager.default.temporaryDirectory.appending(path: "larder-run-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output.path(), O_WRONLY | O_CREAT | O_EXCL, 0o600)
        posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var process = pid_t()
        let failure = posix_spawn(&process, arguments[0], &files, &attributes, pointers, environ)
        try #require(failure == 0, "\(arguments): \(String(cString: strerror(failure)))")
        var status: Int32 = 0
        var ended = waitpid(process, &status, WNOHANG)
        while ended == 0 {
            try await Task.sleep(for: .milliseconds(10))
            ended = waitpid(process, &status, WNOHANG)
        }
        try #require(ended == process)
        return (status, try String(contentsOf: output, encoding: .utf8))
    }
}
