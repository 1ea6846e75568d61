/// A request as it goes over the wire.
struct RawRequest {
    static let online = "/v1/projects/shop/online-features"
    static let feast = "/get-online-features"

    var method = "POST"
    var path = online
    var version = "1.1"
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?

    init(_ method: String = "POST", _ path: String = online, headers: [(name: String, value: String)] = []) {
        self.method = method
        self.path = path
        self.headers = headers
    }

    /// - Parameter id: the answer repeats it.
    init(online body: String, path: String = online, id: String? = nil, headers: [(name: String, value: String)] = []) {
        self.init("POST", path, headers: headers)
        self.body = Array(body.utf8)
        if let id { self.headers.append(("X-Request-Id", id)) }
    }

    /// The same, which a header that changes nothing keeps from being answered on the event loop.
    var ordinary: RawRequest {
        var request = self
        request.headers.append(("Content-Encoding", "identity"))
        return request
    }

    private func head(_ framing: [(name: String, value: String)]) -> [UInt8] {
        var text = "\(method) \(path) HTTP/\(version)\r\nHost: localhost\r\n"
        for (name, value) in headers + framing { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    /// With the length of the body, if it has one.
    var bytes: [UInt8] {
        guard let body else { return head([]) }
        return head([("Content-Length", "\(body.count)")]) + body
    }

    /// The head alone, as if the body was to follow.
    var headBytes: [UInt8] {
        head([("Content-Length", "\(body?.count ?? 0)")])
    }

    /// With the body in chunks of so many bytes.
    func chunked(_ size: Int) -> [UInt8] {
        var out = head([("Transfer-Encoding", "chunked")])
        var rest = (body ?? [])[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(size)
            out += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
            rest = rest.dropFirst(size)
        }
        return out + Array("0\r\n\r\n".utf8)
    }
}

/// An answer as it came over the wire.
struct RawResponse {
    let status: Int
    /// By name in lower case.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    /// Takes the first answer out of the bytes.
    /// - Returns: nil while it is not all there.
    static func take(from bytes: inout [UInt8]) -> RawResponse? {
        guard let headEnd = endOfHead(bytes) else { return nil }
        var lines = String(decoding: bytes[..<(headEnd - 4)], as: UTF8.self).split(separator: "\r\n" as Character)
        let words = lines.removeFirst().split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count >= headEnd + length else { return nil }
        let body = Array(bytes[headEnd..<headEnd + length])
        bytes.removeFirst(headEnd + length)
        return RawResponse(status: words.count > 1 ? Int(words[1]) ?? 0 : 0, headers: headers, body: body)
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let end: [UInt8] = [13, 10, 13, 10]
        var index = 0
        while index + end.count <= bytes.count {
            if bytes[index] == 13, bytes[index..<index + end.count].elementsEqual(end) { return index + end.count }
            index += 1
        }
        return nil
    }
}
