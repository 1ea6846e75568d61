import FeatureModel
import FeatureService
import Foundation
import Glibc
import HTTPAPI
import Jobs
import Logging
import NIOCore
import NIOPosix
import OnlineStore
import PostgresClient
import RedisClient
import Registry
import ServiceLifecycle
import UnixSignals

extension CommandContext {
    /// Serves until a signal asks it to stop; then answers what has been asked, and closes in reverse order of the start.
    ///
    /// - Throws: `configuration_invalid` and `migration_refused` before anything runs, and what a service fails with.
    func runServer(_ clock: ServingClock) async throws {
        try await checkSourceLoginIfReachable()
        var configuration = settings.server
        configuration.clock = clock
        configuration.trainingSets = settings.trainingSets
        // Reads do not wait behind what is published.
        let redisReads = redisClient(settings.redisReads)
        let redisWrites = redisClient(writingConfiguration)
        let snapshots = ServingSnapshotStore(
            configuration: writerConfiguration,
            migrator: try MigrationsFolder.loadIfFound(settings.migrations).map(Migrator.init), logger: logger)
        let stores = serverStores(redisWrites)
        let training = trainingStores(stores)
        let jobs = jobWorkers(stores)
        let dependencies = ServerDependencies(
            snapshots: snapshots,
            onlineFeatures: OnlineFeatures(reader: OnlineReader(redis: redisReads), limits: configuration.limits),
            readiness: ServingReadiness(snapshots: snapshots, redis: redisReads, clock: clock), metrics: metrics,
            stores: stores, trainingStores: training,
            pushGroups: PushGroups(stores: stores, maximumPending: configuration.limits.maximumPendingPushes),
            poolMetrics: PoolMetrics([
                ("owner", stores.owner), ("writer", stores.writer), ("training", training.writer),
                ("source", stores.source), ("jobs", jobs.pool),
            ]))
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let server = try buildServer(configuration, dependencies, logger: logger) { [logger] port in
            logger.notice("listening", metadata: ["address": "http://\(host):\(port)"])
        }
        let watch = OnlineStoreWatch(
            snapshots: snapshots, stores: stores, clock: clock, fills: settings.refillsRedis)
        // The stores come before the server, so that a write under way at the end still finds them.
        let services: [any Service] = [
            redisReads, redisWrites, stores.owner, stores.writer, training.writer, stores.source,
            SnapshotService(snapshots: snapshots), jobs.pool, jobs.trainingSets, jobs.materializations, jobs.refills,
            WatchService(watch: watch), server,
        ]
        let stop = Task { [logger] in await Self.tellStop(logger) }
        defer { stop.cancel() }
        do {
            try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
                .run()
        } catch let error as IOError {
            throw LarderError(
                .configurationInvalid,
                "cannot listen on \(host):\(configuration.port): \(String(cString: strerror(error.errnoCode)))",
                hint: "choose another --port or --host, or set LARDER_HTTP_PORT or LARDER_HTTP_HOST")
        }
        logger.notice("stopped")
    }

    /// From the first signal on, a second one ends the process at once: clients may take as long as they like.
    private static func tellStop(_ logger: Logger) async {
        for await stopping in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            signal(SIGTERM, SIG_DFL)
            signal(SIGINT, SIG_DFL)
            logger.notice("stopping, once what has been asked is answered", metadata: ["signal": "\(stopping)"])
            return
        }
    }
}

extension CommandContext {
    private func redisClient(_ configuration: RedisConfiguration) -> RedisClient {
        RedisClient(
            configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
    }

    /// Publishing may take its time, but is tried again soon once a server is back.
    private var writingConfiguration: RedisConfiguration {
        var configuration = settings.redis
        configuration.clientName = "larder-writes"
        configuration.maximumReconnectDelay = .seconds(1)
        return configuration
    }

    /// Connections of each pool of a server. An idle one closes after a while, so that these cost nothing until used.
    private enum ServerPools {
        /// `apply` changes tables one at a time.
        static let owner = 2
        /// A write takes one, and a materialization two for each view that it computes, or one for each that it publishes
        /// and two for all. A refill, which only publishes, may go on beside it.
        static func writer(parallelViews: Int) -> Int {
            let publishing = parallelViews + 2
            return 5 + max(2 * parallelViews, publishing) + publishing
        }
        /// A training set takes two, or one when there are no more.
        static let training = 6
        /// One for each view that is computed, and one for what is judged.
        static func source(parallelViews: Int) -> Int { 1 + parallelViews }
        /// For leases and ends of jobs alone: the work itself may take all others.
        static let jobs = 3
        /// A request waits this long for a connection; then it is answered 503.
        static let leaseDeadline: Duration = .seconds(5)
    }

    /// A pool of a server's. Nothing connects before it is needed: a server starts and serves while PostgreSQL is away.
    private func serverPool(_ configuration: PostgresConfiguration, connections: Int) -> PostgresPool {
        var limits = PostgresPoolLimits()
        limits.maximumConnections = connections
        limits.leaseDeadline = ServerPools.leaseDeadline
        // A PostgreSQL that is back is found soon.
        limits.breakerCooldown = .seconds(1)
        return PostgresPool(configuration: configuration, limits: limits, logger: logger)
    }

    /// What writes work on.
    private func serverStores(_ redis: RedisClient) -> Stores {
        Stores(
            owner: serverPool(settings.postgres, connections: ServerPools.owner),
            writer: serverPool(
                writerConfiguration, connections: ServerPools.writer(parallelViews: settings.parallelViews)),
            source: serverPool(
                settings.postgresSource, connections: ServerPools.source(parallelViews: settings.parallelViews)),
            sourceLogin: settings.sourceLogin, redis: redis, logger: logger, actor: NSUserName())
    }

    /// `stores`, with connections of the writer that are for training sets alone.
    private func trainingStores(_ stores: Stores) -> Stores {
        Stores(
            owner: stores.owner, writer: serverPool(writerConfiguration, connections: ServerPools.training),
            source: stores.source, sourceLogin: stores.sourceLogin, redis: stores.redis, logger: logger,
            actor: stores.actor)
    }

    /// They do what was queued, one job of each kind at a time: materializations do not wait for training sets, and what
    /// fills a Redis again, while reads are refused, waits for no other materialization.
    private func jobWorkers(
        _ stores: Stores
    ) -> (pool: PostgresPool, trainingSets: JobWorker, materializations: JobWorker, refills: JobWorker) {
        let pool = serverPool(writerConfiguration, connections: ServerPools.jobs)
        func worker(_ kind: JobKind, onlyKeyed: Bool = false, _ handler: @escaping JobWorker.Handler) -> JobWorker {
            var options = JobWorkerOptions(
                name: "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)", kinds: [kind])
            options.onlyKeyed = onlyKeyed
            return JobWorker(
                pool: pool, configuration: writerConfiguration, options: options, logger: logger,
                translate: { LarderError(translating: $0) }, handler: handler)
        }
        let trainingSets = TrainingSetJobs(stores: stores, resources: settings.trainingSets)
        let materializations = MaterializeJobs(stores: stores, parallelViews: settings.parallelViews)
        let materialize: JobWorker.Handler = { job, progress in try await materializations.perform(job, progress) }
        return (
            pool, worker(.trainingSet) { job, progress in try await trainingSets.perform(job, progress) },
            worker(.materialize, materialize), worker(.materialize, onlyKeyed: true, materialize)
        )
    }
}

/// Keeps the snapshot current until the server has answered its last request.
private struct SnapshotService: Service {
    let snapshots: ServingSnapshotStore

    func run() async throws {
        await cancelWhenGracefulShutdown { await snapshots.run() }
    }
}

/// Looks after Redis' data as long as the server runs.
private struct WatchService: Service {
    let watch: OnlineStoreWatch

    func run() async throws {
        await cancelWhenGracefulShutdown { await watch.run() }
    }
}
