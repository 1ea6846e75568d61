import NIOHTTP1
import Testing

@testable import HTTPAPI

/// Heads that are read before the decoder, which must read the same in them.
@Suite("Plain request heads", .timeLimit(.minutes(2)))
struct PlainRequestHeadTests {
    private static func head(_ lines: String...) -> [UInt8] {
        Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private static func head(fields: Int) -> [UInt8] {
        let lines = (0..<fields).map { "X-\($0): a\r\n" }.joined()
        return Array("GET / HTTP/1.1\r\n\(lines)\r\n".utf8)
    }

    private static func head(bytes: Int) -> [UInt8] {
        let start = "GET / HTTP/1.1\r\nX-Note: "
        return head(start + String(repeating: "a", count: bytes - start.utf8.count - 4))
    }

    private static func plainHead(_ bytes: [UInt8]) -> PlainRequestHead? {
        bytes.withUnsafeBytes { PlainRequestHead.end(in: $0) }.flatMap { PlainRequestHead(Array(bytes[..<$0])) }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).debugDescription
    }

    // MARK: Accepted

    private static let accepted: [(bytes: [UInt8], contentLength: Int, isKeptAlive: Bool)] = [
        (head("GET /health/live HTTP/1.1"), 0, true),
        (head("POST / HTTP/1.1", "Host: a"), 0, true),
        (head("POST / HTTP/1.1", "Content-Length: 0"), 0, true),
        (head("POST / HTTP/1.1", "Host: a", "Content-Length: 5"), 5, true),
        (head("POST / HTTP/1.1", "content-length:5", "Host:a"), 5, true),
        (head("PUT / HTTP/1.1", "CONTENT-LENGTH: \t 0017"), 17, true),
        (head("POST / HTTP/1.1", "Content-Length: 999999999999999999"), 999_999_999_999_999_999, true),
        (head("GET / HTTP/1.1", "Content-Length: 3"), 3, true),
        (head("HEAD / HTTP/1.1", "Host: a"), 0, true),
        (head("DELETE / HTTP/1.1", "Host: a"), 0, true),
        (head("PATCH / HTTP/1.1", "Content-Length: 1"), 1, true),
        (head("OPTIONS / HTTP/1.1", "Host: a"), 0, true),
        (head("POST / HTTP/1.1", "Connection: Keep-Alive"), 0, true),
        (head("POST / HTTP/1.1", "connection: CLOSE", "Content-Length: 2"), 2, false),
        (head("POST / HTTP/1.1", "Accept:", "X-Note: \t ", "X_Note: a \t b: c, \"d\"\\"), 0, true),
        (head("POST / HTTP/1.1", "Content_Length: x", "Content-Length-: x", "Transfer_Encoding: chunked"), 0, true),
        (head(#"POST /a//b?c=%20&d=?*!'()"<>\^`{|}~[]@:;,+-._$ HTTP/1.1"#, "Host: a"), 0, true),
        (head(fields: PlainRequestHead.maximumFields), 0, true),
        (head(bytes: PlainRequestHead.maximumBytes), 0, true),
    ]

    @Test("a head that all readers understand alike is read as the decoder reads it")
    func accepts() throws {
        for (bytes, contentLength, isKeptAlive) in Self.accepted {
            let context: Comment = "\(Self.text(bytes))"
            // Whatever follows is not looked at.
            for rest in ["", "body", "\r\n\r\n", " folded\r\n\r\n", "\n"] {
                let head = try #require(Self.plainHead(bytes + Array(rest.utf8)), context)
                #expect(head.bytes == bytes, context)
                #expect(head.contentLength == contentLength, context)
                #expect(head.isKeptAlive == isKeptAlive, context)
            }
            let alone = try #require(Self.plainHead(bytes), context)
            try expectAgreement(alone)
        }
    }

    /// The decoder reads the same in the head, and its request ends at the same byte.
    private func expectAgreement(_ head: PlainRequestHead) throws {
        let context: Comment = "\(Self.text(head.bytes))"
        let decoder = try ReferenceDecoder()
        try decoder.decode(head.bytes.dropLast())
        #expect(decoder.requests.isEmpty, context)
        try decoder.decode(head.bytes.suffix(1))
        let request = try #require(decoder.requests.first, context)
        #expect(request.head.version == .http1_1, context)
        #expect(request.head.method == head.decoded.method, context)
        #expect(request.head.uri == head.decoded.uri, context)
        #expect(Self.fields(request.head) == Self.fields(head.decoded), context)
        #expect(request.head.isKeepAlive == head.isKeptAlive, context)
        #expect(request.hasEnded == (head.contentLength == 0), context)
        if (1...10_000).contains(head.contentLength) {
            try decoder.decode([UInt8](repeating: UInt8(ascii: "\n"), count: head.contentLength - 1))
            #expect(decoder.requests.first?.hasEnded == false, context)
            try decoder.decode([UInt8(ascii: "\n")])
            #expect(decoder.requests.first?.hasEnded == true, context)
            #expect(decoder.requests.first?.bodyBytes == head.contentLength, context)
        }
        #expect(decoder.requests.count == 1 && !decoder.hasFailed, context)
    }

    private static func fields(_ head: HTTPRequestHead) -> [String] {
        head.headers.map { "\($0.name): \($0.value)" }
    }

    // MARK: Refused

    private static let refused: [[UInt8]] = [
        // No head, or not all of one.
        [], Array("\r\n".utf8), Array("\r\n\r\n".utf8), Array("POST / HTTP/1.1\r\n".utf8),
        Array("POST / HTTP/1.1\r\nHost: a\r\n\r".utf8),
        // Lines that end otherwise, or not.
        Array("POST / HTTP/1.1\nHost: a\n\n".utf8), Array("POST / HTTP/1.1\r\nHost: a\n\r\n".utf8),
        Array("POST / HTTP/1.1\r\nHost: a\r\r\n\r\n".utf8), Array("POST / HTTP/1.1\r\nHost: a\rb\r\n\r\n".utf8),
        Array("\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), Array("\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
        // Another request line.
        head("post / HTTP/1.1"), head(" POST / HTTP/1.1"), head("POST  / HTTP/1.1"), head("POST / HTTP/1.1 "),
        head("POST /\tHTTP/1.1"), head("POST / a HTTP/1.1"), head("POST /"), head("POST"), head("POST / HTTP/1.0"),
        head("POST / HTTP/1.10"), head("POST / HTTP/2.0"), head("POST / http/1.1"), head("POST / HTTP/1,1"),
        head("PRI * HTTP/2.0"), head("CONNECT a:80 HTTP/1.1"), head("CONNECT / HTTP/1.1"), head("TRACE / HTTP/1.1"),
        head("PROPFIND / HTTP/1.1"), head("OPTIONS * HTTP/1.1"), head("POST http://a/ HTTP/1.1"),
        head("POST a HTTP/1.1"), head("POST /#a HTTP/1.1"), head("POST /é HTTP/1.1"), head("POST /\u{7F} HTTP/1.1"),
        // Fields that are not plain.
        head("POST / HTTP/1.1", "Host : a"), head("POST / HTTP/1.1", " Host: a"),
        head("POST / HTTP/1.1", "Host: a", " b"), head("POST / HTTP/1.1", "Host: a", "\tb: c"),
        head("POST / HTTP/1.1", "Host"), head("POST / HTTP/1.1", ": a"), head("POST / HTTP/1.1", "Ho(st: a"),
        head("POST / HTTP/1.1", "Hóst: a"), head("POST / HTTP/1.1", "Host: é"),
        head("POST / HTTP/1.1", "Host: a\u{0}b"), head("POST / HTTP/1.1", "Host: a\u{7F}"),
        head("POST / HTTP/1.1", "Host: a "), head("POST / HTTP/1.1", "Host: a\t"),
        // More than one length, or none that is a number.
        head("POST / HTTP/1.1", "Content-Length: 5", "Content-Length: 5"),
        head("POST / HTTP/1.1", "Content-Length: 5", "content-length: 6"),
        head("POST / HTTP/1.1", "Content-Length: 5, 5"), head("POST / HTTP/1.1", "Content-Length: 5 5"),
        head("POST / HTTP/1.1", "Content-Length: +5"), head("POST / HTTP/1.1", "Content-Length: -5"),
        head("POST / HTTP/1.1", "Content-Length: 0x5"), head("POST / HTTP/1.1", "Content-Length: 5.0"),
        head("POST / HTTP/1.1", "Content-Length: 5 "), head("POST / HTTP/1.1", "Content-Length: 5\t"),
        head("POST / HTTP/1.1", "Content-Length:"), head("POST / HTTP/1.1", "Content-Length: "),
        head("POST / HTTP/1.1", "Content-Length : 5"), head("POST / HTTP/1.1", "Content-Length: 1000000000000000000"),
        // Another framing, or another protocol behind it.
        head("POST / HTTP/1.1", "Transfer-Encoding: chunked"), head("POST / HTTP/1.1", "transfer-ENCODING: identity"),
        head("POST / HTTP/1.1", "Content-Length: 5", "Transfer-Encoding:"),
        head("POST / HTTP/1.1", "Transfer-Encoding: x", "Content-Length: 5"),
        head("POST / HTTP/1.1", "Upgrade: h2c"), head("POST / HTTP/1.1", "Expect: 100-continue"),
        head("POST / HTTP/1.1", "Expect: a"),
        // What becomes of the connection.
        head("POST / HTTP/1.1", "Connection: close, keep-alive"), head("POST / HTTP/1.1", "Connection: upgrade"),
        head("POST / HTTP/1.1", "Connection:"), head("POST / HTTP/1.1", "Connection: close", "Connection: close"),
        head("POST / HTTP/1.1", "Connection: keep-alive", "Connection: close"),
        head("POST / HTTP/1.1", "Proxy-Connection: close"),
        // Too much.
        head(fields: PlainRequestHead.maximumFields + 1), head(bytes: PlainRequestHead.maximumBytes + 1),
    ]

    @Test("every other head is left to the decoder")
    func refuses() {
        for bytes in Self.refused {
            #expect(Self.plainHead(bytes) == nil, "\(Self.text(bytes))")
        }
    }

    // MARK: By chance

    private static let origins: [[UInt8]] = [
        RawRequest(online: #"{"features":["weather:temp"]}"#).headBytes,
        RawRequest(online: "{}", path: RawRequest.feast, id: "r1", headers: [("Accept", "*/*")]).headBytes,
        RawRequest(online: "12345", headers: [("Connection", "close"), ("Content-Type", "application/json")]).headBytes,
        RawRequest("GET", "/health/live", headers: [("User-Agent", "a/1.0 (b; c)"), ("Cookie", "a=b; c=d")]).bytes,
        head("PUT /a?b=c HTTP/1.1", "X-Note:", "Connection: keep-alive"),
    ]

    @Test("whatever is accepted of heads that were changed by chance is read alike", arguments: 0..<4 as Range<UInt64>)
    func mutated(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var accepted = 0
        let count = 4_000
        for _ in 0..<count {
            var bytes = Self.origins.pick(&generator)
            bytes.mutate(times: Int.random(in: 1...3, using: &generator), &generator)
            guard let head = Self.plainHead(bytes) else { continue }
            accepted += 1
            try expectAgreement(head)
        }
        #expect((count / 20...count * 19 / 20).contains(accepted), "\(accepted)")
    }
}
