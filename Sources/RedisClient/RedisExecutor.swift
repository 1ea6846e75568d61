/// Something that runs commands: one connection, or a client that picks a connection.
public protocol RedisExecutor: Sendable {
    /// Sends one command and waits for its reply.
    ///
    /// - Throws: ``RedisError``; code `server` when the server answered with an error.
    func execute(_ command: RedisCommand) async throws(RedisError) -> RedisReply

    /// Sends commands as one pipeline over one connection, in order, and waits for all replies.
    ///
    /// - Returns: an outcome for each command, in their order. A command that fails does not touch the others.
    /// - Throws: ``RedisError`` when none was sent (`queueFull`, `notConnected`, `closed`) or the task was cancelled.
    func execute(_ commands: [RedisCommand]) async throws(RedisError) -> [Result<RedisReply, RedisError>]
}
