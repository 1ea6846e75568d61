import NIOCore

/// How a connection ends: at shutdown once what it has asked is answered, after its last answer, or when nothing has moved for
/// long.
extension OnlineConnectionHandler {
    /// So long an idle connection is kept at shutdown: a request that is on its way is still answered.
    private static let lastRequestPatience: TimeAmount = .milliseconds(500)
    /// So long a client has to close its side after the last answer, or to send more: closing over what it has sent would
    /// take the answer with it.
    private static let lingering: TimeAmount = .seconds(1)
    /// So long at most it is let send the rest of what was answered early.
    private static let longestLingering: TimeAmount = .seconds(30)

    func quiesce(_ context: ChannelHandlerContext) {
        isQuiescing = true
        waitForLastBody(context)
        if case .idle = phase, held.isEmpty { waitForLastRequest(context) }
    }

    func waitForLastRequest(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.lastRequestPatience) {
            if case .idle = self.phase, self.held.isEmpty { self.close(context) }
        }
    }

    /// Closes the connection if the body of a request is still coming in after a while.
    private func waitForLastBody(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: lastBodyPatience) {
            switch self.phase {
            case .collecting, .passing(hasRequestEnded: false, _, _): self.close(context)
            // Behind answers that the client has not taken yet another request may wait.
            case .idle, .fetching, .passing: self.waitForLastBody(context)
            case .closing: break
            }
        }
    }

    /// A promise whose completion closes the connection: what is still to be written would be lost otherwise.
    func closing(_ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            self.held.removeAll()
            guard case .success = result, context.channel.isActive, !self.isInputClosed else {
                return self.close(context)
            }
            self.isLingering = true
            context.close(mode: .output, promise: nil)
            self.linger(context, until: NIODeadline.now() + Self.longestLingering)
            context.read()
        }
        return promise
    }

    /// Closes the connection once nothing comes any more.
    private func linger(_ context: ChannelHandlerContext, until end: NIODeadline) {
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) {
            let mayGoOn = !self.isQuiescing && NIODeadline.now() < end
            guard mayGoOn, self.idleness.hasMoved(within: Self.lingering) else { return self.close(context) }
            self.linger(context, until: end)
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        phase = .closing
        held.removeAll()
        context.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        scheduleIdle(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        phase = .closing
        held.removeAll()
        idleTask?.cancel()
        idleTask = nil
    }

    private func scheduleIdle(_ context: ChannelHandlerContext) {
        idleTask = context.eventLoop.assumeIsolated().scheduleTask(in: idleness.timeUntilCheck) {
            let isOursToMove =
                switch self.phase {
                case .fetching, .passing(hasRequestEnded: true, _, _): true
                case .idle, .collecting, .passing, .closing: false
                }
            if self.idleness.isOver(context.channel, isOursToMove: isOursToMove) { return self.close(context) }
            self.scheduleIdle(context)
        }
    }
}
