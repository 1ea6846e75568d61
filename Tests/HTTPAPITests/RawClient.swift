import Dispatch
import Glibc
import Synchronization

struct RawClientError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A TCP connection to a server that a test writes to and reads from as it likes, also at the same time. What waits for the
/// socket does so on queues of its own: the server's tasks need the threads that tests run on.
final class RawClient: Sendable {
    /// How long anything that must come may take.
    private static let patience: Duration = .seconds(30)

    private let descriptor: Int32
    private let sending = DispatchQueue(label: "larder.tests.raw-client.sending")
    private let receiving = DispatchQueue(label: "larder.tests.raw-client.receiving")
    private let received = Mutex<[UInt8]>([])

    /// - Parameter receiveBufferBytes: how much the kernel takes for a client that does not read.
    init(port: Int, receiveBufferBytes: Int32? = nil) throws {
        descriptor = try Self.connect(port, receiveBufferBytes)
    }

    deinit {
        close(descriptor)
    }

    private static func connect(_ port: Int, _ receiveBufferBytes: Int32?) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let size = socklen_t(MemoryLayout<Int32>.size)
        if var bytes = receiveBufferBytes { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, size) }
        // What is written byte by byte is sent byte by byte.
        var noDelay: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else {
            let number = errno
            close(descriptor)
            throw RawClientError("no connection: errno \(number)")
        }
        return descriptor
    }

    // MARK: Sending

    func send(_ bytes: [UInt8]) async throws {
        try await on(sending) { try self.write(bytes) }
    }

    func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    /// Sends each byte by itself, and gives the server time to read it.
    func sendByteByByte(_ bytes: [UInt8]) async throws {
        try await on(sending) {
            for byte in bytes {
                try self.write([byte])
                usleep(100)
            }
        }
    }

    /// Ends the sending; answers still come.
    func finishSending() async throws {
        try await on(sending) { _ = shutdown(self.descriptor, Int32(SHUT_WR)) }
    }

    /// Sends the bytes again and again until none is taken for as long as `patience`, or `limit` have been taken.
    /// - Returns: how many were taken.
    func flood(_ bytes: [UInt8], limit: Int, patience: Duration) async throws -> Int {
        try await on(sending) {
            var taken = 0
            while taken < limit, self.waits(for: Int16(POLLOUT), atMost: patience) {
                let rest = bytes[(taken % bytes.count)...]
                taken += try self.writeSome(rest)
            }
            return taken
        }
    }

    private func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard waits(for: Int16(POLLOUT), atMost: Self.patience) else {
                throw RawClientError("the server takes no more bytes")
            }
            rest = rest.dropFirst(try writeSome(rest))
        }
    }

    private func writeSome(_ bytes: ArraySlice<UInt8>) throws -> Int {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EINTR { return 0 }
        throw RawClientError("the connection does not take bytes: errno \(errno)")
    }

    // MARK: Receiving

    /// The next answer.
    /// - Throws: when the connection ends before.
    func response() async throws -> RawResponse {
        try await on(receiving) {
            while true {
                if let response = self.received.withLock({ RawResponse.take(from: &$0) }) { return response }
                guard try self.receive(within: Self.patience) else {
                    let rest = self.received.withLock { String(decoding: $0.prefix(300), as: UTF8.self) }
                    throw RawClientError("the connection ended before the answer did: \(rest)")
                }
            }
        }
    }

    func responses(_ count: Int) async throws -> [RawResponse] {
        var responses: [RawResponse] = []
        for _ in 0..<count { responses.append(try await response()) }
        return responses
    }

    /// Whether the server ends the connection within the time, without a byte before that.
    func ends(within time: Duration) async throws -> Bool {
        try await on(receiving) {
            guard self.received.withLock({ $0.isEmpty }), self.waits(for: Int16(POLLIN), atMost: time) else {
                return false
            }
            return try !self.receive(within: .zero)
        }
    }

    /// Reads whatever comes until the server ends the connection.
    /// - Returns: false when it does not, and nothing comes for as long as `patience`.
    func isEndedAfterAll(patience: Duration) async throws -> Bool {
        try await on(receiving) {
            while self.waits(for: Int16(POLLIN), atMost: patience) {
                guard try self.receive(within: .zero) else { return true }
            }
            return false
        }
    }

    /// Whether the connection is broken within the time. Nothing is read.
    func breaks(within time: Duration) async throws -> Bool {
        try await on(receiving) { self.waits(for: 0, atMost: time) }
    }

    /// - Returns: false at the end of the connection.
    private func receive(within time: Duration) throws -> Bool {
        guard waits(for: Int16(POLLIN), atMost: time) else { throw RawClientError("nothing comes") }
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        // A connection that was reset has ended too.
        guard count > 0 else { return false }
        received.withLock { $0 += piece[..<count] }
        return true
    }

    // MARK: Waiting

    /// Whether one of the events, or the end of the connection, comes within the time.
    private func waits(for events: Int16, atMost time: Duration) -> Bool {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        return poll(&entry, 1, Int32(time / .milliseconds(1))) > 0
    }

    private func on<Value: Sendable>(
        _ queue: DispatchQueue, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
