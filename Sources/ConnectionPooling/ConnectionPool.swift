import Synchronization

/// What a pool asks of its connections.
public protocol PooledConnection: Sendable {
    /// Whether the connection can be lent; false for good once it is over.
    var isUsable: Bool { get }

    /// Brings the connection into the state of a new one, or ends it. Called when a caller gives it back.
    func prepareForReuse() async

    func close() async

    /// Calls `handler` once when the connection is over; at once if it is already.
    func whenClosed(_ handler: @escaping @Sendable () -> Void)
}

/// Lends a bounded number of connections to any number of callers.
///
/// The rules are in `PoolStateMachine`; this class takes the lock, has the rules judge one event, and then, without the lock, does
/// what they say. Connections are opened and closed, and time is kept, by child tasks of `run()`.
public final class ConnectionPool<Connection: PooledConnection, PoolClock: Clock>: Sendable
where PoolClock.Duration == Duration {
    private typealias StateMachine = PoolStateMachine<
        Connection, CheckedContinuation<LeasedConnection, any Error>, PoolClock.Instant
    >

    fileprivate struct LeasedConnection: Sendable {
        let slot: Int
        let connection: Connection
    }

    private enum Work: Sendable {
        case connect(slot: Int)
        case close(Connection)
        case tick(at: PoolClock.Instant)
        case cancelRemaining
    }

    private let limits: PoolLimits
    private let clock: PoolClock
    private let connect: @Sendable () async throws -> Connection
    private let isPermanentFailure: @Sendable (any Error) -> Bool
    private let state: Mutex<StateMachine>
    private let nextWaiter = Atomic<Int>(0)
    private let hasRun = Atomic<Bool>(false)
    private let works: AsyncStream<Work>
    /// Bounded by the number of connections and of callers: each item is about one of them.
    private let workContinuation: AsyncStream<Work>.Continuation

    /// - Parameters:
    ///   - connect: opens a connection, within a time limit of its own.
    ///   - isPermanentFailure: whether an error of `connect` would come again, so that trying again is in vain.
    public init(
        limits: PoolLimits, clock: PoolClock, connect: @escaping @Sendable () async throws -> Connection,
        isPermanentFailure: @escaping @Sendable (any Error) -> Bool
    ) {
        self.limits = limits
        self.clock = clock
        self.connect = connect
        self.isPermanentFailure = isPermanentFailure
        self.state = Mutex(StateMachine(limits: limits))
        (works, workContinuation) = AsyncStream.makeStream(of: Work.self)
    }

    /// Whether `run()` has been called. Before that, callers wait without a deadline.
    public var isRunning: Bool { hasRun.load(ordering: .acquiring) }

    public var statistics: PoolStatistics { state.withLock { $0.statistics } }

    /// Lends a connection for the duration of `body`.
    ///
    /// - Parameter deadline: how long to wait for one; the limits' `leaseDeadline` by default.
    /// - Throws: `PoolError`, or what `body` throws.
    public func withConnection<T>(
        deadline: Duration? = nil, _ body: (Connection) async throws -> T
    ) async throws -> T {
        let leased = try await lease(until: clock.now.advanced(by: deadline ?? limits.leaseDeadline))
        do {
            let result = try await body(leased.connection)
            await giveBack(leased)
            return result
        } catch {
            await giveBack(leased)
            throw error
        }
    }

    /// Serves the pool until it has shut down, which the cancellation of the task begins. Returns when the last
    /// connection on loan has come back and all are closed. Call once.
    public func run() async {
        let wasRun = hasRun.exchange(true, ordering: .acquiringAndReleasing)
        precondition(!wasRun, "run() of a pool was called twice")
        // A task of its own, because shutting down still takes work after this one has been cancelled.
        let worker = Task { await self.processWork() }
        await withTaskCancellationHandler {
            await worker.value
        } onCancel: {
            shutDown()
        }
    }

    /// Begins to shut down: callers that wait or come later fail, connections on loan are closed when they come back.
    public func shutDown() {
        update { (state, _) in state.shutDown() }
        workContinuation.yield(.cancelRemaining)
    }

    // MARK: Leases

    private func lease(until deadline: PoolClock.Instant) async throws -> LeasedConnection {
        while true {
            let identifier = nextWaiter.add(1, ordering: .relaxed).oldValue
            let leased = try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { (continuation) in
                    update { (state, now) in
                        state.lease(continuation, identifier: identifier, deadline: deadline, now: now)
                    }
                    // A cancellation before the caller was in the queue has found nobody to remove.
                    if Task.isCancelled { update { (state, _) in state.cancel(identifier) } }
                }
            } onCancel: {
                update { (state, _) in state.cancel(identifier) }
            }
            if leased.connection.isUsable { return leased }
            update { (state, now) in state.release(leased.slot, isUsable: false, now: now) }
        }
    }

    private func giveBack(_ leased: LeasedConnection) async {
        await leased.connection.prepareForReuse()
        let isUsable = leased.connection.isUsable
        update { (state, now) in state.release(leased.slot, isUsable: isUsable, now: now) }
    }

    // MARK: Events and actions

    private func update(_ event: (inout StateMachine, PoolClock.Instant) -> StateMachine.Actions) {
        let now = clock.now
        let actions = state.withLock { event(&$0, now) }
        for (continuation, lease) in actions.grants {
            continuation.resume(returning: LeasedConnection(slot: lease.slot, connection: lease.connection))
        }
        for (continuation, error) in actions.failures { continuation.resume(throwing: error) }
        for slot in actions.connects { workContinuation.yield(.connect(slot: slot)) }
        for connection in actions.closes { workContinuation.yield(.close(connection)) }
        if let instant = actions.wakeAt { workContinuation.yield(.tick(at: instant)) }
        if actions.isShutDown { workContinuation.finish() }
    }

    private func processWork() async {
        await withDiscardingTaskGroup { (group) in
            for await work in works {
                switch work {
                case .connect(let slot): group.addTask { await self.open(slot) }
                case .close(let connection): group.addTask { await connection.close() }
                case .tick(let instant): group.addTask { await self.tick(at: instant) }
                case .cancelRemaining: group.cancelAll()
                }
            }
            group.cancelAll()
        }
    }

    private func open(_ slot: Int) async {
        do {
            let connection = try await connect()
            update { (state, now) in state.connected(slot, connection, now: now) }
            // Afterwards, so that a connection that is over already is found in its slot.
            connection.whenClosed { [weak self] in
                self?.update { (state, _) in state.connectionClosed(slot) }
            }
        } catch {
            let isPermanent = isPermanentFailure(error)
            update { (state, now) in state.connectFailed(slot, error, isPermanent: isPermanent, now: now) }
        }
    }

    private func tick(at instant: PoolClock.Instant) async {
        do {
            try await clock.sleep(until: instant, tolerance: nil)
        } catch {
            return  // The pool is shutting down.
        }
        update { (state, now) in state.tick(now: now) }
    }
}
