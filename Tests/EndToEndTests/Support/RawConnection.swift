import Foundation
import Glibc
import Testing

/// One connection to a server of this machine. It repeats nothing and hides nothing, as client libraries do, and blocks its
/// thread.
final class RawConnection {
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ activity: String) {
            description = "\(activity): \(String(cString: strerror(errno)))"
        }
    }

    /// No answer may take longer.
    private static let patienceMilliseconds: Int32 = 10_000

    private let descriptor: Int32
    private var received: [UInt8] = []

    init(port: UInt16) throws {
        descriptor = try Self.connect(port)
    }

    deinit {
        close(descriptor)
    }

    private static func connect(_ port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("no socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isConnected { return descriptor }
        let failure = Failure("connecting")
        close(descriptor)
        throw failure
    }

    /// - Returns: the answer, with the time from the first byte sent to the last one received.
    func post(_ path: String, _ body: String) throws -> RawAnswer {
        let start = ContinuousClock.now
        try send(
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let separator = Array("\r\n\r\n".utf8)
        while received.firstRange(of: separator) == nil { try receive() }
        let headEnd = received.firstRange(of: separator)?.upperBound ?? 0
        let head = String(decoding: received[..<headEnd], as: UTF8.self)
        received.removeSubrange(..<headEnd)
        var answer = RawAnswer(head: head)
        let length = answer.header("content-length").flatMap { Int($0) } ?? 0
        while received.count < length { try receive() }
        answer.body = String(decoding: received[..<length], as: UTF8.self)
        answer.duration = .now - start
        received.removeSubrange(..<length)
        return answer
    }

    private func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure("sending") }
            rest = rest.dropFirst(count)
        }
    }

    private func receive() throws {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        errno = ETIMEDOUT
        guard poll(&waiting, 1, Self.patienceMilliseconds) > 0 else { throw Failure("waiting for an answer") }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count == 0 { errno = ECONNRESET }
        guard count > 0 else { throw Failure("receiving, with \(received.count) bytes of an answer there") }
        received += buffer[..<count]
    }
}

/// An answer as it came.
struct RawAnswer: Sendable, CustomStringConvertible {
    let head: String
    var body = ""
    var duration: Duration = .zero

    init(head: String) {
        self.head = head
    }

    var status: Int { head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }

    func header(_ name: String) -> String? {
        for line in head.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == name {
                return parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        return nil
    }

    /// Of a JSON object; empty for anything else.
    var members: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
    }

    var code: String? { members["code"] as? String }

    var description: String { "\(status) after \(duration): \(body)" }
}

extension RunningServer {
    var port: UInt16 {
        get throws { try #require(address.split(separator: ":").last.flatMap { UInt16($0) }) }
    }

    /// Posts over a connection of its own, on a thread of its own: whatever else this process does, the time it took is the
    /// server's.
    func postRaw(_ path: String, _ body: String) async throws -> RawAnswer {
        let port = try port
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try RawConnection(port: port).post(path, body) })
            }
        }
    }
}
