import Glibc
import Synchronization

/// A TCP proxy on the loopback interface that can stall and cut the connections through it.
///
/// One thread moves the bytes. Stop it when done: `stop()` closes every connection.
public final class FaultProxy: Sendable {
    /// Where the proxy leads to.
    public enum Upstream: Sendable {
        case tcp(port: Int)
        case unixSocket(path: String)
    }

    private enum Mode {
        case forwarding
        /// Connections stay open, no byte moves; new connections are taken and not answered.
        case stalled
        /// Connections are closed as they come.
        case refusing
    }

    private struct State {
        var mode = Mode.forwarding
        var cutRequested = false
        /// What the client gets in place of the next bytes from upstream.
        var replacement: [UInt8]?
        var isStopped = false
        /// Counts the changes, and how many of them the thread has taken up.
        var changes = 0
        var appliedChanges = 0
        /// The thread is over and the descriptors are closed.
        var hasEnded = false
    }

    private let upstream: Upstream
    private let listener: Int32
    private let wakeDescriptors: (read: Int32, write: Int32)
    private let state = Mutex(State())
    /// The port to connect to on 127.0.0.1.
    public let port: Int

    public init(to upstream: Upstream) throws {
        self.upstream = upstream
        var descriptors: [Int32] = [-1, -1]
        guard pipe(&descriptors) == 0 else { throw PostgresTestError("no pipe: errno \(errno)") }
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        wakeDescriptors = (descriptors[0], descriptors[1])
        (listener, port) = try Self.listen()
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self).toOpaque()
        let started = pthread_create(
            &thread, nil,
            { (argument) in
                if let argument { Unmanaged<FaultProxy>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument)
        guard started == 0 else { throw PostgresTestError("no thread: \(started)") }
        pthread_detach(thread)
    }

    /// Keeps all connections open and moves nothing.
    public func stall() { change { $0.mode = .stalled } }
    /// Moves bytes again.
    public func resume() { change { $0.mode = .forwarding } }
    /// Closes what there is and what comes.
    public func refuse() {
        change {
            $0.mode = .refusing
            $0.cutRequested = true
        }
    }
    /// Closes what there is; new connections work.
    public func cut() { change { $0.cutRequested = true } }
    /// Hands a client other bytes in place of the next ones that come from upstream.
    public func replaceNextAnswer(by bytes: [UInt8]) { change { $0.replacement = bytes } }
    /// Ends the proxy.
    public func stop() { change { $0.isStopped = true } }

    /// Comes back when the change is in effect: no byte moves by the old rules any more.
    private func change(_ body: (inout State) -> Void) {
        let number = state.withLock { (state) -> Int in
            guard !state.hasEnded else { return 0 }
            body(&state)
            state.changes += 1
            var byte: UInt8 = 0
            write(wakeDescriptors.write, &byte, 1)
            return state.changes
        }
        while state.withLock({ $0.appliedChanges < number && !$0.hasEnded }) { usleep(500) }
    }

    // MARK: The thread

    private struct Link {
        var client: Int32
        var server: Int32
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        var isOver = false
    }

    private func run() {
        var links: [Link] = []
        defer {
            for link in links { Self.close(link) }
            state.withLock { (state) in
                for descriptor in [listener, wakeDescriptors.read, wakeDescriptors.write] { Glibc.close(descriptor) }
                state.hasEnded = true
            }
        }
        while true {
            let (mode, stops) = state.withLock { (state) in
                if state.cutRequested {
                    for link in links { Self.close(link) }
                    links = []
                }
                state.cutRequested = false
                state.appliedChanges = state.changes
                return (state.mode, state.isStopped)
            }
            if stops { return }
            var descriptors = [
                pollfd(fd: wakeDescriptors.read, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            ]
            if mode == .forwarding {
                for link in links { descriptors += Self.interest(of: link) }
            }
            guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { continue }
            // A change comes first: what is ready is looked at again under the new rules.
            if drainWakes() { continue }
            if mode == .forwarding {
                for index in links.indices { move(&links[index]) }
                for link in links where link.isOver { Self.close(link) }
                links.removeAll { $0.isOver }
            }
            accept(into: &links, mode)
        }
    }

    private func accept(into links: inout [Link], _ mode: Mode) {
        let client = Glibc.accept(listener, nil, nil)
        guard client >= 0 else { return }
        guard mode != .refusing, let server = connectUpstream() else {
            Glibc.close(client)
            return
        }
        _ = fcntl(client, F_SETFL, O_NONBLOCK)
        _ = fcntl(server, F_SETFL, O_NONBLOCK)
        links.append(Link(client: client, server: server))
    }

    /// Whether there were any.
    private func drainWakes() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 64)
        var isWoken = false
        while read(wakeDescriptors.read, &bytes, bytes.count) > 0 { isWoken = true }
        return isWoken
    }

    /// A side is read only while the other side has taken what was read before.
    private static func interest(of link: Link) -> [pollfd] {
        let clientEvents = (link.toServer.isEmpty ? POLLIN : 0) | (link.toClient.isEmpty ? 0 : POLLOUT)
        let serverEvents = (link.toClient.isEmpty ? POLLIN : 0) | (link.toServer.isEmpty ? 0 : POLLOUT)
        return [
            pollfd(fd: link.client, events: Int16(clientEvents), revents: 0),
            pollfd(fd: link.server, events: Int16(serverEvents), revents: 0),
        ]
    }

    private func move(_ link: inout Link) {
        link.isOver =
            !Self.pump(from: link.client, to: link.server, &link.toServer) { nil }
            || !Self.pump(from: link.server, to: link.client, &link.toClient) {
                state.withLock { (state) in
                    defer { state.replacement = nil }
                    return state.replacement
                }
            }
    }

    /// Moves what is there; false when either side is over.
    /// - Parameter takeReplacement: what goes on in place of what was read.
    private static func pump(
        from source: Int32, to target: Int32, _ pending: inout [UInt8], _ takeReplacement: () -> [UInt8]?
    ) -> Bool {
        if pending.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(source, &buffer, buffer.count, 0)
            if count == 0 { return false }
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            pending = takeReplacement() ?? Array(buffer[..<count])
        }
        let count = send(target, pending, pending.count, Int32(MSG_NOSIGNAL))
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        pending.removeFirst(count)
        return true
    }

    private static func close(_ link: Link) {
        Glibc.close(link.client)
        Glibc.close(link.server)
    }

    // MARK: Sockets

    private static func listen() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { (pointer) in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { (generic) in
                bind(descriptor, generic, length) == 0 && Glibc.listen(descriptor, 64) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isBound else { throw PostgresTestError("the fault proxy cannot listen: errno \(errno)") }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private func connectUpstream() -> Int32? {
        switch upstream {
        case .tcp(let port):
            var address = Self.loopback(port: UInt16(port))
            return Self.connect(AF_INET, &address)
        case .unixSocket(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
            return Self.connect(AF_UNIX, &address)
        }
    }

    private static func connect<Address>(_ family: Int32, _ address: inout Address) -> Int32? {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = withUnsafePointer(to: &address) { (pointer) in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { (generic) in
                Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
        if isConnected { return descriptor }
        Glibc.close(descriptor)
        return nil
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
