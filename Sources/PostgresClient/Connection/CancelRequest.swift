import Synchronization

/// A request to the server to stop what a connection runs, sent from a thread of its own because `PQcancel` blocks.
final class CancelRequest: Sendable {
    private static let inFlight = Atomic<Int>(0)
    private let finished = Atomic<Bool>(false)

    /// Whether the server has taken the request, or could not be reached. From then on the request can no longer
    /// hit a statement that is sent later.
    var isFinished: Bool { finished.load(ordering: .acquiring) }

    private init() {}

    /// Sends the request, and wakes the connection's thread when it is done.
    ///
    /// Returns nil when too many requests are stuck already; then the connection should be given up.
    static func start(_ handle: LibpqCancelHandle, wake: WakePipe) -> CancelRequest? {
        guard inFlight.add(1, ordering: .relaxed).newValue <= Limits.concurrentCancelRequests else {
            inFlight.subtract(1, ordering: .relaxed)
            return nil
        }
        let request = CancelRequest()
        do {
            try startThread {
                handle.cancelBlocking()
                inFlight.subtract(1, ordering: .relaxed)
                request.finished.store(true, ordering: .releasing)
                wake.wake()
            }
        } catch {
            inFlight.subtract(1, ordering: .relaxed)
            return nil
        }
        return request
    }
}

/// Whether the task that waits for a statement has been cancelled; set from any thread.
final class CancellationFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    private let wakePipe: WakePipe

    init(wakePipe: WakePipe) {
        self.wakePipe = wakePipe
    }

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() {
        flag.store(true, ordering: .releasing)
        wakePipe.wake()
    }
}
