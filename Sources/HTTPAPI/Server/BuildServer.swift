public import FeatureModel
public import FeatureService
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import Observability
public import ServiceLifecycle

/// What the API answers from.
public struct ServerDependencies: Sendable {
    public let snapshots: ServingSnapshotStore
    public let onlineFeatures: OnlineFeatures
    public let readiness: ServingReadiness
    public let metrics: PrometheusMetricsFactory
    /// What writes and applies work on; nil for a server that only reads.
    public let stores: Stores?
    /// What training sets that are streamed work on; `stores` where it is nil.
    public let trainingStores: Stores?
    /// Commits small pushes together; nil writes each alone.
    public let pushGroups: PushGroups?
    /// Brought up to date whenever the metrics are read.
    public let poolMetrics: PoolMetrics?

    public init(
        snapshots: ServingSnapshotStore, onlineFeatures: OnlineFeatures, readiness: ServingReadiness,
        metrics: PrometheusMetricsFactory, stores: Stores? = nil, trainingStores: Stores? = nil,
        pushGroups: PushGroups? = nil, poolMetrics: PoolMetrics? = nil
    ) {
        self.snapshots = snapshots
        self.onlineFeatures = onlineFeatures
        self.readiness = readiness
        self.metrics = metrics
        self.stores = stores
        self.trainingStores = trainingStores
        self.pushGroups = pushGroups
        self.poolMetrics = poolMetrics
    }
}

/// The HTTP server as a service, to be run in a service group after those it depends on.
///
/// - Parameter onListening: told the port once connections are accepted.
/// - Throws: `configuration_invalid`.
public func buildServer(
    _ configuration: ServerConfiguration, _ dependencies: ServerDependencies, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
) throws(LarderError) -> some Service {
    try configuration.validate()
    let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
    let refusals = LogLimiter<RequestOutcome.Refusal>(linesPerSecond: 10)
    router.add(middleware: ObservingMiddleware(refusals: refusals))
    router.add(middleware: LiteralPathMiddleware())
    router.add(middleware: CrossOriginMiddleware())
    router.add(API(configuration: configuration, dependencies: dependencies).routes)
    let online = OnlinePath(configuration, dependencies, refusals: refusals, logger: logger)
    let answer = RouterAnswer(responder: router.buildResponder(), logger: logger)
    return ListeningServer(
        connection: OnlineChannel(
            responder: { (request, writer: consuming ResponseWriter, channel) in
                try await answer.write(request, writer, on: channel)
            },
            loops: OnlineLoops(online), idleTimeout: .seconds(Int64(configuration.idleTimeoutSeconds)),
            lastBodyPatience: .seconds(Int64(configuration.lastBodyPatienceSeconds))),
        host: configuration.host, port: configuration.port, sharesPort: configuration.sharesPort, logger: logger,
        prepare: { await dependencies.readiness.waitForFirstAttempts() }, onListening: onListening)
}
