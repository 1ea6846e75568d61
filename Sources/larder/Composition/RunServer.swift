import FeatureModel
import FeatureService
import Glibc
import HTTPAPI
import Logging
import NIOCore
import NIOPosix
import OnlineStore
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
        let redis = RedisClient(
            configuration: settings.redis, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let snapshots = ServingSnapshotStore(
            configuration: writerConfiguration,
            migrator: try MigrationsFolder.loadIfFound(settings.migrations).map(Migrator.init), logger: logger)
        let dependencies = ServerDependencies(
            snapshots: snapshots,
            onlineFeatures: OnlineFeatures(reader: OnlineReader(redis: redis), limits: configuration.limits),
            readiness: ServingReadiness(snapshots: snapshots, redis: redis, clock: clock), metrics: metrics)
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let server = try buildServer(configuration, dependencies, logger: logger) { [logger] port in
            logger.notice("listening", metadata: ["address": "http://\(host):\(port)"])
        }
        let services: [any Service] = [redis, SnapshotService(snapshots: snapshots), server]
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
}

/// Keeps the snapshot current until the server has answered its last request.
private struct SnapshotService: Service {
    let snapshots: ServingSnapshotStore

    func run() async throws {
        await cancelWhenGracefulShutdown { await snapshots.run() }
    }
}
