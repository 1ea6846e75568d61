public import Logging
internal import NIOPosix

/// Runs `body` with a client that is connected, and closes it afterwards: for commands that do one thing and end.
///
/// - Parameter connections: how many connections to open.
/// - Throws: ``RedisError`` when no connection could be made, and what `body` throws.
public func withRedisClient<Value>(
    _ configuration: RedisConfiguration,
    connections: Int = 1,
    logger: Logger,
    _ body: (RedisClient) async throws -> Value
) async throws -> Value {
    let client = RedisClient(
        configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
        maximumConnections: connections, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        defer { group.cancelAll() }
        try await client.waitUntilConnected()
        return try await body(client)
    }
}
