internal import NIOCore

/// Performs what ``CommandPipeline`` decides, on the event loop of its channel.
///
/// Not Sendable: everything here runs on that event loop.
final class PipelineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Who gets a reply.
    enum Waiter {
        case promise(EventLoopPromise<RedisReply>)
        case batch(BatchCollector, index: Int)
        /// - Parameter count: how many values are due; nil where any array will do.
        case values(any RedisValuesReceiver, count: Int?)

        func complete(_ result: Result<RedisReply, RedisError>) {
            switch self {
            case .promise(let promise): promise.completeWith(result.mapError { $0 })
            case .batch(let collector, let index): collector.complete(index, result)
            case .values(let receiver, _):
                switch result {
                case .success(let reply):
                    receiver.fail(RedisError(.unexpectedReply, "a \(reply.kind) came where an array of values was due"))
                case .failure(let error): receiver.fail(error)
                }
            }
        }
    }

    private var pipeline: CommandPipeline<Waiter>
    private let parser: ReplyParser
    /// Nil during the handshake, which is no command of anyone's, and without a client.
    private var metrics: RedisMetrics?
    private var context: ChannelHandlerContext?
    private var isFlushScheduled = false
    private var expiryTask: Scheduled<Void>?
    /// When `expiryTask` runs.
    private var expiryDeadline = NIODeadline.distantFuture

    /// Until the handshake is done a reply may take as long as connecting may.
    init(configuration: RedisConfiguration, parser: ReplyParser) {
        let timeout = TimeAmount(bounding: configuration.connectTimeout)
        pipeline = CommandPipeline(
            maximumSlots: max(Limits.handshakeCommands, configuration.maximumQueuedCommands), commandTimeout: timeout,
            stallTimeout: timeout)
        self.parser = parser
    }

    /// From here on the limits are those of the configuration, and what fails is counted.
    func finishHandshake(_ configuration: RedisConfiguration, _ metrics: RedisMetrics?) {
        self.metrics = metrics
        pipeline.setLimits(
            maximumSlots: max(1, configuration.maximumQueuedCommands),
            commandTimeout: TimeAmount(bounding: configuration.commandTimeout),
            stallTimeout: TimeAmount(bounding: configuration.stallTimeout))
        // What it was set for has been answered.
        expiryTask?.cancel()
        expiryTask = nil
    }

    // MARK: Sending

    /// Queues one command. The reply, or why there is none, completes `promise`.
    ///
    /// - Returns: the slot, or nil when the command was refused.
    @discardableResult
    func send(_ command: RedisCommand, _ promise: EventLoopPromise<RedisReply>) -> UInt64? {
        guard let context else {
            promise.fail(refusal(Self.notActive))
            return nil
        }
        if let error = pipeline.admit(1) {
            promise.fail(refusal(error))
            return nil
        }
        let slot = pipeline.enqueue(.promise(promise), now: .now())
        write(command.encoded, context)
        return slot
    }

    /// Queues commands as one pipeline, all or none; `collector` learns each outcome.
    ///
    /// - Returns: the first slot, or nil when they were refused.
    func send(_ commands: [RedisCommand], _ collector: BatchCollector) -> UInt64? {
        guard let context else {
            collector.refuse(refusal(Self.notActive, ofCommands: commands.count))
            return nil
        }
        if let error = pipeline.admit(commands.count) {
            collector.refuse(refusal(error, ofCommands: commands.count))
            return nil
        }
        let first = pipeline.nextSlotID
        let now = NIODeadline.now()
        for index in commands.indices { _ = pipeline.enqueue(.batch(collector, index: index), now: now) }
        // One buffer: a write costs more than copying a small command.
        var bytes = context.channel.allocator.buffer(capacity: commands.reduce(0) { $0 + $1.byteCount })
        for command in commands { bytes.writeImmutableBuffer(command.encoded) }
        write(bytes, context)
        return first
    }

    /// Queues one command in wire form; `receiver` gets its values where they are.
    ///
    /// - Returns: why it was refused; then `receiver` hears nothing.
    func send(_ encoded: ByteBuffer, to receiver: any RedisValuesReceiver, count: Int?) -> RedisError? {
        guard let context else { return refusal(Self.notActive) }
        if let error = pipeline.admit(1) { return refusal(error) }
        _ = pipeline.enqueue(.values(receiver, count: count), now: .now())
        write(encoded, context)
        return nil
    }

    /// Gives up waiting for the commands in `slots`; their replies will be dropped, no other command is touched.
    func abandon(_ slots: Range<UInt64>, _ error: RedisError) {
        for slot in slots { pipeline.abandon(slot)?.complete(.failure(error)) }
        closeIfDrained()
    }

    /// Why commands are not sent, counted.
    private func refusal(_ error: RedisError, ofCommands count: Int = 1) -> RedisError {
        metrics?.countFailure(error.code, ofCommands: count)
        return error
    }

    private func fail(_ waiters: [Waiter], _ error: RedisError) {
        if waiters.isEmpty { return }
        metrics?.countFailure(error.code, ofCommands: waiters.count)
        for waiter in waiters { waiter.complete(.failure(error)) }
    }

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(bytes), promise: nil)
        scheduleExpiry(context)
        if isFlushScheduled { return }
        isFlushScheduled = true
        // Runs at the end of this tick: all its commands leave in one system call.
        context.eventLoop.assumeIsolated().execute { self.flush() }
    }

    private func flush() {
        isFlushScheduled = false
        context?.flush()
    }

    // MARK: Time

    private func scheduleExpiry(_ context: ChannelHandlerContext) {
        guard let deadline = pipeline.nextDeadline else { return }
        if let expiryTask {
            // It may be set for the stall of a command that has timed out, and a later command times out before that.
            if expiryDeadline <= deadline { return }
            expiryTask.cancel()
        }
        expiryDeadline = deadline
        expiryTask = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.expire() }
    }

    private func expire() {
        expiryTask = nil
        let expiry = pipeline.expire(now: .now())
        if !expiry.timedOut.isEmpty {
            fail(expiry.timedOut, RedisError(.timeout, "no reply came within the command timeout"))
        }
        if expiry.isStalled {
            fail(
                RedisError(.connectionLost, "the oldest command had no reply for too long; the peer is taken for dead"))
        }
        guard let context else { return }
        closeIfDrained()
        scheduleExpiry(context)
    }

    // MARK: Ending

    /// Takes no more commands, waits for the replies that are still wanted, then closes the channel.
    func drain() {
        pipeline.drain()
        closeIfDrained()
    }

    private func closeIfDrained() {
        if pipeline.isDrained { fail(RedisError(.closed, "the connection was closed")) }
    }

    /// Fails everything that waits and closes the channel.
    private func fail(_ error: RedisError) {
        let waiters = pipeline.close(error)
        expiryTask?.cancel()
        expiryTask = nil
        fail(waiters, error)
        context?.close(promise: nil)
    }

    // MARK: ChannelInboundHandler

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(Self.lost)
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try parser.feedParts(unwrapInboundIn(data)) { parts in receive(parts) }
        } catch {
            fail(error)
        }
        closeIfDrained()
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(Self.lost)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(RedisError(.connectionLost, "the connection broke: \(error)"))
    }

    private func receive(_ parts: ReplyBuilder) {
        let action = pipeline.receiveReply()
        if let start = pipeline.takeTiming() { metrics?.record(NIODeadline.now() - start) }
        switch action {
        case .deliver(.values(let receiver, let count)) where RedisValues.areHeld(in: parts, count: count):
            receiver.receive(RedisValues(parts))
        case .deliver(let waiter):
            let reply = parts.takeReply()
            if case .error(let serverError) = reply {
                fail([waiter], RedisError(serverError))
            } else if case .values(let receiver, .some(let count)) = waiter {
                let error = RedisError(.protocolViolation, "\(count) values were due and something else came")
                fail(error)
                metrics?.countFailure(error.code)
                receiver.fail(error)
            } else {
                waiter.complete(.success(reply))
            }
        case .discard: break
        case .unexpected:
            fail(RedisError(.protocolViolation, "the peer sent a reply that no command asked for"))
        }
    }

    private static let notActive = RedisError(.notConnected, "the connection is closed")
    private static let lost = RedisError(.connectionLost, "the connection was closed by the peer")
}

/// Gathers the outcomes of one pipeline in the order of its commands. It belongs to one event loop.
final class BatchCollector {
    typealias Outcome = Result<[Result<RedisReply, RedisError>], RedisError>

    private var results: [Result<RedisReply, RedisError>]
    private var missing: Int
    private let finish: (Outcome) -> Void

    /// - Parameters:
    ///   - count: how many outcomes will come, at least one.
    ///   - finish: called exactly once.
    init(count: Int, finish: @escaping (Outcome) -> Void) {
        results = Array(repeating: .failure(RedisError(.connectionLost, "no reply")), count: count)
        missing = count
        self.finish = finish
    }

    func complete(_ index: Int, _ result: Result<RedisReply, RedisError>) {
        results[index] = result
        missing -= 1
        if missing == 0 { finish(.success(results)) }
    }

    /// None of the commands was sent.
    func refuse(_ error: RedisError) {
        finish(.failure(error))
    }
}

extension TimeAmount {
    /// The duration, brought into a range that deadlines can be computed with.
    init(bounding duration: Duration) {
        self.init(min(max(duration, .milliseconds(1)), Limits.maximumDuration))
    }
}
