import NIOCore

/// How far the decoder has come, told from the bytes that it has been given.
enum PassedRequests: Equatable {
    /// It has had whole requests; what comes next begins one.
    case whole
    /// It has had a request of which so many bytes of the body are still to come.
    case partOfBody(missing: Int)
    /// Nobody but the decoder can tell.
    case unknown

    /// - Parameter buffer: what it is given next.
    mutating func note(_ buffer: ByteBuffer) {
        var buffer = buffer
        while buffer.readableBytes > 0 {
            switch self {
            case .whole:
                let head = buffer.withUnsafeReadableBytes { memory in
                    PlainRequestHead.end(in: memory).flatMap { PlainRequestHead(Array(memory[..<$0])) }
                }
                guard let head else { return self = .unknown }
                buffer.moveReaderIndex(forwardBy: head.bytes.count)
                if head.contentLength > 0 { self = .partOfBody(missing: head.contentLength) }
            case .partOfBody(let missing):
                let count = min(missing, buffer.readableBytes)
                buffer.moveReaderIndex(forwardBy: count)
                self = count == missing ? .whole : .partOfBody(missing: missing - count)
            case .unknown: return
            }
        }
    }
}
