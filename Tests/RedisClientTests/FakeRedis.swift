import NIOCore
import NIOPosix

/// A peer on the loopback interface that answers the handshake like Redis and then says what the test wants.
final class FakeRedis: Sendable {
    private let channel: any Channel

    private init(channel: any Channel) {
        self.channel = channel
    }

    var url: String { "redis://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    static let handshake = "$14\r\nrun_id:pretend\r\n+OK\r\n"

    /// - Parameter answers: what each read after another is answered with, the handshake first; nil closes.
    static func run<Value>(_ answers: [String?], _ body: (FakeRedis) async throws -> Value) async throws -> Value {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(answers))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(FakeRedis(channel: channel))) } catch { outcome = .failure(error) }
        try await channel.close()
        return try outcome.get()
    }
}

private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var answers: [String?]

    init(_ answers: [String?]) {
        self.answers = answers.reversed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let answer = answers.popLast() else { return }
        if let answer {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        } else {
            context.close(promise: nil)
        }
    }
}
