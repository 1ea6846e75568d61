import Synchronization

/// What anyone may know about a connection without waiting for its actor: whether it is over, and whom to tell.
final class ConnectionLifecycle: Sendable {
    private struct State {
        var isOver = false
        var backendProcessID: Int32 = 0
        var endHandlers: [@Sendable () -> Void] = []
        var streams: [Int: AsyncStream<PostgresNotification>.Continuation] = [:]
        var nextStream = 0
    }

    private let state = Mutex(State())

    var isOver: Bool { state.withLock { $0.isOver } }
    var backendProcessID: Int32 { state.withLock { $0.backendProcessID } }

    deinit { end() }

    func begin(backendProcessID: Int32) {
        state.withLock { $0.backendProcessID = backendProcessID }
    }

    /// Marks the connection as over, ends its streams and tells the handlers. Only the first call has an effect.
    func end() {
        let (handlers, streams) = state.withLock { (state) in
            state.isOver = true
            defer {
                state.endHandlers = []
                state.streams = [:]
            }
            return (state.endHandlers, Array(state.streams.values))
        }
        for stream in streams { stream.finish() }
        for handler in handlers { handler() }
    }

    /// Calls `handler` once when the connection is over; at once if it is already.
    func whenOver(_ handler: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { (state) in
            if !state.isOver { state.endHandlers.append(handler) }
            return state.isOver
        }
        if isOver { handler() }
    }

    func add(_ stream: AsyncStream<PostgresNotification>.Continuation) -> Int? {
        let identifier = state.withLock { (state) -> Int? in
            guard !state.isOver else { return nil }
            state.nextStream += 1
            state.streams[state.nextStream] = stream
            return state.nextStream
        }
        if identifier == nil { stream.finish() }
        return identifier
    }

    func removeStream(_ identifier: Int) {
        _ = state.withLock { $0.streams.removeValue(forKey: identifier) }
    }

    func deliver(_ notification: PostgresNotification) {
        let streams = state.withLock { Array($0.streams.values) }
        for stream in streams { stream.yield(notification) }
    }
}
