public import Logging
internal import NIOPosix

/// Runs `body` with a client that is connected, and closes it afterwards: for commands that do one thing and end.
///
/// - Parameters:
///   - connections: how many connections to open.
///   - isRequired: whether it fails when no connection can be made. Otherwise `body` runs all the same, and its commands fail.
/// - Throws: ``RedisError`` when a connection is required and none could be made, and what `body` throws.
public func withRedisClient<Value>(
    _ configuration: RedisConfiguration,
    connections: Int = 1,
    isRequired: Bool = true,
    logger: Logger,
    _ body: (RedisClient) async throws -> Value
) async throws -> Value {
    let client = RedisClient(
        configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
        maximumConnections: connections, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        defer { group.cancelAll() }
        do {
            try await client.waitUntilConnected()
        } catch {
            if isRequired || Task.isCancelled { throw error }
        }
        return try await body(client)
    }
}
