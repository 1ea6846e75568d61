import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
import NIOPosix
import ServiceLifecycle

/// Accepts connections at one address until it is asked to stop, and ends when the last one has been answered.
///
/// Hummingbird's own server cannot share its port. This one can, so that a new process may listen before an old one
/// stops.
struct ListeningServer<Connection: ServerChildChannel>: Service {
    /// Connections that the kernel holds until they are accepted.
    private static var backlog: Int32 { 256 }

    let connection: Connection
    let host: String
    let port: Int
    /// Whether other processes of the same user may listen at the address too.
    let sharesPort: Bool
    let logger: Logger
    /// Done before it listens: who shares the port has to be able to answer from the first connection on.
    let prepare: @Sendable () async -> Void
    let onListening: @Sendable (_ port: Int) -> Void

    private var group: MultiThreadedEventLoopGroup { .singleton }

    /// - Throws: `IOError` when it cannot listen.
    func run() async throws {
        await prepare()
        let quiescing = ServerQuiescingHelper(group: group)
        let listener = try await listen(quiescing)
        let channel = listener.channel
        onListening(channel.localAddress?.port ?? port)
        await withGracefulShutdownHandler {
            await serve(listener)
        } onGracefulShutdown: {
            ListenerDeparture(channel: channel, quiescing: quiescing, isShared: sharesPort).begin()
        }
    }

    private func listen(
        _ quiescing: ServerQuiescingHelper
    ) async throws -> NIOAsyncChannel<Connection.Value, Never> {
        let connection = connection
        let logger = logger
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(
                .socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: sharesPort ? 1 : 0
            )
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(AcceptErrorHandler(logger: logger))
                    try pipeline.addHandler(quiescing.makeServerChannelHandler(channel: channel))
                }
            }
            // A client that has sent everything may close its side and still gets its answer.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: host, port: port) { channel in connection.setup(channel: channel, logger: logger) }
    }

    /// Returns when the listener is closed and the last connection has ended.
    private func serve(_ listener: NIOAsyncChannel<Connection.Value, Never>) async {
        let connection = connection
        let logger = logger
        await withDiscardingTaskGroup { group in
            do {
                try await listener.executeThenClose { connections in
                    for try await each in connections {
                        group.addTask { await connection.handle(value: each, logger: logger) }
                    }
                }
            } catch {
                if Task.isCancelled { return }
                logger.error("connections are no longer accepted", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Keeps accepting when one connection could not be: there were too many files open, or the client has given up.
private final class AcceptErrorHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// Trying again at once would find the same.
    private static let pause: TimeAmount = .milliseconds(100)

    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.warning("could not accept a connection", metadata: ["error": "\(error)"])
        let channel = context.channel
        channel.setOption(.autoRead, value: false).whenSuccess {
            channel.eventLoop.scheduleTask(in: Self.pause) { _ = channel.setOption(.autoRead, value: true) }
        }
    }
}
