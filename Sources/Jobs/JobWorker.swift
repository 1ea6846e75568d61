public import FeatureModel
public import Logging
public import PostgresClient
public import ServiceLifecycle

/// Does jobs, as a service: claims them, keeps their leases and writes how they ended.
///
/// On graceful shutdown or cancellation it claims no more, cancels what is under way and gives those jobs back, at once and
/// without counting the attempt. Put it into the service group after the pool. While PostgreSQL is away it goes on with
/// what it has, and tries again. A job that fails because a server is away is put off, each time for longer
/// (`JobWorkerOptions.retryPause(afterAttempt:)`).
public final class JobWorker: Service, Sendable {
    /// Does one job, and returns its result as JSON text (see `JobStore.succeed`).
    ///
    /// It is cancelled when somebody cancels the job, when the lease is lost, and on shutdown; it should end soon then. What
    /// it throws fails the job, except that the job is begun again later after the loss of a server.
    public typealias Handler = @Sendable (ClaimedJob, JobProgress) async throws -> String

    let pool: PostgresPool
    private let configuration: PostgresConfiguration
    let options: JobWorkerOptions
    let logger: Logger
    let translate: @Sendable (any Error) -> LarderError
    let handler: Handler
    let store = JobStore()
    let wakes = JobWakes()

    /// - Parameters:
    ///   - pool: of sessions under the writer's role. A handler that takes every connection of it for long keeps heartbeats
    ///     waiting: such work needs a pool of its own.
    ///   - configuration: for a connection of its own, to be told of new jobs on.
    ///   - translate: what a failure of the handler means to the person who asked.
    public init(
        pool: PostgresPool, configuration: PostgresConfiguration, options: JobWorkerOptions,
        logger: Logger = Logger(label: "larder.jobs"),
        translate: @escaping @Sendable (any Error) -> LarderError = JobWorker.plainTranslation,
        handler: @escaping Handler
    ) {
        self.pool = pool
        self.configuration = configuration
        self.options = options
        self.logger = logger
        self.translate = translate
        self.handler = handler
    }

    /// Only `LarderError`s are told; of others their type.
    public static let plainTranslation: @Sendable (any Error) -> LarderError = { error in
        error as? LarderError ?? LarderError(.internalError, "internal error: \(String(describing: type(of: error)))")
    }

    /// Does jobs until graceful shutdown or cancellation.
    public func run() async {
        await cancelWhenGracefulShutdown { await self.work() }
    }

    private func work() async {
        let looks = (0..<max(1, options.concurrency)).map { _ in wakes.looks() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listen() }
            group.addTask { await self.every(self.options.pollInterval) { self.wakes.look() } }
            group.addTask { await self.every(self.options.sweepInterval) { await self.sweep() } }
            for looks in looks {
                group.addTask { await self.takeJobs(looks) }
            }
        }
    }

    private func takeJobs(_ looks: AsyncStream<Void>) async {
        await withDiscardingTaskGroup { group in
            for await _ in looks {
                do {
                    while !Task.isCancelled, let job = try await claim() {
                        let outcome = await JobRun(worker: self, job: job).perform()
                        guard case .postponed(let pause) = outcome else { continue }
                        // Nothing announces that its time has come; other workers find it when they look next.
                        group.addTask {
                            if (try? await Task.sleep(for: pause)) != nil { self.wakes.look() }
                        }
                    }
                } catch {
                    note("could not claim a job", error)
                }
            }
        }
    }

    private func claim() async throws -> ClaimedJob? {
        try await pool.withConnection { [store, options] connection in
            try await store.claim(
                worker: options.name, kinds: options.kinds, onlyKeyed: options.onlyKeyed, for: options.lease,
                on: connection)
        }
    }

    // MARK: Beside the work

    private func every(_ interval: Duration, _ body: () async -> Void) async {
        while !Task.isCancelled {
            await body()
            try? await Task.sleep(for: interval)
        }
    }

    private func sweep() async {
        do {
            while try await pool.withConnection({ [store] in try await store.removeExpired(on: $0) }) > 0 {}
        } catch {
            note("could not remove expired jobs", error)
        }
    }

    /// Hears of jobs until cancelled. Without a connection jobs are found all the same, a little later.
    private func listen() async {
        await every(.milliseconds(500)) {
            do {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                do {
                    let notifications = await connection.notifications()
                    try await connection.execute("LISTEN \(identifier: JobChannel.name)", timeout: options.lease)
                    // What came before is not announced again.
                    wakes.look()
                    for await notification in notifications {
                        wakes.receive(JobChannel.Message(payload: notification.payload))
                    }
                } catch {
                    note("cannot listen for jobs", error)
                }
                await connection.close()
            } catch {
                note("cannot listen for jobs", error)
            }
        }
    }

    func note(_ text: String, _ error: any Error, _ job: ClaimedJob? = nil) {
        guard !Task.isCancelled else { return }
        var metadata: Logger.Metadata = ["error": "\(error)"]
        if let job { metadata["job"] = "\(job.id)" }
        // While a server is away this is said again and again.
        logger.log(level: error.isPassing ? .debug : .warning, "\(text)", metadata: metadata)
    }
}
