internal import ConnectionPooling
public import Logging
public import ServiceLifecycle

/// Lends connections to one server, opens them when they are needed and replaces those that broke.
///
/// The pool works while `run()` does: in a service, put it into the service group, before those who use it; in a command, use
/// `withPostgresPool`.
public final class PostgresPool: Service, Sendable {
    private let pool: ConnectionPool<PooledPostgresConnection, ContinuousClock>
    private let configuration: PostgresConfiguration
    private let limits: PostgresPoolLimits
    private let logger: Logger

    public init(
        configuration: PostgresConfiguration, limits: PostgresPoolLimits = PostgresPoolLimits(),
        logger: Logger = Logger(label: "larder.postgres")
    ) {
        self.configuration = configuration
        self.limits = limits
        self.logger = logger
        self.pool = ConnectionPool(
            limits: limits.poolLimits, clock: ContinuousClock(),
            connect: {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                return PooledPostgresConnection(connection: connection)
            },
            isPermanentFailure: { ($0 as? PostgresError)?.isPermanentConnectFailure ?? false })
    }

    /// Lends a connection for the duration of `body`. It goes back without an open transaction or COPY.
    ///
    /// Settings that `body` makes for the session stay with the connection: use `SET LOCAL` in a transaction.
    ///
    /// - Parameter deadline: how long to wait for a connection; the limits' `leaseDeadline` by default.
    /// - Throws: what `body` throws, or `PostgresError` with code `poolExhausted`, `poolDeadline`, `poolUnavailable`,
    ///   `poolShutDown` or `cancelled`.
    public func withConnection<T>(
        deadline: Duration? = nil, file: String = #fileID, line: Int = #line,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        if !pool.isRunning { logger.debug("a connection was asked for before run(); the caller waits for that") }
        do {
            return try await pool.withConnection(deadline: deadline) { (pooled) in try await body(pooled.connection) }
        } catch let error as PoolError {
            throw describe(error, deadline: deadline).issued(at: CallSite(file: file, line: line))
        }
    }

    /// Opens connections before they are asked for, side by side. What goes wrong shows when one is.
    public func openAhead(_ count: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<count { group.addTask { try? await self.withConnection { _ in } } }
        }
    }

    /// Lends a connection with a transaction open on it; see `PostgresConnection.transaction`.
    public func withTransaction<T>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false, file: String = #fileID,
        line: Int = #line, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await withConnection(file: file, line: line) { (connection) in
            try await connection.transaction(isolation: isolation, readOnly: readOnly, file: file, line: line, body)
        }
    }

    /// Serves the pool until graceful shutdown or cancellation, and then until the last connection on loan is back.
    public func run() async {
        await withGracefulShutdownHandler {
            await pool.run()
        } onGracefulShutdown: { [pool] in
            pool.shutDown()
        }
    }

    public var statistics: PostgresPoolStatistics {
        let statistics = pool.statistics
        return PostgresPoolStatistics(
            maximumConnections: limits.poolLimits.maximumConnections, idleConnections: statistics.idle,
            leasedConnections: statistics.leased, connectingConnections: statistics.connecting,
            waitingCallers: statistics.waiting,
            refusedCallers: PostgresPoolStatistics.Refusals(
                queueFull: statistics.refusals.waitersExhausted, deadline: statistics.refusals.deadlineExceeded,
                unavailable: statistics.refusals.unavailable), isBreakerOpen: statistics.isBreakerOpen)
    }

    func shutDown() {
        pool.shutDown()
    }

    private func describe(_ error: PoolError, deadline: Duration?) -> PostgresError {
        switch error {
        case .waitersExhausted(let limit):
            return PostgresError(
                .poolExhausted, "all connections are taken and \(limit) callers wait already",
                hint: "try again later, or raise the pool's limits")
        case .leaseDeadlineExceeded:
            return PostgresError(
                .poolDeadline, "no connection came free within \(deadline ?? limits.leaseDeadline)",
                hint: "all \(limits.maximumConnections) were taken, or none could be opened in time")
        case .unavailable(let reason):
            guard var error = reason as? PostgresError else {
                return PostgresError(.poolUnavailable, "connecting to \(configuration) failed")
            }
            error.code = .poolUnavailable
            return error
        case .shutDown:
            return PostgresError(.poolShutDown, "the connection pool has been shut down")
        case .cancelled:
            return PostgresError(.cancelled, "the task was cancelled while it waited for a connection")
        }
    }
}

/// Runs `body` with a pool of its own, which is shut down afterwards.
public func withPostgresPool<T>(
    _ configuration: PostgresConfiguration, limits: PostgresPoolLimits = PostgresPoolLimits(),
    logger: Logger = Logger(label: "larder.postgres"), _ body: (PostgresPool) async throws -> T
) async throws -> T {
    let pool = PostgresPool(configuration: configuration, limits: limits, logger: logger)
    // Not a child task: a body that is cancelled still gives its connections back through a pool that works.
    let running = Task { await pool.run() }
    do {
        let result = try await body(pool)
        pool.shutDown()
        await running.value
        return result
    } catch {
        pool.shutDown()
        await running.value
        throw error
    }
}

/// The pool's view of a connection.
private struct PooledPostgresConnection: PooledConnection {
    let connection: PostgresConnection

    var isUsable: Bool { !connection.isBroken }

    func prepareForReuse() async {
        await connection.rollBack()
    }

    func close() async {
        await connection.close()
    }

    func whenClosed(_ handler: @escaping @Sendable () -> Void) {
        connection.whenClosed(handler)
    }
}
