import NIOCore

/// Takes online requests out of the bytes of a connection before they are decoded, which would be most of the work: those that have
/// come as a whole, with nothing behind them, while no other request is under way. All other bytes go on to the decoder,
/// behind which `OnlineConnectionHandler` looks once more.
final class OnlineRequestGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// What the decoder has been given.
    private enum Passed {
        /// Whole requests; what comes next begins one.
        case whole
        /// A request of which so many bytes of the body are still to come.
        case partOfBody(missing: Int)
        /// Nobody but the decoder can tell.
        case unknown
    }

    private let loop: OnlineLoop
    private let connection: OnlineConnectionHandler
    private var passed = Passed.whole
    /// Whether bytes have gone on since they were last said to be complete.
    private var hasPassed = false
    /// The last one of this connection, which tends to be the next one too.
    private var lastHead: KnownHeads.Entry?

    init(_ loop: OnlineLoop, _ connection: OnlineConnectionHandler) {
        self.loop = loop
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if case .whole = passed, takes(buffer) { return }
        hasPassed = true
        notePassing(buffer)
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Nobody further in has read anything.
        guard hasPassed else { return }
        hasPassed = false
        context.fireChannelReadComplete()
    }

    private func takes(_ buffer: ByteBuffer) -> Bool {
        guard connection.isIdle else { return false }
        let found = buffer.withUnsafeReadableBytes { memory in
            if let lastHead, lastHead.head.begins(memory) { return true }
            lastHead = loop.heads.entry(for: memory)
            return lastHead != nil
        }
        guard found, let entry = lastHead, buffer.readableBytes == entry.head.bytes.count + entry.head.contentLength,
            let body = buffer.getSlice(
                at: buffer.readerIndex + entry.head.bytes.count, length: entry.head.contentLength)
        else { return false }
        return connection.begin(entry.route, isKeptAlive: entry.head.isKeptAlive, body)
    }

    private func notePassing(_ buffer: ByteBuffer) {
        var buffer = buffer
        while buffer.readableBytes > 0 {
            switch passed {
            case .whole:
                let head = buffer.withUnsafeReadableBytes { memory in
                    PlainRequestHead.end(in: memory).flatMap { PlainRequestHead(Array(memory[..<$0])) }
                }
                guard let head else { return passed = .unknown }
                buffer.moveReaderIndex(forwardBy: head.bytes.count)
                if head.contentLength > 0 { passed = .partOfBody(missing: head.contentLength) }
            case .partOfBody(let missing):
                let count = min(missing, buffer.readableBytes)
                buffer.moveReaderIndex(forwardBy: count)
                passed = count == missing ? .whole : .partOfBody(missing: missing - count)
            case .unknown: return
            }
        }
    }
}
