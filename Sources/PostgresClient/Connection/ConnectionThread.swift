internal import Glibc
import Synchronization

/// The executor of one connection's actor: a thread of its own, so that waiting for PostgreSQL never takes a thread from
/// Swift's cooperative pool.
///
/// Between jobs the thread sleeps in `poll` on its wake pipe and, when asked to, on the connection's socket, so that
/// notifications and a closing server are noticed without any statement.
final class ConnectionThread: SerialExecutor {
    /// What to do when the socket becomes readable while no job is there.
    struct Watch: Sendable {
        var socket: Int32
        /// Runs on the thread, with the actor's isolation.
        var onReadable: @Sendable () -> Void
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var isParked = false
        var isStopped = false
        var watch: Watch?
    }

    private let state = Mutex(State())
    private let threadIdentifier = Atomic<UInt>(0)
    let wakePipe: WakePipe

    /// Starts the thread. It ends after `stop()`.
    init() throws(PostgresError) {
        wakePipe = try WakePipe()
        try startThread { self.run() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isParked = state.withLock { (state) in
            state.jobs.append(job)
            return state.isParked
        }
        if isParked { wakePipe.wake() }
    }

    func checkIsolated() {
        precondition(pthread_self() == threadIdentifier.load(ordering: .acquiring), "not on the connection's thread")
    }

    /// Watches the socket between jobs; nil ends that. Call on the thread.
    func watch(_ watch: Watch?) {
        state.withLock { $0.watch = watch }
    }

    /// Lets the thread end once its jobs are done.
    func stop() {
        state.withLock { $0.isStopped = true }
        wakePipe.wake()
    }

    private enum Next {
        case run([UnownedJob])
        case park(Watch?)
        case end
    }

    private func run() {
        threadIdentifier.store(pthread_self(), ordering: .releasing)
        while true {
            let next = state.withLock { (state) -> Next in
                state.isParked = false
                if !state.jobs.isEmpty {
                    defer { state.jobs.removeAll(keepingCapacity: true) }
                    return .run(state.jobs)
                }
                if state.isStopped { return .end }
                state.isParked = true
                return .park(state.watch)
            }
            switch next {
            case .run(let jobs):
                for job in jobs { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
            case .park(let watch):
                let readiness = waitForSocket(watch?.socket ?? -1, for: .read, wake: wakePipe, until: nil)
                // A job that came meanwhile goes first: it may change what is watched.
                if readiness.isReadable, !readiness.wasWoken { watch?.onReadable() }
            case .end:
                return
            }
        }
    }
}

/// Runs `body` on a new, detached thread.
func startThread(_ body: @escaping @Sendable () -> Void) throws(PostgresError) {
    let box = unsafe Unmanaged.passRetained(ThreadBody(body))
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    unsafe pthread_attr_setstacksize(&attributes, Limits.threadStackBytes)
    var thread = pthread_t()
    let result = unsafe pthread_create(&thread, &attributes, runThreadBody, box.toOpaque())
    if result != 0 {
        unsafe box.release()
        throw PostgresError(
            .connectionFailed, "no thread could be started", detail: "pthread_create returned \(result)")
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

private func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let body = unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
    body.run()
    return nil
}
