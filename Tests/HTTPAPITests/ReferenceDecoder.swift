import NIOCore
import NIOEmbedded
import NIOHTTP1

/// What the server's decoder makes of the bytes of a connection.
final class ReferenceDecoder {
    struct Request {
        let head: HTTPRequestHead
        var bodyBytes = 0
        var hasEnded = false
    }

    private let channel = EmbeddedChannel()
    private(set) var requests: [Request] = []
    private(set) var hasFailed = false

    init() throws {
        try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
    }

    deinit {
        _ = try? channel.finish()
    }

    func decode(_ bytes: some Sequence<UInt8>) throws {
        let buffer = ByteBuffer(bytes: bytes)
        guard buffer.readableBytes > 0 else { return }
        do {
            try channel.writeInbound(buffer)
        } catch {
            hasFailed = true
        }
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head): requests.append(Request(head: head))
            case .body(let piece): requests[requests.count - 1].bodyBytes += piece.readableBytes
            case .end: requests[requests.count - 1].hasEnded = true
            }
        }
    }
}
