import NIOCore

/// For how long nothing has moved on a connection: nothing came, nothing was written, and of what waits to be written nothing was
/// taken by the client.
struct ConnectionIdleness {
    private let timeout: TimeAmount
    private var lastActivity = NIODeadline.now()
    private var unwrittenBytes = 0

    init(timeout: TimeAmount) {
        self.timeout = timeout
    }

    mutating func noteActivity() {
        lastActivity = .now()
    }

    func hasMoved(within time: TimeAmount) -> Bool { lastActivity + time > .now() }

    /// When it is worth looking again.
    var timeUntilCheck: TimeAmount {
        // A client that takes its answer slowly shows only when somebody looks.
        let pause = unwrittenBytes > 0 ? min(timeout, .seconds(1)) : timeout
        return max(min(pause, lastActivity + timeout - .now()), .milliseconds(50))
    }

    /// Whether the connection is to be closed.
    /// - Parameter isOursToMove: whether the client waits for this server, unless it is taking what was written before.
    mutating func isOver(_ channel: any Channel, isOursToMove: Bool) -> Bool {
        let unwritten = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if unwritten < unwrittenBytes { noteActivity() }
        unwrittenBytes = unwritten
        return (!isOursToMove || unwritten > 0) && lastActivity + timeout <= .now()
    }
}
