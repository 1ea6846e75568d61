import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// A connection of the server: HTTP/1.1, where online requests are answered on the event loop and everything else by
/// Hummingbird.
///
/// From the socket inwards: `OnlineRequestGate`, the HTTP codec, `OnlineConnectionHandler`, and what Hummingbird needs.
struct OnlineChannel: ServerChildChannel, HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: HTTPChannelHandler.Responder
    let loops: OnlineLoops
    let idleTimeout: TimeAmount
    let lastBodyPatience: TimeAmount

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
                // Requests of one connection are taken in turn, and what is wrong with one is answered further in.
                withPipeliningAssistance: false, withErrorHandling: false,
                // The types of Swift's HTTP package hold nothing that would have to be refused.
                withOutboundHeaderValidation: false)
            let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            let loop = loops.loop(for: channel.eventLoop)
            let connection = OnlineConnectionHandler(
                loop, wire: encoder, idleTimeout: idleTimeout, lastBodyPatience: lastBodyPatience)
            try pipeline.addHandler(connection)
            try pipeline.addHandler(OnlineRequestGate(loop, connection), position: .first)
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}
