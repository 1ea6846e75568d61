/// What readers of HTTP have disagreed about.
private enum Disagreement {
    static let fragments: [String] = [
        "\r", "\n", "\r\n", "\n\n", "\r\n\r\n", "\r\n ", "\r\n\t", " ", "\t", "  ", ":", " :", ",", "+", "-", "0", "0x",
        "#", "?", "*", "//", "http://a", "\u{0}", "\u{B}", "\u{7F}", "é",
    ]

    static let lines: [String] = [
        "Content-Length: 0\r\n", "Content-Length: 5\r\n", "content-length: 05\r\n", "Content-Length: 5 \r\n",
        "Content-Length: 5\t\r\n", "Content-Length: 5, 5\r\n", "Content-Length:\r\n", "Content-Length : 5\r\n",
        "Transfer-Encoding: chunked\r\n", "transfer-encoding: identity\r\n", "Transfer-Encoding : chunked\r\n",
        "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: close, keep-alive\r\n",
        "Connection: upgrade\r\n", "Proxy-Connection: close\r\n", "Upgrade: h2c\r\n", "Expect: 100-continue\r\n",
        "X-Note:\r\n", "X-Note: \t \r\n", "X-Note: a \r\n", "X-Note: a\tb\r\n", " folded\r\n", ": nameless\r\n",
        "no field\r\n", "GET / HTTP/1.1\r\n", "\r\n",
    ]
}

extension [UInt8] {
    /// Changes bytes of requests.
    mutating func mutate(times: Int, _ generator: inout SeededGenerator) {
        for _ in 0..<times where !isEmpty {
            let position = indices.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: self[position] = UInt8.random(in: 0x20...0x7E, using: &generator)
            case 1: self[position] = UInt8.random(in: 0...0xFF, using: &generator)
            case 2: insert(contentsOf: Array(Disagreement.fragments.pick(&generator).utf8), at: position)
            case 3: remove(at: position)
            case 4: insert(contentsOf: Array(Disagreement.lines.pick(&generator).utf8), at: lineStart(before: position))
            default: repeatLine(at: lineStart(before: position))
            }
        }
    }

    private func lineStart(before position: Int) -> Int {
        self[..<position].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    }

    private mutating func repeatLine(at start: Int) {
        let end = self[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? count
        let line = Array(self[start..<end])
        insert(contentsOf: line, at: start)
    }
}
