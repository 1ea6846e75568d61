import CoreMetrics
import FeatureCodec
import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import Hummingbird
import Logging
import NIOCore
import Observability
import OnlineStore
import RedisClient
import Registry
import ServiceLifecycle
import TestSupport
import Testing
import TextFormats

@testable import HTTPAPI

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A project, if not said otherwise one with three views, published to a Redis of its own, and a server over it with its clock
/// at noon.
struct Fixture {
    static let noon = Timestamp(microsecondsSince1970: 1_357_041_600_000_000)
    static let installation = InstallationID("httptest")
    static let hour: Int64 = 3_600_000_000
    static let onlineState = OnlineStoreState(onlineIncarnation: 9, redisRunID: "", minimumRevision: 1)

    let server: PrivateRedis
    let redis: RedisClient
    let snapshots: ServingSnapshotStore
    let port: Int
    /// What stands between the server and Redis; nil for nothing.
    let proxy: FaultProxy?
    /// What the server has counted of online requests.
    let metrics: PrometheusMetricsFactory
    private let service: ServiceGroup

    /// What a test may have otherwise.
    struct Setup {
        var project = Fixture.project
        var rows = Fixture.rows
        var limits = ServingLimits()
        var idleTimeoutSeconds = 60
        var lastBodyPatienceSeconds = 30
        /// Whether connections to Redis go through a proxy that can stall and cut them.
        var hasProxy = false
        /// Sees what comes to the decoders of the server's connections.
        var tap: DecoderTap?
    }

    /// The routes of an API that answers nobody.
    static var routes: [Route] {
        let snapshots = ServingSnapshotStore(fixed: ServingSnapshot(projects: []))
        guard let redis = try? RedisConfiguration(url: "redis://127.0.0.1:1") else { return [] }
        let client = RedisClient(
            configuration: redis, eventLoopGroup: EventLoopGroupProvider.singleton.eventLoopGroup, logger: .silent)
        return API(
            configuration: ServerConfiguration(), dependencies: dependencies(snapshots, client, .system)
        ).routes
    }

    static func dependencies(
        _ snapshots: ServingSnapshotStore, _ redis: RedisClient, _ clock: ServingClock,
        limits: ServingLimits = ServingLimits(), metrics: PrometheusMetricsFactory = PrometheusMetricsFactory()
    ) -> ServerDependencies {
        ServerDependencies(
            snapshots: snapshots, onlineFeatures: OnlineFeatures(reader: OnlineReader(redis: redis), limits: limits),
            readiness: ServingReadiness(snapshots: snapshots, redis: redis, clock: clock),
            metrics: metrics)
    }

    // MARK: The project

    static let weather = view(
        1, "weather", keys: [JoinKey(name: "origin", type: .string)], ttl: 6 * hour,
        [("temp", .float64), ("gusts", .int32), ("summary", .string)])
    static let profile = view(
        2, "profile", keys: [JoinKey(name: "region", type: .string), JoinKey(name: "user_id", type: .int64)], ttl: nil,
        [("visits", .int64), ("photo", .bytes), ("born", .date), ("tags", .array(.string))])
    static let system = view(3, "system", keys: [], ttl: 6 * hour, [("load", .float32)])
    static let unpublished = view(
        4, "unpublished", keys: [JoinKey(name: "origin", type: .string)], ttl: nil, [("x", .int64)])

    static let project = RegisteredProject(
        id: 1, name: "shop", revision: 5,
        entities: [
            RegisteredEntity(id: 11, name: "airport", joinKeys: weather.current?.joinKeys ?? []),
            RegisteredEntity(id: 12, name: "user", joinKeys: profile.current?.joinKeys ?? []),
        ],
        sources: [
            RegisteredSource(
                id: 21, name: "raw", kind: .query(sql: "SELECT 1"),
                versions: [
                    SourceVersion(
                        version: 1, columns: [SourceColumn(id: 1, name: "a", type: .int64, isNullable: true)], keys: [])
                ], nextColumnID: 2)
        ],
        featureViews: [profile, system, unpublished, weather],
        featureServices: [
            RegisteredFeatureService(
                id: 31, name: "trip",
                references: [
                    reference(weather, ["temp"]),
                    ServiceReference(
                        viewID: weather.id, viewName: weather.name, alias: "there", version: 1, featureIDs: [1],
                        featureNames: ["temp"], joinKeyMapping: ["origin": "dest"]),
                    reference(system, ["load"]),
                ])
        ])

    private static func view(
        _ id: Int64, _ name: String, keys: [JoinKey], ttl: Int64?, _ features: [(String, ValueType)]
    ) -> RegisteredFeatureView {
        let registered = features.enumerated().map { index, feature in
            RegisteredFeature(
                schema: FeatureSchema(
                    id: Int32(index + 1), name: feature.0, type: feature.1, isNullable: true, defaultValue: nil))
        }
        return RegisteredFeatureView(
            id: id, name: name, ttlMicroseconds: ttl, currentGeneration: 1,
            generations: [
                GenerationState(
                    number: 1, computationHash: "", entityIDs: keys.isEmpty ? [] : [10 + id],
                    entityNames: keys.isEmpty ? [] : ["thing"], joinKeys: keys, sourceID: 21, sourceName: "raw")
            ],
            versions: [
                ViewVersion(version: 1, generation: 1, features: registered, shapeHash: "", computationHash: "")
            ],
            nextFeatureID: 9)
    }

    private static func reference(_ view: RegisteredFeatureView, _ names: [String]) -> ServiceReference {
        let ids = names.compactMap { view.versions[0].feature(named: $0)?.id }
        return ServiceReference(
            viewID: view.id, viewName: view.name, version: 1, featureIDs: ids, featureNames: names)
    }

    // MARK: Its data

    struct Row {
        var keys: [Value]
        /// Microseconds before noon; nil for static data.
        var age: Int64?
        var features: [Value]
        /// The schema version that it is written under.
        var version: Int32 = 1
        var isTombstone = false
    }

    static let rows: [(RegisteredFeatureView, [Row])] = [
        (
            weather,
            [
                Row(keys: [.string("JFK")], age: hour, features: [.float64(39.02), .null, .string("clear \"sky\"")]),
                Row(keys: [.string("EWR")], age: 7 * hour, features: [.float64(1), .int32(1), .string("old")]),
                Row(keys: [.string("LGA")], age: 0, features: [.float64(.nan), .int32(-5), .string("")]),
            ]
        ),
        (
            profile,
            [
                Row(
                    keys: [.string("eu"), .int64(9_007_199_254_740_993)], age: nil,
                    features: [
                        .int64(9_223_372_036_854_775_807), .bytes([0xFF, 0]),
                        .date(CalendarDate(daysSince1970: 0)), .array([.string("a"), .string("ü")]),
                    ])
            ]
        ),
        (system, [Row(keys: [], age: hour, features: [.float32(0.1)])]),
    ]

    private static func publish(_ setup: Setup, _ redis: RedisClient) async throws -> ServedProject {
        let installation = try #require(installation)
        let control = OnlineStoreControl(redis: redis, installation: installation)
        let runID = try control.runID()
        let writer = OnlineWriter(redis: redis, installation: installation, runID: runID)
        var fences: [Int64: Int64] = [:]
        for (view, rows) in setup.rows {
            try await control.raiseFence(ofKeySpace: 100 + view.id, to: 1)
            fences[100 + view.id] = 1
            let schemas = view.schemas(ofGeneration: 1)
            let target = OnlineTarget(
                keySpace: 100 + view.id, fence: 1, joinKeys: schemas[0].joinKeys, schemas: schemas,
                ttlMicroseconds: view.ttlMicroseconds)
            for schema in schemas {
                let batch = try Self.batch(rows.filter { $0.version == schema.version }, schema)
                try await writer.publish(batch, to: target, publishedAt: ServingClock.systemTime)
            }
        }
        try await control.complete(
            project: setup.project.id,
            sentinel: OnlineSentinel(onlineIncarnation: 9, redisRunID: runID, minimumRevision: 1), fences: fences)
        return ServedProject(
            project: setup.project, installation: installation,
            keySpaces: Dictionary(
                uniqueKeysWithValues: fences.keys.map {
                    (ServedProject.GenerationID(featureViewID: $0 - 100, generation: 1), $0)
                }),
            onlineState: OnlineStoreState(onlineIncarnation: 9, redisRunID: runID, minimumRevision: 1))
    }

    private static func batch(_ rows: [Row], _ schema: ViewSchema) throws -> OnlineBatch {
        OnlineBatch(
            keys: try schema.joinKeys.indices.map { index in
                try #require(Column(type: schema.joinKeys[index].type, values: rows.map { $0.keys[index] }))
            },
            eventTimes: rows.map { row in row.age.map { noon.microsecondsSince1970 - $0 } ?? .min },
            recordedTimes: rows.map { _ in .min }, sequences: rows.indices.map { Int64($0) },
            schemaVersions: rows.map(\.version), tombstones: rows.map(\.isTombstone), schema: schema,
            features: try schema.features.indices.map { index in
                try #require(Column(type: schema.features[index].type, values: rows.map { $0.features[index] }))
            })
    }

    // MARK: The server

    static func with(
        limits: ServingLimits = ServingLimits(), _ body: (Fixture) async throws -> Void
    ) async throws {
        try await with(Setup(limits: limits), body)
    }

    static func with(_ setup: Setup, _ body: (Fixture) async throws -> Void) async throws {
        try await withPrivateRedis { configuration, server in
            let proxy = try setup.hasProxy ? Self.proxy(to: configuration) : nil
            defer { proxy?.stop() }
            let address = try proxy.map { try RedisConfiguration(url: "redis://127.0.0.1:\($0.port)") }
            try await withRedisClient(address ?? configuration, connections: .max, logger: .silent) { redis in
                try await waitForConnections(redis)
                let snapshots = ServingSnapshotStore(
                    fixed: ServingSnapshot(projects: [try await publish(setup, redis)]))
                var settings = ServerConfiguration()
                settings.port = 0
                settings.clock = .fixed(noon)
                settings.limits = setup.limits
                settings.idleTimeoutSeconds = setup.idleTimeoutSeconds
                settings.lastBodyPatienceSeconds = setup.lastBodyPatienceSeconds
                let metrics = PrometheusMetricsFactory()
                let (ports, listening) = AsyncStream.makeStream(of: Int.self)
                let application = try Self.application(
                    settings,
                    dependencies(snapshots, redis, settings.clock, limits: setup.limits, metrics: metrics), metrics,
                    setup.tap
                ) { listening.yield($0) }
                let service = ServiceGroup(services: [application], logger: .silent)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await service.run() }
                    defer { group.cancelAll() }
                    let port = try #require(await ports.first { _ in true })
                    try await body(
                        Fixture(
                            server: server, redis: redis, snapshots: snapshots, port: port, proxy: proxy,
                            metrics: metrics, service: service))
                }
            }
        }
    }

    private static func proxy(to configuration: RedisConfiguration) throws -> FaultProxy {
        switch configuration.address {
        case .tcp(_, let port): try FaultProxy(to: .tcp(port: port))
        case .unixSocket(let path): try FaultProxy(to: .unixSocket(path: path))
        }
    }

    /// Returns when each event loop has its connection: requests that come on a loop without one go the ordinary way.
    private static func waitForConnections(_ redis: RedisClient) async throws {
        let loops = Array(EventLoopGroupProvider.singleton.eventLoopGroup.makeIterator()).count
        while redis.connections.count < loops { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// - Parameter metrics: where counters are kept that are there from the start.
    private static func application(
        _ settings: ServerConfiguration, _ dependencies: ServerDependencies, _ metrics: PrometheusMetricsFactory,
        _ tap: DecoderTap?, onListening: @escaping @Sendable (Int) -> Void
    ) throws -> any Service {
        let server: any Service = try withMetricsFactory(metrics) {
            try buildServer(settings, dependencies, logger: .silent, onListening: onListening)
        }
        return try tap?.watching(server) ?? server
    }

    /// Asks the server to stop once everything that it was asked is answered; comes back before that.
    func shutDown() async {
        await service.triggerGracefulShutdown()
    }

    /// How many online requests were answered on the event loop, and how many the ordinary way.
    struct OnlineRequests: Equatable {
        var onEventLoop: Int
        var ordinary: Int
    }

    /// Those so far.
    var onlineRequests: OnlineRequests {
        let lines = String(decoding: metrics.scrape(), as: UTF8.self).split(separator: "\n")
        func count(_ path: String) -> Int {
            let series = #"larder_online_requests_total{path="\#(path)"} "#
            return lines.first { $0.hasPrefix(series) }.flatMap { Int($0.dropFirst(series.count)) } ?? 0
        }
        return OnlineRequests(onEventLoop: count("event_loop"), ordinary: count("ordinary"))
    }

    struct Answer {
        let status: Int
        let headers: [String: String]
        let text: String
        let json: JSONValue?

        var code: String? { if case .string(let code) = json?["code"] { code } else { nil } }
        var detail: String { if case .string(let detail) = json?["detail"] { detail } else { "" } }
        var hint: String { if case .string(let hint) = json?["hint"] { hint } else { "" } }
    }

    func send(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        var fields: [String: String] = [:]
        for (name, value) in http.allHeaderFields {
            if let name = name as? String, let value = value as? String { fields[name.lowercased()] = value }
        }
        return Answer(
            status: http.statusCode, headers: fields, text: String(decoding: data, as: UTF8.self),
            json: try? JSONValue.parse(Array(data)))
    }

    func online(_ body: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send("POST", "/v1/projects/shop/online-features", body: body, headers: headers)
    }
}
