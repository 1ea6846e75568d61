internal import Foundation
internal import Logging
internal import NIOPosix
public import RedisClient
internal import Synchronization

/// A Redis server of one test, which it may kill, empty and start again.
public final class PrivateRedis: Sendable {
    /// Where the server listens: a socket in a directory of its own.
    public let configuration: RedisConfiguration
    /// The same as `LARDER_REDIS_URL` takes it.
    public let url: String
    private let directory: String
    private let arguments: [String]
    private let process = Mutex<Process?>(nil)

    fileprivate init(arguments: [String]) throws {
        // A socket's path is limited to 107 bytes: the temporary directory, not one of the checkout.
        let name = "redis-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let socket = directory + "/redis.sock"
        url = "redis+unix://\(socket)"
        configuration = try RedisConfiguration(url: url)
        self.arguments =
            [
                "--port", "0", "--unixsocket", socket, "--dir", directory, "--save", "", "--appendonly", "no",
                "--enable-debug-command", "yes", "--logfile", directory + "/redis.log",
            ] + arguments
    }

    /// Kills the server with SIGKILL; returns when it is gone.
    public func kill() {
        let running = process.withLock { process in
            defer { process = nil }
            return process
        }
        guard let running else { return }
        Foundation.kill(running.processIdentifier, SIGKILL)
        running.waitUntilExit()
    }

    /// Starts the server, empty; returns when it answers.
    public func start() async throws {
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        server.arguments = ["redis-server"] + arguments
        server.standardOutput = FileHandle.nullDevice
        server.standardError = FileHandle.nullDevice
        try server.run()
        process.withLock { $0 = server }
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do {
                let connection = try await RedisConnection.connect(
                    configuration, on: MultiThreadedEventLoopGroup.singleton.next(), logger: .silent)
                await connection.close()
                return
            } catch let error where error.code == .authenticationFailed {
                return
            } catch {
                guard server.isRunning, ContinuousClock.now < deadline else {
                    throw RedisTestServerError("redis-server did not start: \(error)")
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    /// Deletes every key.
    public func empty() async throws {
        let connection = try await RedisConnection.connect(
            configuration, on: MultiThreadedEventLoopGroup.singleton.next(), logger: .silent)
        _ = try await connection.execute(RedisCommand("FLUSHALL"))
        await connection.close()
    }

    fileprivate func remove() {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// Runs `body` with a Redis server of its own, which is killed and removed afterwards.
///
/// - Parameter arguments: more options of `redis-server`, such as `["--requirepass", "secret"]`.
public func withPrivateRedis<Value>(
    arguments: [String] = [],
    _ body: (RedisConfiguration, PrivateRedis) async throws -> Value
) async throws -> Value {
    let server = try PrivateRedis(arguments: arguments)
    defer { server.remove() }
    try await server.start()
    return try await body(server.configuration, server)
}
