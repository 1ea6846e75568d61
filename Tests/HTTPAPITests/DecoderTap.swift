import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import HTTPAPI

/// The bytes that come to the decoders of a server's connections: not those of requests that were taken before.
final class DecoderTap: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    func note(_ buffer: ByteBuffer) {
        bytes.withLock { $0 += buffer.readableBytesView }
    }

    /// How many there are since they were last taken.
    var count: Int { bytes.withLock { $0.count } }

    /// Those since the last call.
    func take() -> [UInt8] {
        bytes.withLock { bytes in
            defer { bytes = [] }
            return bytes
        }
    }

    /// The same server, looked at.
    /// - Parameter server: what `buildServer` has made.
    func watching(_ server: any Service) throws -> any Service {
        let original = try #require(server as? ListeningServer<OnlineChannel>)
        return ListeningServer(
            connection: WatchedChannel(channel: original.connection, tap: self), host: original.host,
            port: original.port, sharesPort: original.sharesPort, logger: original.logger, prepare: original.prepare,
            onListening: original.onListening)
    }
}

/// The connections of a server, with a look at what is given to their decoders.
private struct WatchedChannel: ServerChildChannel {
    typealias Value = OnlineChannel.Value

    let channel: OnlineChannel
    let tap: DecoderTap

    func setup(channel connection: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let tap = tap
        return channel.setup(channel: connection, logger: logger).flatMapThrowing { value in
            let pipeline = connection.pipeline.syncOperations
            let gate = try pipeline.handler(type: OnlineRequestGate.self)
            try pipeline.addHandler(Watcher(tap), position: .after(gate))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async {
        await channel.handle(value: value, logger: logger)
    }
}

private final class Watcher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let tap: DecoderTap

    init(_ tap: DecoderTap) {
        self.tap = tap
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        tap.note(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }
}
