public import Logging
public import NIOCore
public import ServiceLifecycle
internal import Synchronization

/// One pipelined connection per event loop, each made again when it breaks.
///
/// Connections exist while ``run()`` runs. While none is up, commands fail at once with `notConnected`: nothing waits
/// for a server that is away.
public final class RedisClient: RedisExecutor, Service {
    private let configuration: RedisConfiguration
    private let eventLoops: [any EventLoop]
    private let indices: [ObjectIdentifier: Int]
    private let backoff: ReconnectBackoff
    private let logger: Logger
    private let metrics: RedisMetrics
    private let state: Mutex<State>
    private let turn = Atomic<UInt>(0)

    private struct State {
        var directory: ConnectionDirectory<RedisConnection>
        var waiters: [UInt64: CheckedContinuation<Result<Void, RedisError>, Never>] = [:]
        /// Waiters cancelled before they were registered.
        var cancelledWaiters: Set<UInt64> = []
        var nextWaiterID: UInt64 = 0
    }

    /// - Parameters:
    ///   - eventLoopGroup: a `MultiThreadedEventLoopGroup`.
    ///   - maximumConnections: how many of its loops get a connection, the first ones; at least one.
    public init(
        configuration: RedisConfiguration,
        eventLoopGroup: any EventLoopGroup,
        maximumConnections: Int = .max,
        logger: Logger
    ) {
        let loops = Array(eventLoopGroup.makeIterator().prefix(max(1, maximumConnections)))
        self.configuration = configuration
        eventLoops = loops
        indices = Dictionary(loops.enumerated().map { (ObjectIdentifier($1), $0) }) { first, _ in first }
        backoff = ReconnectBackoff(
            initialDelay: configuration.initialReconnectDelay, maximumDelay: configuration.maximumReconnectDelay)
        var logger = logger
        logger[metadataKey: "redis"] = "\(configuration.endpoint)"
        logger[metadataKey: "client"] = "\(configuration.clientName)"
        self.logger = logger
        metrics = RedisMetrics(client: configuration.clientName, maximumConnections: loops.count)
        state = Mutex(State(directory: ConnectionDirectory(count: loops.count)))
    }

    // MARK: Running

    /// Makes the connections and keeps them until the task is cancelled or a graceful shutdown begins; then waits for
    /// the replies that are still wanted and closes them.
    ///
    /// - Throws: ``RedisError`` with code `closed` when called a second time.
    public func run() async throws {
        guard state.withLock({ $0.directory.start() }) else {
            throw RedisError(.closed, "a Redis client runs once")
        }
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for index in self.eventLoops.indices {
                    group.addTask { await self.keepConnected(index) }
                }
            }
        }
        update { $0.stop() }
    }

    private func keepConnected(_ index: Int) async {
        var failures = 0
        var isFirst = true
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            defer { isFirst = false }
            do {
                let lifetime = try await serve(index, isFirst: isFirst)
                failures = lifetime >= ReconnectBackoff.stableAfter ? 0 : failures + 1
            } catch {
                failures += 1
                if Task.isCancelled { break }
                metrics.countFailedConnect()
                // The first of a row is news; the rest are the same news.
                logger.log(
                    level: failures == 1 ? .warning : .debug, "could not connect to Redis",
                    metadata: ["error": "\(error)", "failures": "\(failures)"])
                update { $0.setDown(error, at: index) }
            }
            // The loss of a stable connection is retried at once, everything else after a delay.
            try? await Task.sleep(for: backoff.delay(afterFailures: failures, using: &generator))
        }
    }

    /// Connects and stays until the connection ends.
    ///
    /// - Parameter isFirst: whether none was tried in this place before.
    /// - Returns: how long it lived.
    private func serve(_ index: Int, isFirst: Bool) async throws(RedisError) -> Duration {
        let generation = state.withLock { $0.directory.makeGeneration() }
        let connection = try await RedisConnection.connect(
            configuration, on: eventLoops[index], generation: generation, metrics: metrics, logger: logger)
        let start = ContinuousClock.now
        var outage: Duration?
        update { outage = $0.setUp(connection, at: index) }
        if !isFirst { metrics.countReconnect() }
        if let outage {
            // Once for all connections, whose loss was told one by one.
            logger.notice(
                "all connections to Redis are up again",
                metadata: ["away_ms": "\(Int64(outage / .milliseconds(1)))", "run_id": "\(connection.runID)"])
        }
        await withTaskCancellationHandler {
            // The close future never fails.
            try? await connection.closeFuture.get()
        } onCancel: {
            connection.beginClose()
        }
        update { $0.setDown(RedisError(.connectionLost, "the connection was lost"), at: index) }
        if !Task.isCancelled {
            logger.warning("lost the connection to Redis", metadata: ["generation": "\(generation)"])
        }
        return ContinuousClock.now - start
    }

    /// Changes the directory, then wakes who waits for the outcome.
    private func update(_ change: (inout ConnectionDirectory<RedisConnection>) -> Void) {
        let resumptions: [() -> Void] = state.withLock { state in
            change(&state.directory)
            metrics.set(connections: state.directory.connections.count)
            guard let result = state.directory.readiness.result else { return [] }
            defer { state.waiters.removeAll() }
            return state.waiters.values.map { waiter in { waiter.resume(returning: result) } }
        }
        for resume in resumptions { resume() }
    }

    // MARK: Connections

    /// The connections that are up now, with their generation and the server's `run_id`.
    public var connections: [RedisConnection] {
        state.withLock { $0.directory.connections }
    }

    /// The connection that lives on `eventLoop`; nil while it is down, and for a loop this client has none on.
    public func connection(for eventLoop: any EventLoop) -> RedisConnection? {
        guard let index = indices[ObjectIdentifier(eventLoop)] else { return nil }
        return state.withLock { $0.directory.connection(at: index) }
    }

    /// Some connection that is up; they take turns.
    ///
    /// - Throws: `notConnected` when none is, `closed` after the client stopped.
    public func connection() throws(RedisError) -> RedisConnection {
        let start = Int(turn.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(max(1, eventLoops.count)))
        do throws(RedisError) {
            return try state.withLock { $0.directory.pick(from: start) }.get()
        } catch {
            metrics.countFailure(error.code)
            throw error
        }
    }

    /// Which server and database this is a client of; see `RedisConfiguration.endpoint`.
    public var endpoint: String { configuration.endpoint }

    /// Returns when a connection is up. ``run()`` must be running beside it.
    ///
    /// - Throws: ``RedisError``: why connecting failed, once an attempt on every loop has failed; `cancelled`.
    public func waitUntilConnected() async throws(RedisError) {
        let id = state.withLock { state in
            defer { state.nextWaiterID += 1 }
            return state.nextWaiterID
        }
        let result: Result<Void, RedisError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Result<Void, RedisError>? = state.withLock { state in
                    if state.cancelledWaiters.remove(id) != nil { return .failure(Self.cancelled) }
                    if let result = state.directory.readiness.result { return result }
                    state.waiters[id] = continuation
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: id)
                if waiter == nil { state.cancelledWaiters.insert(id) }
                return waiter
            }
            waiter?.resume(returning: .failure(Self.cancelled))
        }
        _ = state.withLock { $0.cancelledWaiters.remove(id) }
        try result.get()
    }

    private static let cancelled = RedisError(.cancelled, "the task was cancelled")

    // MARK: Commands

    public func execute(_ command: RedisCommand) async throws(RedisError) -> RedisReply {
        try await connection().execute(command)
    }

    public func execute(_ commands: [RedisCommand]) async throws(RedisError) -> [Result<RedisReply, RedisError>] {
        try await connection().execute(commands)
    }
}

extension ConnectionDirectory.Readiness {
    fileprivate var result: Result<Void, RedisError>? {
        switch self {
        case .pending: nil
        case .ready: .success(())
        case .failed(let error): .failure(error)
        }
    }
}
