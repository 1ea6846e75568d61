import FeatureModel
import NIOCore
import NIOHTTP1

/// Takes the requests of one connection in turn: answers the straightforward online ones itself, wholly on the event loop, and
/// passes all others on.
///
/// What comes while a request is being answered is held, and nothing more is read, so that answers keep the order of their
/// requests and a client that sends without reading costs bounded memory. It is also who closes: idle connections after a
/// while, and at shutdown each connection once what it has asked is answered.
final class OnlineConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// No request is under way.
        case idle
        /// The body of an online request is coming in.
        case collecting(HTTPRequestHead, OnlinePath.Route, body: ByteBuffer)
        /// An online request waits for Redis.
        case fetching(OnlineExchange)
        /// Somebody further in answers.
        case passing(hasRequestEnded: Bool, hasResponseEnded: Bool, isLast: Bool)
        /// The connection is being closed; nothing is taken any more.
        case closing
    }

    /// What came before its turn.
    enum Held {
        case part(HTTPServerRequestPart)
        case error(any Error)
        case inputClosed
    }

    private let loop: OnlineLoop
    private let path: OnlinePath
    /// Where bytes go out that need no encoder.
    private let wire: ChannelHandlerContext
    // What `OnlineConnectionHandler+Ending` uses is not private.
    var phase = Phase.idle
    var held = CircularBuffer<Held>()
    private var isTakingHeld = false
    /// Whether what came was no HTTP: nothing that comes after it is a request.
    private var hasFailed = false
    /// Whether the client has closed its side.
    var isInputClosed = false
    /// Whether the last answer has left, so that only the client's side is still open.
    var isLingering = false
    private var isReadWanted = false
    var isQuiescing = false
    let lastBodyPatience: TimeAmount
    var idleness: ConnectionIdleness
    var idleTask: Scheduled<Void>?
    var context: ChannelHandlerContext?

    /// - Parameters:
    ///   - wire: of the handler next to the socket.
    ///   - lastBodyPatience: as `ServerConfiguration` has it.
    init(
        _ loop: OnlineLoop, wire: ChannelHandlerContext, idleTimeout: TimeAmount, lastBodyPatience: TimeAmount
    ) {
        self.loop = loop
        path = loop.path
        self.wire = wire
        idleness = ConnectionIdleness(timeout: idleTimeout)
        self.lastBodyPatience = lastBodyPatience
    }

    // MARK: Coming in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        idleness.noteActivity()
        hold(.part(unwrapInboundIn(data)), context)
    }

    /// Whether nothing that comes is a request any more. It is not passed on: the decoder would keep what it does not read, as
    /// behind a request to speak another protocol, for as long as the last one is being answered.
    func dropsInput() -> Bool {
        switch phase {
        case .closing, .passing(hasRequestEnded: true, _, isLast: true): break
        default: return false
        }
        idleness.noteActivity()
        return true
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        hold(.error(error), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: quiesce(context)
        case ChannelEvent.inputClosed as ChannelEvent: hold(.inputClosed, context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func hold(_ event: Held, _ context: ChannelHandlerContext) {
        if held.isEmpty, takes(event, context) { return take(event, context) }
        held.append(event)
    }

    /// Whether it is the event's turn.
    private func takes(_ event: Held, _ context: ChannelHandlerContext) -> Bool {
        switch phase {
        // A client that does not read its answers is not given more of them.
        case .idle: context.channel.isWritable
        case .collecting, .closing, .passing(hasRequestEnded: false, _, _): true
        // Whoever answers would not wait for the last byte to leave, were it told that nothing more comes. What is no
        // HTTP belongs to no request, and is answered in its turn.
        case .passing(hasRequestEnded: true, _, _):
            if case .error(let error) = event { !(error is HTTPParserError) } else { false }
        case .fetching: false
        }
    }

    private func take(_ event: Held, _ context: ChannelHandlerContext) {
        switch event {
        case .part(let part): take(part, context)
        case .error(let error): takeError(error, context)
        case .inputClosed:
            isInputClosed = true
            if case .closing = phase {
                if isLingering { context.close(promise: nil) }
                return
            }
            passOnCollected(context)
            guard case .idle = phase else { return context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
            // Whoever hears of it may close at once, and what is still to be written would be lost.
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in
                context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            }
            wire.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: written)
        }
    }

    private func takeError(_ error: any Error, _ context: ChannelHandlerContext) {
        hasFailed = true
        switch phase {
        case .closing: return
        case .idle:
            if let error = error as? HTTPParserError, context.channel.isActive { return refuse(error, context) }
        // The request has been answered: another answer would be taken for that of the next one.
        case .passing(hasRequestEnded: _, hasResponseEnded: true, isLast: _): return writeLast(ByteBuffer(), context)
        case .collecting, .fetching, .passing: passOnCollected(context)
        }
        context.fireErrorCaught(error)
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch (phase, part) {
        case (.idle, .head(let head)):
            answerExpectation(head)
            if let route = path.route(head) {
                phase = .collecting(head, route, body: ByteBuffer())
            } else {
                path.countOrdinary(head)
                pass(head)
                context.fireChannelRead(wrapInboundOut(part))
            }
        case (.collecting(let head, let route, var body), .body(let piece)):
            // Not held twice while it grows.
            phase = .idle
            if body.readableBytes == 0 { body = piece } else { body.writeImmutableBuffer(piece) }
            phase = .collecting(head, route, body: body)
            if body.readableBytes > path.maximumBodyBytes { passOnCollected(context) }
        case (.collecting(let head, let route, let body), .end):
            begin(head, route, body, context)
        case (.passing(_, let hasResponseEnded, let isLast), .end):
            phase = .passing(hasRequestEnded: true, hasResponseEnded: hasResponseEnded, isLast: isLast)
            context.fireChannelRead(wrapInboundOut(part))
            endIfAnswered(context)
        case (.closing, _): break
        default: context.fireChannelRead(wrapInboundOut(part))
        }
    }

    /// A client that waits to be asked for its body is asked for it.
    private func answerExpectation(_ head: HTTPRequestHead) {
        guard head.version == .http1_1, head.headers.first(name: "expect")?.lowercased() == "100-continue" else {
            return
        }
        wire.writeAndFlush(
            NIOAny(IOData.byteBuffer(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))), promise: nil)
    }

    private func pass(_ head: HTTPRequestHead) {
        phase = .passing(
            hasRequestEnded: false, hasResponseEnded: false, isLast: !head.isKeepAlive || head.isLastOfHTTP)
    }

    /// The request under way, as far as it has come, is somebody else's after all.
    private func passOnCollected(_ context: ChannelHandlerContext) {
        guard case .collecting(let head, _, let body) = phase else { return }
        pass(head)
        context.fireChannelRead(wrapInboundOut(.head(head)))
        if body.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(.body(body))) }
    }

    // MARK: Answering

    private func begin(
        _ head: HTTPRequestHead, _ route: OnlinePath.Route, _ body: ByteBuffer, _ context: ChannelHandlerContext
    ) {
        let isKeptAlive = head.isKeepAlive && head.version == .http1_1 && !head.isLastOfHTTP
        guard let exchange = loop.begin(route, isKeptAlive: isKeptAlive, body) else {
            path.metrics.count(.ordinary)
            passOnCollected(context)
            return take(.end(nil), context)
        }
        fetch(exchange)
    }

    private func fetch(_ exchange: OnlineExchange) {
        phase = .fetching(exchange)
        // Each holds the other until the exchange is completed, which it always is.
        exchange.send { self.finish() }
    }

    /// Whether a request that comes now is taken at once.
    var isIdle: Bool {
        guard case .idle = phase, held.isEmpty, !hasFailed, let context else { return false }
        return context.channel.isWritable
    }

    /// Begins an online request that nobody had to decode.
    /// - Precondition: `isIdle`.
    /// - Returns: false when the request has to come the ordinary way.
    func begin(_ route: OnlinePath.Route, isKeptAlive: Bool, _ body: ByteBuffer) -> Bool {
        guard let exchange = loop.begin(route, isKeptAlive: isKeptAlive, body) else { return false }
        idleness.noteActivity()
        fetch(exchange)
        return true
    }

    /// Writes the answer of the exchange under way.
    private func finish() {
        guard case .fetching(let exchange) = phase, let context else { return }
        idleness.noteActivity()
        let isLast = isQuiescing || !exchange.isKeptAlive
        let bytes = exchange.takeResponse(isLast: isLast, date: loop.currentDate())
        if isLast { return writeLast(bytes, context) }
        phase = .idle
        wire.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
        takeHeld(context)
    }

    /// Answers what should have been the head of a request.
    private func refuse(_ error: HTTPParserError, _ context: ChannelHandlerContext) {
        var response = path.refusal(of: error)
        writeLast(response.takeBytes(isLast: true, date: loop.currentDate()), context)
    }

    /// Ends the connection behind the bytes, and behind what was written before.
    private func writeLast(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        phase = .closing
        wire.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: closing(context))
    }

    /// Goes on with what has come meanwhile.
    private func takeHeld(_ context: ChannelHandlerContext) {
        // A request that is refused at once gets here from within: who is already at it goes on.
        if isTakingHeld { return }
        isTakingHeld = true
        var hasTaken = false
        while let event = held.first, takes(event, context) {
            held.removeFirst()
            take(event, context)
            hasTaken = true
        }
        isTakingHeld = false
        if hasTaken { context.fireChannelReadComplete() }
        if held.isEmpty, isReadWanted {
            isReadWanted = false
            context.read()
        }
        if isQuiescing, held.isEmpty, case .idle = phase { waitForLastRequest(context) }
    }

    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { isReadWanted = true }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Whoever is further in gets nothing any more, and may not ask for it.
        if isLingering { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        context.fireChannelWritabilityChanged()
        if context.channel.isWritable { takeHeld(context) }
    }

    // MARK: Answers of others

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        idleness.noteActivity()
        guard case .passing(let hasRequestEnded, let hasResponseEnded, let isLastRequest) = phase else {
            // Behind the last answer there is none.
            guard case .closing = phase, context.channel.isActive else { return context.write(data, promise: promise) }
            promise?.succeed(())
            return
        }
        let isLast = isLastRequest || isQuiescing || hasFailed
        switch unwrapOutboundIn(data) {
        case .head(var head) where isLast || !head.isKeepAlive:
            head.headers.replaceOrAdd(name: "connection", value: "close")
            phase = .passing(hasRequestEnded: hasRequestEnded, hasResponseEnded: hasResponseEnded, isLast: true)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where isLast:
            phase = .closing
            let written = closing(context)
            if let promise { written.futureResult.cascade(to: promise) }
            context.write(data, promise: written)
        case .end:
            phase = .passing(hasRequestEnded: hasRequestEnded, hasResponseEnded: true, isLast: false)
            context.write(data, promise: promise)
            // Not from within the write, whose flush is still to come.
            context.eventLoop.assumeIsolated().execute { self.endIfAnswered(context) }
        default: context.write(data, promise: promise)
        }
    }

    private func endIfAnswered(_ context: ChannelHandlerContext) {
        guard case .passing(hasRequestEnded: true, hasResponseEnded: true, _) = phase else { return }
        phase = .idle
        idleness.noteActivity()
        takeHeld(context)
    }
}

extension HTTPRequestHead {
    /// Whether the decoder reads no request behind this one: it takes what follows for another protocol, or heeds what only a
    /// proxy would say.
    fileprivate var isLastOfHTTP: Bool {
        method == .CONNECT || headers.contains(name: "upgrade")
            || headers[canonicalForm: "proxy-connection"].contains { $0.lowercased() == "close" }
    }
}
