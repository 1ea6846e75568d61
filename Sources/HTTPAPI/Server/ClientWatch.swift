import NIOCore
import Synchronization

/// Notices that a client has gone while its answer is still being made, when nothing is read from or written to it.
///
/// The server lets a client close its side first and answers all the same, so the channel itself stays open then.
struct ClientWatch {
    private static let number = Atomic<Int>(0)

    private let channel: any Channel
    private let name: String

    /// - Parameter onClosed: may be called more than once.
    init(_ channel: any Channel, onClosed: @escaping @Sendable () -> Void) {
        let name = "client-watch-\(Self.number.add(1, ordering: .relaxed).oldValue)"
        self.channel = channel
        self.name = name
        channel.eventLoop.execute {
            do {
                try channel.pipeline.syncOperations.addHandler(
                    ClosedHandler(onClosed), name: name, position: .first)
            } catch {
                // There is no pipeline any more.
                onClosed()
            }
        }
    }

    func end() {
        channel.pipeline.removeHandler(name: name, promise: nil)
    }
}

private final class ClosedHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let onClosed: @Sendable () -> Void

    init(_ onClosed: @escaping @Sendable () -> Void) {
        self.onClosed = onClosed
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { onClosed() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        onClosed()
        context.fireChannelInactive()
    }
}
