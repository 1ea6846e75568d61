public import Logging
import Synchronization

/// One session with a PostgreSQL server.
///
/// An actor on a thread of its own: a statement is sent and its result awaited in one step on that thread, so statements
/// of concurrent callers never interleave and a wait never blocks Swift's cooperative pool. A call ends by its result,
/// its deadline or the cancellation of its task; in the latter two cases the server is asked to stop, and the
/// connection stays usable if it does so within seconds, else it is closed.
///
/// Use a direct connection or session pooling: statements rely on the session's settings.
public actor PostgresConnection {
    /// A number that is unique among the connections of this process.
    public nonisolated let id: Int
    nonisolated let thread: ConnectionThread
    nonisolated let lifecycle = ConnectionLifecycle()
    nonisolated let configuration: PostgresConfiguration
    nonisolated let logger: Logger

    private var libpq: LibpqConnection?
    /// Why there is no `libpq`.
    private var endReason = PostgresError(.connectionClosed, "the connection is closed")
    var activity = Activity.none
    /// The part of a COPY's rows that has arrived and was not taken.
    var copyAssembler = CopyOutAssembler()
    /// The transaction whose body is running.
    var openTransaction: TransactionToken?

    /// What keeps the session from taking a statement.
    enum Activity: Equatable {
        case none
        case copyOut(Int)
        case copyIn(Int)
    }

    private static let nextIdentifier = Atomic<Int>(1)

    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    private init(configuration: PostgresConfiguration, logger: Logger) throws(PostgresError) {
        self.id = Self.nextIdentifier.add(1, ordering: .relaxed).oldValue
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: "postgres_connection"] = "\(id)"
        self.logger = logger
        self.thread = try ConnectionThread()
    }

    deinit {
        thread.stop()
    }

    /// Opens a session, within the configuration's `connectTimeout`.
    ///
    /// - Throws: `PostgresError` with code `connectionFailed` (with the SQLSTATE where the server answered),
    ///   `invalidConfiguration` or `cancelled`.
    public static func connect(
        _ configuration: PostgresConfiguration, logger: Logger = Logger(label: "larder.postgres"),
        file: String = #fileID, line: Int = #line
    ) async throws(PostgresError) -> PostgresConnection {
        do {
            let connection = try PostgresConnection(configuration: configuration, logger: logger)
            try await connection.open()
            return connection
        } catch {
            throw error.issued(at: CallSite(file: file, line: line))
        }
    }

    /// Whether the session is over: closed, lost, or given up after a statement that could not be stopped.
    public nonisolated var isBroken: Bool { lifecycle.isOver }

    /// The process in the server that serves this session, as in `pg_stat_activity.pid`.
    public nonisolated var backendProcessID: Int32 { lifecycle.backendProcessID }

    /// Calls `handler` once, on any thread, when the session is over; at once if it is already.
    public nonisolated func whenClosed(_ handler: @escaping @Sendable () -> Void) {
        lifecycle.whenOver(handler)
    }

    /// Ends the session. A statement that is running ends first.
    public func close() {
        end(PostgresError(.connectionClosed, "the connection is closed"))
    }

    // MARK: Opening and ending

    private func open() async throws(PostgresError) {
        let flag = CancellationFlag(wakePipe: thread.wakePipe)
        let wait = StatementWait(
            deadline: .now + configuration.connectTimeout, cancellation: flag, wakePipe: thread.wakePipe)
        let outcome = await withTaskCancellationHandler {
            openBlocking(wait)
        } onCancel: {
            flag.set()
        }
        try outcome.get()
    }

    private func openBlocking(_ wait: StatementWait) -> Result<Void, PostgresError> {
        do throws(PostgresError) {
            try wait.check()
            let libpq = try LibpqConnection(parameters: configuration.connectionParameters(), logger: logger)
            var step = LibpqConnection.Step.waitForWrite
            while step != .done {
                _ = try wait.wait(for: step == .waitForWrite ? .write : .read, on: libpq)
                step = try libpq.pollConnect()
            }
            try libpq.setNonBlocking()
            self.libpq = libpq
            lifecycle.begin(backendProcessID: libpq.backendProcessID)
            watchSocket()
            return .success(())
        } catch {
            let timedOut = PostgresError(
                .connectionFailed, "no session within \(configuration.connectTimeout)",
                hint: "check address and network, or raise the connect timeout")
            let failure = error.code == .timeout ? timedOut : error
            end(failure)
            return .failure(failure)
        }
    }

    /// Frees the session and tells everyone who listens. Without effect once it is over.
    private func end(_ reason: PostgresError) {
        thread.watch(nil)
        if libpq != nil { endReason = reason }
        libpq = nil
        activity = .none
        lifecycle.end()
    }

    /// The session is no longer to be trusted: later calls fail with `connectionLost`.
    func giveUp(_ reason: PostgresError) {
        guard libpq != nil else { return }
        logger.debug("connection lost", metadata: ["reason": "\(reason)"])
        end(reason.recoded(.connectionLost))
    }

    // MARK: Running

    /// One call of the public API.
    struct Call {
        var site: CallSite
        var sql: String?
        var timeout: Duration?
        var isCancellable = true
        /// The activity during which the call is allowed.
        var activity = Activity.none
    }

    /// Runs `body` under the call's deadline and the task's cancellation, and leaves the session idle or over.
    func perform<R: Sendable>(
        _ call: Call, _ body: (LibpqConnection, StatementWait) throws(PostgresError) -> R
    ) async throws(PostgresError) -> R {
        let flag = call.isCancellable ? CancellationFlag(wakePipe: thread.wakePipe) : nil
        let outcome = await withTaskCancellationHandler {
            performBlocking(call, flag, body)
        } onCancel: {
            flag?.set()
        }
        return try outcome.get()
    }

    private func performBlocking<R>(
        _ call: Call, _ flag: CancellationFlag?,
        _ body: (LibpqConnection, StatementWait) throws(PostgresError) -> R
    ) -> Result<R, PostgresError> {
        do throws(PostgresError) {
            let libpq = try session(for: call)
            let wait = StatementWait(
                deadline: deadline(for: call.timeout), cancellation: flag, wakePipe: thread.wakePipe)
            defer { settle() }
            do throws(PostgresError) {
                try wait.check()
                return .success(try body(libpq, wait))
            } catch {
                if error.code == .timeout || error.code == .cancelled {
                    windDown()
                } else if libpq.isBad {
                    giveUp(error)
                }
                throw error
            }
        } catch {
            return .failure(error.issued(at: call.site, sql: call.sql))
        }
    }

    private func session(for call: Call) throws(PostgresError) -> LibpqConnection {
        guard let libpq else { throw endReason }
        guard activity == call.activity else {
            throw activity == .none
                ? PostgresError(.invalidQuery, "the COPY has ended already")
                : PostgresError(
                    .connectionBusy, "a COPY is in progress on this connection", hint: "finish or cancel it first")
        }
        guard openTransaction.map({ TransactionToken.current.contains($0) }) ?? true else {
            throw PostgresError(
                .connectionBusy, "another task's transaction is open on this connection",
                hint: "take a connection of your own from the pool")
        }
        return libpq
    }

    private func deadline(for timeout: Duration?) -> ContinuousClock.Instant? {
        if let timeout { return .now + timeout }
        return configuration.statementTimeout.map { .now + $0 + Limits.statementTimeoutMargin }
    }

    /// Stops what the server runs, and reads on until the session is idle; gives it up when that takes too long.
    func windDown() {
        guard let libpq, libpq.transactionStatus == .active else { return }
        do throws(PostgresError) {
            try stop(libpq, until: .now + Limits.cancelGrace)
            activity = .none
        } catch {
            giveUp(
                PostgresError(.connectionLost, "the statement could not be stopped", detail: error.debugDescription))
        }
    }

    /// Asks the server to stop until it does. Once may not be enough: a request that overtakes the statement finds an
    /// idle server, which ignores it.
    private func stop(
        _ libpq: LibpqConnection, until deadline: ContinuousClock.Instant
    ) throws(PostgresError) {
        var isIdle = false
        while !isIdle {
            guard let handle = libpq.makeCancelHandle(),
                let request = CancelRequest.start(handle, wake: thread.wakePipe)
            else { throw PostgresError(.connectionLost, "no cancel request could be sent") }
            isIdle = try drain(libpq, until: min(deadline, .now + Limits.cancelRetryInterval))
            // Before the request is done, it could hit the next statement.
            let wait = StatementWait(deadline: deadline, cancellation: nil, wakePipe: thread.wakePipe)
            try wait.wait(for: request)
            if !isIdle { try wait.check() }
        }
    }

    /// Reads and drops what the server sends; false when it is not done by the deadline.
    private func drain(
        _ libpq: LibpqConnection, until deadline: ContinuousClock.Instant
    ) throws(PostgresError) -> Bool {
        let wait = StatementWait(deadline: deadline, cancellation: nil, wakePipe: thread.wakePipe)
        do throws(PostgresError) {
            _ = try wait.lastResult(of: libpq)
            return true
        } catch {
            switch error.code {
            case .timeout: return false
            case .server, .invalidQuery: return true
            default: throw error
            }
        }
    }

    /// Ends a COPY that nobody will finish.
    func abandonActivity() {
        windDown()
        copyAssembler = CopyOutAssembler()
        settle()
    }

    // MARK: Between statements

    /// Passes on what arrived beside results, and keeps an eye on the socket unless a COPY fills it.
    private func settle() {
        deliverNotifications()
        watchSocket()
    }

    private func watchSocket() {
        guard let libpq, activity == .none else { return thread.watch(nil) }
        thread.watch(
            .init(socket: libpq.socket) { [weak self] in
                self?.assumeIsolated { $0.readWhileIdle() }
            })
    }

    private func readWhileIdle() {
        guard let libpq else { return }
        do throws(PostgresError) {
            try libpq.consumeInput()
            deliverNotifications()
        } catch {
            giveUp(error)
        }
    }

    private func deliverNotifications() {
        while let notification = libpq?.nextNotification() { lifecycle.deliver(notification) }
    }

    /// Where the session stands, for those who end transactions.
    var transactionStatus: LibpqConnection.TransactionStatus { libpq?.transactionStatus ?? .unknown }
}
