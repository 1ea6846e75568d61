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
        var configuration = settings.server
        configuration.clock = clock
        configuration.trainingSets = settings.trainingSets
        let redis = RedisClient(
            configuration: settings.redis, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let snapshots = ServingSnapshotStore(
            configuration: writerConfiguration,
            migrator: try MigrationsFolder.loadIfFound(settings.migrations).map(Migrator.init), logger: logger)
        let stores = serverStores(redis)
        let training = trainingStores(stores)
        let dependencies = ServerDependencies(
            snapshots: snapshots,
            onlineFeatures: OnlineFeatures(reader: OnlineReader(redis: redis), limits: configuration.limits),
            readiness: ServingReadiness(snapshots: snapshots, redis: redis, clock: clock), metrics: metrics,
            stores: stores, trainingStores: training)
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let server = try buildServer(configuration, dependencies, logger: logger) { [logger] port in
            logger.notice("listening", metadata: ["address": "http://\(host):\(port)"])
        }
        let jobs = jobWorker(stores)
        // The stores come before the server, so that a write under way at the end still finds them.
        let services: [any Service] = [
            redis, stores.owner, stores.writer, training.writer, stores.source, SnapshotService(snapshots: snapshots),
            jobs.pool, jobs.worker, server,
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
            logger.notice("stopping, once what has been asked is answered", metadata: ["signal": "\(stopping)"])
            signal(SIGTERM, SIG_DFL)
            signal(SIGINT, SIG_DFL)
            return
        }
    }
}

extension CommandContext {
    /// Connections of each pool of a server. An idle one closes after a while, so that these cost nothing until used.
    private enum ServerPools {
        /// `apply` changes tables one at a time.
        static let owner = 2
        /// A write takes one, a materialization three.
        static let writer = 8
        /// A training set takes two, or one when there are no more.
        static let training = 6
        static let source = 2
        /// A request waits this long for a connection; then it is answered 503.
        static let leaseDeadline: Duration = .seconds(5)
    }

    /// `stores`, with connections of the writer that are for training sets alone.
    private func trainingStores(_ stores: Stores) -> Stores {
        var limits = PostgresPoolLimits()
        limits.maximumConnections = ServerPools.training
        limits.leaseDeadline = ServerPools.leaseDeadline
        return Stores(
            owner: stores.owner,
            writer: PostgresPool(configuration: writerConfiguration, limits: limits, logger: logger),
            source: stores.source, sourceLogin: stores.sourceLogin, redis: stores.redis, logger: logger,
            actor: stores.actor)
    }

    /// Does training sets that were queued, one at a time. Its own sessions are for leases and ends of jobs: the work itself
    /// may take all others.
    private func jobWorker(_ stores: Stores) -> (pool: PostgresPool, worker: JobWorker) {
        var limits = PostgresPoolLimits()
        limits.maximumConnections = 2
        let pool = PostgresPool(configuration: writerConfiguration, limits: limits, logger: logger)
        let trainingSets = TrainingSetJobs(stores: stores, resources: settings.trainingSets)
        let worker = JobWorker(
            pool: pool, configuration: writerConfiguration,
            options: JobWorkerOptions(
                name: "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)",
                kinds: [.trainingSet]), logger: logger,
            translate: { LarderError(translating: $0) },
            handler: { job, progress in try await trainingSets.perform(job, progress) })
        return (pool, worker)
    }

    /// What writes work on. Nothing connects before it is needed: a server starts and serves while PostgreSQL is away.
    private func serverStores(_ redis: RedisClient) -> Stores {
        func pool(_ configuration: PostgresConfiguration, connections: Int) -> PostgresPool {
            var limits = PostgresPoolLimits()
            limits.maximumConnections = connections
            limits.leaseDeadline = ServerPools.leaseDeadline
            return PostgresPool(configuration: configuration, limits: limits, logger: logger)
        }
        return Stores(
            owner: pool(settings.postgres, connections: ServerPools.owner),
            writer: pool(writerConfiguration, connections: ServerPools.writer),
            source: pool(settings.postgresSource, connections: ServerPools.source), sourceLogin: settings.sourceLogin,
            redis: redis, logger: logger, actor: NSUserName())
    }
}

/// Keeps the snapshot current until the server has answered its last request.
private struct SnapshotService: Service {
    let snapshots: ServingSnapshotStore

    func run() async throws {
        await cancelWhenGracefulShutdown { await snapshots.run() }
    }
}
