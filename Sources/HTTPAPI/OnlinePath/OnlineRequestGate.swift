import NIOCore

/// Takes online requests out of the bytes of a connection before they are decoded, which would be most of the work: those that have
/// come as a whole, with nothing behind them, while no other request is under way. All other bytes go on to the decoder,
/// behind which `OnlineConnectionHandler` looks once more.
final class OnlineRequestGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let loop: OnlineLoop
    private let connection: OnlineConnectionHandler
    private var passed = PassedRequests.whole
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
        if passed == .whole, takes(buffer) { return }
        hasPassed = true
        if connection.dropsInput() { return }
        passed.note(buffer)
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
            if let lastHead, lastHead.begins(memory) { return true }
            lastHead = loop.heads.entry(for: memory)
            return lastHead != nil
        }
        guard found, let head = lastHead, buffer.readableBytes == head.bytes.count + head.contentLength,
            let body = buffer.getSlice(at: buffer.readerIndex + head.bytes.count, length: head.contentLength)
        else { return false }
        return connection.begin(head.route, isKeptAlive: head.isKeptAlive, body)
    }
}
