public import FeatureModel
public import FeatureService
public import Hummingbird
public import Logging
public import Observability

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

    public init(
        snapshots: ServingSnapshotStore, onlineFeatures: OnlineFeatures, readiness: ServingReadiness,
        metrics: PrometheusMetricsFactory, stores: Stores? = nil, trainingStores: Stores? = nil
    ) {
        self.snapshots = snapshots
        self.onlineFeatures = onlineFeatures
        self.readiness = readiness
        self.metrics = metrics
        self.stores = stores
        self.trainingStores = trainingStores
    }
}

/// The HTTP server as a service, to be run in a service group after those it depends on.
///
/// - Parameter onListening: told the port once connections are accepted.
/// - Throws: `configuration_invalid`.
public func buildServer(
    _ configuration: ServerConfiguration, _ dependencies: ServerDependencies, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
) throws(LarderError) -> some ApplicationProtocol {
    try configuration.validate()
    let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: ObservingMiddleware())
    router.add(API(configuration: configuration, dependencies: dependencies).routes)
    return Application(
        router: router,
        server: .http1(configuration: .init(idleTimeout: .seconds(Int64(configuration.idleTimeoutSeconds)))),
        configuration: ApplicationConfiguration(
            address: .hostname(configuration.host, port: configuration.port), serverName: "larder"),
        onServerRunning: { channel in onListening(channel.localAddress?.port ?? configuration.port) },
        logger: logger)
}
