import FeatureCodec
import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import Logging
import OnlineStore
import PostgresClient
import RedisClient
import Registry
import TestSupport
import Testing
import TextFormats

/// A migrated database with one project of two views, and a Redis of its own.
private struct World {
    let postgres: PostgresConfiguration
    let connection: PostgresConnection
    let redis: RedisClient
    let server: PrivateRedis

    static let joinKeys = OnlineFixture.joinKeys

    static func project(revision: Int64) -> RegisteredProject {
        let views = [(Int64(1), "things"), (Int64(2), "others")].map { id, name in
            RegisteredFeatureView(
                id: id, name: name, currentGeneration: 1,
                generations: [
                    GenerationState(
                        number: 1, computationHash: "", entityIDs: [3], entityNames: ["thing"], joinKeys: joinKeys,
                        sourceID: 4, sourceName: "raw")
                ],
                versions: [
                    ViewVersion(
                        version: 1, generation: 1,
                        features: OnlineFixture.first.features.map { RegisteredFeature(schema: $0) }, shapeHash: "",
                        computationHash: "")
                ],
                nextFeatureID: 3)
        }
        return RegisteredProject(id: 100, name: "shop", revision: revision, featureViews: views)
    }

    static func with(_ body: (World) async throws -> Void) async throws {
        let migrations = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../migrations").path
        try await withDatabase { postgres in
            try await withPrivateRedis { configuration, server in
                try await withRedisClient(configuration, logger: .silent) { redis in
                    let connection = try await PostgresConnection.connect(postgres, logger: .silent)
                    try await Migrator(files: try MigrationFile.load(directory: migrations)).migrate(on: connection)
                    let world = World(postgres: postgres, connection: connection, redis: redis, server: server)
                    try await world.commit(1)
                    for view in [1, 2] {
                        try await connection.execute(
                            """
                            INSERT INTO larder.generation (feature_view_id, number, project_id, layout_version, created_at)
                            VALUES (\(Int64(view)), 1, 100, 1, now())
                            """)
                    }
                    try await body(world)
                    await connection.close()
                }
            }
        }
    }

    func commit(_ revision: Int64) async throws {
        try await connection.transaction(isolation: .readCommitted) { connection in
            try await RegistryStore().commit(
                Self.project(revision: revision), replacing: revision - 1, changes: "{}", author: .init(actor: "test"),
                on: connection)
        }
    }

    /// Publishes one row to each of the views.
    @discardableResult
    func publish(_ views: [String], order: RowOrder, count: Int32) async throws -> Bool {
        let project = Self.project(revision: 1)
        let publication = try await OnlinePublication.begin(project, redis: redis, on: connection)
        var targets: [OnlineTarget] = []
        let incarnation = try await Incarnation.current(on: connection)
        for name in views {
            let view = try project.featureView(named: name)
            let keySpace = try await KeySpaceStore().ensure(
                featureViewID: view.id, generation: 1, incarnation: incarnation, on: connection)
            let target = try #require(try await publication.open([(keySpace, view)], on: connection).first)
            targets.append(target)
            var batch = OnlineFixture.batch([.init(id: 1, order: order, count: count)])
            batch.schema = OnlineFixture.first
            batch.features.removeLast()
            try await publication.writer.publish(batch, to: target, publishedAt: .now)
        }
        try await publication.complete(targets, on: connection)
        return publication.isRebuild
    }

    func read(_ store: ServingSnapshotStore, _ view: String) async throws -> Value {
        let response = try await OnlineFeatures(reader: OnlineReader(redis: redis)).read(
            try store.current().project(named: "shop"),
            OnlineRequest(
                features: .references(["\(view):count"]), keys: [.init(name: "id", values: [.integer(1)])]),
            now: OnlineFixture.noon)
        return response.features[0].values[0]
    }

    func expect(
        _ count: Int32, of view: String, _ store: ServingSnapshotStore,
        sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await read(store, view)
        #expect(found == .int32(count), sourceLocation: sourceLocation)
    }

    func following(
        pollInterval: Duration = .seconds(60), _ body: (ServingSnapshotStore) async throws -> Void
    ) async throws {
        let store = ServingSnapshotStore(
            configuration: postgres, migrator: nil, pollInterval: pollInterval, logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await store.run() }
            defer { group.cancelAll() }
            await store.waitForFirstSnapshot()
            try await body(store)
        }
    }
}

/// Waits until something holds, at most for a time that is generous for a loaded machine.
private func eventually(
    sourceLocation: Testing.SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("did not come to hold in 20 s", sourceLocation: sourceLocation)
}

@Suite("Publications and snapshots")
struct OnlinePublicationTests {
    private let old = OnlineFixture.order(OnlineFixture.noon, sequence: 1)
    private let new = OnlineFixture.order(OnlineFixture.noon, sequence: 2)

    @Test("the first publication is a rebuild, the next is not, and one into an emptied Redis is again")
    func rebuilds() async throws {
        try await World.with { world in
            #expect(try await world.publish(["things", "others"], order: old, count: 1))
            #expect(try await world.publish(["things"], order: new, count: 2) == false)
            try await world.following { store in
                try await world.expect(2, of: "things", store)
                try await world.expect(1, of: "others", store)
                try await world.server.empty()
                await expectError(.onlineStoreRebuilding) { _ = try await world.read(store, "things") }
                #expect(try await world.publish(["things", "others"], order: new, count: 3))
                try await eventually { (try? await world.read(store, "others")) == .int32(3) }
            }
        }
    }

    @Test("a rebuild that leaves a published view out does not open the store")
    func incompleteRebuild() async throws {
        try await World.with { world in
            try await world.publish(["things", "others"], order: old, count: 1)
            try await world.server.empty()
            await expectError(.onlineStoreRebuilding) {
                try await world.publish(["things"], order: new, count: 2)
            }
            try await world.following { store in
                await expectError(.onlineStoreRebuilding) { _ = try await world.read(store, "things") }
            }
        }
    }

    @Test("a rebuild empties what a restored Redis still holds, also rows newer than those published")
    func restored() async throws {
        try await World.with { world in
            try await world.publish(["things", "others"], order: new, count: 2)
            let control = OnlineStoreControl(
                redis: world.redis, installation: try await installation(world.connection))
            try await control.removeSentinel(ofProject: 100)
            #expect(try await world.publish(["things", "others"], order: old, count: 1))
            try await world.following { store in
                try await world.expect(1, of: "things", store)
            }
        }
    }

    @Test("a rebuild empties all of its key spaces before anything is written to one of them")
    func emptiedAtOnce() async throws {
        try await World.with { world in
            try await world.publish(["things", "others"], order: new, count: 2)
            let project = World.project(revision: 1)
            let control = OnlineStoreControl(
                redis: world.redis, installation: try await installation(world.connection))
            try await control.removeSentinel(ofProject: project.id)
            let publication = try await OnlinePublication.begin(project, redis: world.redis, on: world.connection)
            let incarnation = try await Incarnation.current(on: world.connection)
            let keySpaces = try await KeySpaceStore().all(of: incarnation, on: world.connection)
            let opened = try keySpaces.map { keySpace in
                (keySpace: keySpace, view: try #require(project.featureView(id: keySpace.featureViewID)))
            }
            let targets = try await publication.open(opened, on: world.connection)
            #expect(targets.map(\.fence) == keySpaces.map { $0.fence + 1 })
            // The fences are all there is.
            #expect(try await world.redis.execute(RedisCommand("DBSIZE")).integerValue == Int64(targets.count))
            // Whoever writes under a fence from before is refused in each of them.
            for (keySpace, view) in opened {
                let former = OnlineTarget(
                    keySpace: keySpace.id, fence: keySpace.fence, joinKeys: World.joinKeys,
                    schemas: view.schemas(ofGeneration: 1), ttlMicroseconds: nil)
                var batch = OnlineFixture.batch([.init(id: 1, order: new, count: 2)])
                batch.schema = OnlineFixture.first
                batch.features.removeLast()
                let refused = batch
                await expectError(.materializationConflict) {
                    try await publication.writer.publish(refused, to: former, publishedAt: .now)
                }
            }
            try await publication.complete(targets, on: world.connection)
        }
    }

    @Test("a view is not_materialized until its first publication, then servers see it within a second")
    func firstPublication() async throws {
        try await World.with { world in
            try await world.following { store in
                await expectError(.notMaterialized) { _ = try await world.read(store, "things") }
                try await world.publish(["things"], order: old, count: 1)
                let start = ContinuousClock.now
                try await eventually { (try? await world.read(store, "things")) == .int32(1) }
                #expect(ContinuousClock.now - start < .seconds(1))
                await expectError(.notMaterialized) { _ = try await world.read(store, "others") }
            }
        }
    }

    @Test("servers converge on a new revision within a second of its commit, by notification alone")
    func convergence() async throws {
        try await World.with { world in
            try await world.following(pollInterval: .seconds(3_600)) { store in
                let first = try store.current().project(named: "shop").project.revision
                #expect(first == 1)
                for revision in Int64(2)...5 {
                    try await world.commit(revision)
                    let start = ContinuousClock.now
                    try await eventually { try store.current().project(named: "shop").project.revision == revision }
                    #expect(ContinuousClock.now - start < .seconds(1))
                }
            }
        }
    }

    @Test("a change that was not announced is found by looking")
    func polling() async throws {
        try await World.with { world in
            try await world.publish(["things"], order: old, count: 1)
            try await world.following(pollInterval: .milliseconds(50)) { store in
                try await world.connection.execute("UPDATE larder.online_store SET minimum_revision = 7")
                try await eventually {
                    try store.current().project(named: "shop").onlineState?.minimumRevision == 7
                }
            }
        }
    }

    @Test("a lost connection keeps the snapshot, shows in the health, and is made again")
    func outage() async throws {
        try await World.with { world in
            try await world.publish(["things"], order: old, count: 1)
            try await world.following { store in
                // Nobody may connect and the server's session is ended: PostgreSQL is away, for all it can tell.
                let database = try #require(world.postgres.database)
                let administrator = try await PostgresConnection.connect(
                    PostgresTestDatabase.serverConfiguration(), logger: .silent)
                try await administrator.execute("ALTER DATABASE \(identifier: database) ALLOW_CONNECTIONS false")
                try await world.connection.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = \(database) AND pid <> pg_backend_pid()
                    """)
                try await eventually { store.health.failure != nil }
                try await world.expect(1, of: "things", store)
                try await administrator.execute("ALTER DATABASE \(identifier: database) ALLOW_CONNECTIONS true")
                await administrator.close()
                try await eventually { store.health.failure == nil }
                try await world.commit(2)
                try await eventually { try store.current().project(named: "shop").project.revision == 2 }
            }
        }
    }

    @Test("PostgreSQL's clock is compared with this machine's")
    func clockSkew() async throws {
        try await World.with { world in
            try await world.following { store in
                #expect(store.health.clockSkewMicroseconds != 0)
                #expect(store.health.clockSkewMicroseconds.magnitude < 5_000_000)
            }
        }
    }

    private func installation(_ connection: PostgresConnection) async throws -> InstallationID {
        let id = try await connection.query("SELECT id FROM larder.installation").onlyValue(as: String.self)
        return try #require(InstallationID(id))
    }
}
