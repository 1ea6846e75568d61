/// A message that another session sent with `NOTIFY`.
public struct PostgresNotification: Sendable, Hashable {
    public var channel: String
    public var payload: String
    /// The process in the server whose session sent it.
    public var backendProcessID: Int32
}

extension PostgresConnection {
    /// The notifications that arrive from now on, on every channel this session listens to.
    ///
    /// Listening itself is a statement: `LISTEN channel`. Notifications arrive without further statements. The stream ends when
    /// the session is over; it keeps the connection alive while it is consumed. For a consumer that does not keep up,
    /// the newest 1,024 are held.
    public func notifications() -> AsyncStream<PostgresNotification> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(Limits.bufferedNotifications))
        if let identifier = lifecycle.add(continuation) {
            // The reference to `self` is what keeps the connection alive, until the stream ends or is dropped.
            continuation.onTermination = { [self] _ in lifecycle.removeStream(identifier) }
        }
        return stream
    }
}
