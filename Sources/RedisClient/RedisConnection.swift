public import NIOCore
internal import Synchronization

/// One pipelined connection to a Redis server, bound to one event loop.
///
/// Any number of tasks may use it at once; replies are matched by order. A command that is cancelled or times out
/// gives up its place without touching its neighbours.
public final class RedisConnection: RedisExecutor {
    public let eventLoop: any EventLoop
    /// The server's `run_id`: another one means another server process, which may hold other data.
    public let runID: String
    /// Counts the connections of one client: a greater number is a later connection. `0` without a client.
    public let generation: UInt64
    let channel: any Channel
    private let handler: NIOLoopBound<PipelineHandler>

    init(channel: any Channel, handler: NIOLoopBound<PipelineHandler>, runID: String, generation: UInt64) {
        self.channel = channel
        self.handler = handler
        self.runID = runID
        self.generation = generation
        eventLoop = channel.eventLoop
    }

    /// Succeeds when the connection has ended, whoever ended it.
    public var closeFuture: EventLoopFuture<Void> { channel.closeFuture }

    /// Whether the socket is open; it may have ended when the caller looks again.
    public var isActive: Bool { channel.isActive }

    // MARK: Commands

    /// Queues a command; all commands queued in one tick of the event loop leave together. From the connection's own
    /// event loop this is a plain call, from elsewhere it costs a hop.
    ///
    /// - Returns: the reply, or ``RedisError``; completed on ``eventLoop``.
    public func send(_ command: RedisCommand) -> EventLoopFuture<RedisReply> {
        let promise = eventLoop.makePromise(of: RedisReply.self)
        if eventLoop.inEventLoop {
            handler.value.send(command, promise)
        } else {
            eventLoop.execute { self.handler.value.send(command, promise) }
        }
        return promise.futureResult
    }

    /// Queues a command whose answer is an array of values, as `MGET`'s is, for a receiver that looks at them where they are:
    /// nothing is made for each value.
    ///
    /// - Precondition: on the connection's event loop.
    /// - Parameter count: how many values are due. A connection on which something else comes, but for an error, is closed: its
    ///   answers may be those of other commands. Nil takes an array of any length, and leaves the connection as it is.
    /// - Returns: why the command was refused; then `receiver` hears nothing.
    public func send(
        _ command: RedisCommand, to receiver: any RedisValuesReceiver, expecting count: Int? = nil
    ) -> RedisError? {
        handler.value.send(command.encoded, to: receiver, count: count)
    }

    public func execute(_ command: RedisCommand) async throws(RedisError) -> RedisReply {
        guard let reply = try await execute([command]).first else {
            throw RedisError(.unexpectedReply, "a pipeline of one command had no outcome")
        }
        return try reply.get()
    }

    public func execute(_ commands: [RedisCommand]) async throws(RedisError) -> [Result<RedisReply, RedisError>] {
        if commands.isEmpty { return [] }
        let ticket = Ticket()
        let outcome: BatchCollector.Outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                eventLoop.execute { self.submit(commands, ticket, continuation) }
            }
        } onCancel: {
            guard let slots = ticket.cancel(count: commands.count) else { return }
            eventLoop.execute { self.handler.value.abandon(slots, Self.cancelled) }
        }
        if ticket.isCancelled, case .success(let results) = outcome,
            results.contains(where: { $0.failureCode == .cancelled })
        {
            throw Self.cancelled
        }
        return try outcome.get()
    }

    private func submit(
        _ commands: [RedisCommand],
        _ ticket: Ticket,
        _ continuation: CheckedContinuation<BatchCollector.Outcome, Never>
    ) {
        if ticket.isCancelled {
            continuation.resume(returning: .failure(Self.cancelled))
            return
        }
        let collector = BatchCollector(count: commands.count) { continuation.resume(returning: $0) }
        guard let first = handler.value.send(commands, collector) else { return }
        if !ticket.redeem(first) {
            // Cancelled between the check above and here; the cancelling side saw no slots to give up.
            handler.value.abandon(first..<first + UInt64(commands.count), Self.cancelled)
        }
    }

    private static let cancelled = RedisError(.cancelled, "the task was cancelled")

    // MARK: Closing

    /// Takes no more commands, waits for the replies that are still wanted (no longer than the command timeout), and
    /// closes the socket.
    public func close() async {
        beginClose()
        // The close future never fails.
        try? await closeFuture.get()
    }

    /// Starts what ``close()`` does without waiting for the end.
    func beginClose() {
        eventLoop.execute { self.handler.value.drain() }
    }
}

/// Where the commands of one call are, shared by the caller's cancellation and the event loop.
private final class Ticket: Sendable {
    private static let unsent = UInt64.max
    private static let cancelledMark = UInt64.max - 1

    private let firstSlot = Atomic<UInt64>(unsent)

    var isCancelled: Bool { firstSlot.load(ordering: .acquiring) == Self.cancelledMark }

    /// Records that the commands were queued from `slot` on.
    ///
    /// - Returns: false when the caller was cancelled before.
    func redeem(_ slot: UInt64) -> Bool {
        firstSlot.compareExchange(expected: Self.unsent, desired: slot, ordering: .acquiringAndReleasing).exchanged
    }

    /// - Returns: the slots to give up, or nil when nothing was queued yet; then nothing will be.
    func cancel(count: Int) -> Range<UInt64>? {
        let slot = firstSlot.exchange(Self.cancelledMark, ordering: .acquiringAndReleasing)
        return slot == Self.unsent || slot == Self.cancelledMark ? nil : slot..<slot + UInt64(count)
    }
}

extension Result where Failure == RedisError {
    fileprivate var failureCode: RedisError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}
