internal import Glibc

/// What a socket is waited for.
struct SocketInterest: OptionSet {
    let rawValue: UInt8
    static let read = SocketInterest(rawValue: 1)
    static let write = SocketInterest(rawValue: 2)
}

struct SocketReadiness {
    /// Includes errors and hang-ups: the next read reports them.
    var isReadable: Bool
    var isWritable: Bool
    var wasWoken: Bool
}

/// Waits until the socket is ready, the pipe is written to, or the deadline passes (then nothing is ready).
///
/// A negative socket is left out of the wait.
func waitForSocket(
    _ socket: Int32, for interest: SocketInterest, wake: WakePipe, until deadline: ContinuousClock.Instant?
) -> SocketReadiness {
    var events: Int16 = 0
    if interest.contains(.read) { events |= Int16(POLLIN) }
    if interest.contains(.write) { events |= Int16(POLLOUT) }
    var descriptors = [
        pollfd(fd: wake.readDescriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: socket, events: events, revents: 0),
    ]
    while true {
        let ready = unsafe poll(&descriptors, 2, milliseconds(until: deadline))
        // A signal is no reason to return, and shortens no deadline: it is an instant, not a span.
        if ready < 0 && errno == EINTR { continue }
        break
    }
    let failure = Int16(POLLERR) | Int16(POLLHUP) | Int16(POLLNVAL)
    let woken = descriptors[0].revents != 0
    if woken { wake.drain() }
    let found = descriptors[1].revents
    return SocketReadiness(
        isReadable: found & (Int16(POLLIN) | failure) != 0,
        isWritable: found & (Int16(POLLOUT) | failure) != 0,
        wasWoken: woken)
}

/// The time left as `poll` wants it: rounded up, so that it never returns early in a tight loop; -1 for ever.
private func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
    guard let deadline else { return -1 }
    let left = ContinuousClock.now.duration(to: deadline)
    guard left > .zero else { return 0 }
    let (seconds, attoseconds) = left.components
    guard seconds < 1_000_000 else { return 1_000_000_000 }
    let roundedUp = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(clamping: seconds * 1_000 + roundedUp)
}
