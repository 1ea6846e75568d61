import NIOHTTP1

/// The head of a request whose end can be told from its bytes alone.
///
/// It is one that every reader of HTTP/1.1 understands alike (RFC 9112): lines end with CRLF and no field is folded, the body is
/// empty or as long as the one `Content-Length` says, and HTTP is what follows. All others are the decoder's. Where this is
/// mistaken, what one client sends as a body could be read as a request: it accepts less than the decoder, never more.
struct PlainRequestHead {
    /// Up to and with the empty line.
    let bytes: [UInt8]
    /// Of the body.
    let contentLength: Int
    /// As the decoder would give it.
    let decoded: HTTPRequestHead
    let isKeptAlive: Bool

    /// Longer ones are left to the decoder, which has a limit.
    static let maximumBytes = 4_096
    /// More are left to the decoder too.
    static let maximumFields = 64

    /// - Parameter bytes: what `end(in:)` has found.
    /// - Returns: nil when it is not such a head.
    init?(_ bytes: [UInt8]) {
        var lines = bytes.dropLast(2).split(separator: UInt8(ascii: "\n"))[...]
        guard let line = lines.popFirst(), let (method, uri) = Self.requestLine(line.dropLast()),
            lines.count <= Self.maximumFields
        else { return nil }
        var headers = HTTPHeaders()
        headers.reserveCapacity(lines.count)
        var contentLength: Int?
        var isKeptAlive: Bool?
        for line in lines {
            guard let (name, value) = Self.field(line.dropLast()) else { return nil }
            switch name.lowercased() {
            case "content-length":
                guard contentLength == nil, let length = Self.contentLength(value) else { return nil }
                contentLength = length
            case "connection":
                guard isKeptAlive == nil, let isKept = Self.isKeptAlive(value) else { return nil }
                isKeptAlive = isKept
            // The decoder takes the last one for `Connection`.
            case "transfer-encoding", "upgrade", "expect", "proxy-connection": return nil
            default: break
            }
            headers.add(name: name, value: value)
        }
        self.bytes = bytes
        self.contentLength = contentLength ?? 0
        self.isKeptAlive = isKeptAlive ?? true
        decoded = HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: headers)
    }

    /// How many of the bytes are up to and with the first empty line.
    /// - Returns: nil when there is none, or when a CR and an LF are not together.
    static func end(in bytes: UnsafeRawBufferPointer) -> Int? {
        var previous: UInt8 = 0
        var lineStart = 0
        for index in 0..<min(bytes.count, maximumBytes) {
            let byte = bytes[index]
            guard (byte == UInt8(ascii: "\n")) == (previous == UInt8(ascii: "\r")) else { return nil }
            previous = byte
            guard byte == UInt8(ascii: "\n") else { continue }
            if index == lineStart + 1 { return index + 1 }
            lineStart = index + 1
        }
        return nil
    }

    private static func requestLine(_ line: ArraySlice<UInt8>) -> (HTTPMethod, String)? {
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        // Of a URI with a scheme, and of one with a fragment, the decoder has an opinion.
        guard words.count == 3, words[1].first == UInt8(ascii: "/"),
            words[1].allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }),
            words[2].elementsEqual("HTTP/1.1".utf8)
        else { return nil }
        let method = HTTPMethod(rawValue: String(decoding: words[0], as: UTF8.self))
        switch method {
        case .GET, .HEAD, .POST, .PUT, .DELETE, .PATCH, .OPTIONS:
            return (method, String(decoding: words[1], as: UTF8.self))
        // After a CONNECT it is not HTTP that follows.
        default: return nil
        }
    }

    private static func field(_ line: ArraySlice<UInt8>) -> (name: String, value: String)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return nil }
        let name = line[..<colon]
        let value = line[(colon + 1)...].drop(while: isBlank)
        guard name.allSatisfy(isPartOfName), value.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) else {
            return nil
        }
        // Blanks that end a value are part of it for the decoder, and for no one else.
        if let last = value.last, isBlank(last) { return nil }
        return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    private static func contentLength(_ value: String) -> Int? {
        // Up to 18 digits, which 64 bits hold whatever they are.
        guard value.utf8.count <= 18, value.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else {
            return nil
        }
        return Int(value)
    }

    /// - Parameter value: of `Connection`.
    /// - Returns: nil when it says something else.
    private static func isKeptAlive(_ value: String) -> Bool? {
        switch value.lowercased() {
        case "keep-alive": true
        case "close": false
        default: nil
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
