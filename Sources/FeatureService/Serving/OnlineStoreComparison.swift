import FeatureCodec
import FeatureDefinitions
import FeatureModel
import OnlineStore
import PostgresClient
import RedisClient
import Registry

/// What Redis holds of a project beside what PostgreSQL says was published to it.
struct OnlineStoreComparison {
    let control: OnlineStoreControl
    let installation: InstallationID
    /// The Redis process that was looked at.
    let runID: String
    /// Nil before the first publication.
    let expected: OnlineStoreState?
    /// What Redis shows; nil for nothing that could be believed.
    let sentinel: OnlineSentinel?
    /// How many keys Redis has evicted since its start; nil where that may not be asked.
    let evictedKeys: Int64?
    /// Whether Redis shows what was published and has evicted keys since, of which some may have been part of that.
    let isEvicted: Bool
    /// Whether what was published is there.
    let isCurrent: Bool

    /// - Throws: `LarderError` `online_store_unavailable`, `PostgresError`.
    init(_ project: RegisteredProject, redis: RedisClient, on connection: PostgresConnection) async throws {
        installation = try await connection.installationID()
        control = OnlineStoreControl(redis: redis, installation: installation)
        runID = try control.runID()
        expected = try await KeySpaceStore().onlineState(ofProject: project.id, on: connection)
        // After the row: one Redis shows what the row says, or something newer, or nothing.
        sentinel = try await control.sentinel(ofProject: project.id)
        evictedKeys = try await control.evictedKeys()
        let isShown = expected.map(OnlineSentinel.init) == sentinel && expected?.redisRunID == runID
        let hasEvicted = (evictedKeys ?? 0) > (expected?.evictedKeys ?? 0)
        isEvicted = isShown && hasEvicted
        isCurrent = isShown && !hasEvicted
    }
}
