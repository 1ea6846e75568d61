import Glibc

/// The heads of online requests that came before: clients send the same few again and again.
struct KnownHeads {
    /// A head and what becomes of its request.
    final class Entry {
        /// Up to and with the empty line.
        let bytes: [UInt8]
        /// Of the body.
        let contentLength: Int
        let isKeptAlive: Bool
        let route: OnlinePath.Route

        init(_ head: PlainRequestHead, _ route: OnlinePath.Route) {
            bytes = head.bytes
            contentLength = head.contentLength
            isKeptAlive = head.isKeptAlive
            self.route = route
        }

        /// Whether the request begins with this head.
        func begins(_ request: UnsafeRawBufferPointer) -> Bool {
            guard request.count >= bytes.count, let theirs = request.baseAddress else { return false }
            return bytes.withUnsafeBytes { own in
                own.baseAddress.map { memcmp($0, theirs, own.count) == 0 } ?? false
            }
        }
    }

    private let path: OnlinePath
    private var entries: [[UInt8]: Entry] = [:]

    /// Bounded, because what a head says is up to the clients.
    private static let maximumCount = 256

    init(_ path: OnlinePath) {
        self.path = path
    }

    /// - Returns: nil when the bytes do not begin with the whole head of a request that may be answered on the event loop.
    mutating func entry(for memory: UnsafeRawBufferPointer) -> Entry? {
        guard memory.starts(with: "POST ".utf8), let end = PlainRequestHead.end(in: memory) else { return nil }
        let bytes = Array(memory[..<end])
        if let known = entries[bytes] { return known }
        guard let head = PlainRequestHead(bytes), let route = path.route(head.decoded) else { return nil }
        let entry = Entry(head, route)
        // Such a head does not come again.
        guard route.requestID == nil, route.traceParent == nil else { return entry }
        if entries.count >= Self.maximumCount { entries.removeAll() }
        entries[bytes] = entry
        return entry
    }
}
