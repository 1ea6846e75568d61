import Glibc
import HTTPTypes
import NIOCore
import NIOHTTP1
import TextFormats

/// A whole response as it goes over the wire, in one buffer: the body is written first, and the head, which says how long it
/// is, into the gap before it.
struct OnlineWireResponse {
    var status = HTTPResponse.Status.ok
    var contentType: StaticString = "application/json"
    var retryAfter: String?
    let requestID: String
    /// Append the body; what is before it is not to be touched.
    var body: ByteBuffer

    /// More than a head can take: its parts are ours, and a request id has at most 64 bytes.
    private static let gap = 512

    init(requestID: String) {
        self.requestID = requestID
        body = ByteBufferAllocator().buffer(capacity: Self.gap + 1_536)
        body.moveWriterIndex(to: Self.gap)
        body.moveReaderIndex(to: Self.gap)
    }

    init(_ problem: Problem) {
        self.init(requestID: problem.requestID)
        status = problem.status
        contentType = "application/problem+json"
        retryAfter = problem.headers[.retryAfter]
        body.writeBytes(problem.body.serialized())
    }

    /// The whole response; of this value nothing is left.
    /// - Parameter isLast: whether the connection is closed behind it.
    mutating func takeBytes(isLast: Bool, date: HTTPDate) -> ByteBuffer {
        withUnsafeTemporaryAllocation(byteCount: Self.gap, alignment: 1) { memory in
            var head = ByteCursor(memory)
            head.append("HTTP/1.1 ")
            if status == .ok {
                head.append("200 OK")
            } else {
                // Ours may have none: it is made of a number.
                let reason = HTTPResponseStatus(statusCode: status.code).reasonPhrase
                head.append(contentsOf: Array("\(status.code) \(reason)".utf8))
            }
            head.append("\r\nContent-Type: ")
            head.append(contentType)
            head.append("\r\nContent-Length: ")
            JSONText.write(Int64(body.readableBytes), into: &head)
            head.append("\r\nX-Request-Id: ")
            head.append(utf8: requestID)
            if let retryAfter {
                head.append("\r\nRetry-After: ")
                head.append(utf8: retryAfter)
            }
            if isLast { head.append("\r\nConnection: close") }
            head.append("\r\nDate: ")
            head.append(contentsOf: date.text)
            head.append("\r\nServer: larder\r\n\r\n")
            let start = Self.gap - head.count
            body.setBytes(UnsafeRawBufferPointer(rebasing: memory[..<head.count]), at: start)
            body.moveReaderIndex(to: start)
        }
        defer { body = ByteBuffer() }
        return body
    }
}

extension ByteCursor {
    fileprivate mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { append(contentsOf: UnsafeRawBufferPointer($0)) }
    }
}

/// The time as HTTP writes it (RFC 9110, IMF-fixdate), which is the same for a second.
struct HTTPDate {
    private(set) var text: [UInt8] = []
    private var second: time_t = -1

    static var now: [UInt8] {
        var date = HTTPDate()
        date.renew()
        return date.text
    }

    /// Brings it up to date.
    mutating func renew() {
        var now = time(nil)
        guard now != second else { return }
        second = now
        var parts = tm()
        gmtime_r(&now, &parts)
        text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 40) { text in
            let count = strftime(text.baseAddress, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            return text.prefix(count).map { UInt8(bitPattern: $0) }
        }
    }
}
