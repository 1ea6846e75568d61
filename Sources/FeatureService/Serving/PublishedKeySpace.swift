import FeatureDefinitions
import FeatureModel
import OnlineStore
import PostgresClient
import RedisClient
import Registry

/// A published key space as one who adds rows to it needs it. Finding it changes nothing: no fence, no sentinel.
///
/// Look for it after the rows have committed. A rebuild that begins before that has the rows in its snapshot or has raised the
/// fence that is found here; one that begins later refuses the fence, or has the rows in its snapshot. One found earlier
/// may be used again as `KnownKeySpaces` says.
struct PublishedKeySpace: Sendable {
    let target: OnlineTarget
    let writer: OnlineWriter
    /// The row of `larder.incarnation` that it belongs to.
    let incarnationID: Int32

    private let control: OnlineStoreControl
    private let projectID: Int64
    /// What Redis showed of the project; it names the process too.
    private let sentinel: OnlineSentinel

    /// Whether Redis still shows what it showed when the key space was found.
    /// - Throws: `online_store_unavailable`.
    func isCurrent() async throws(LarderError) -> Bool {
        guard try control.runID() == sentinel.redisRunID else { return false }
        return try await control.sentinel(ofProject: projectID) == sentinel
    }

    /// - Throws: `not_materialized` when the generation was never published, `online_store_rebuilding` when Redis does not
    ///   hold what was published, `online_store_unavailable`, `PostgresError`.
    static func find(
        _ home: ViewHome, in project: RegisteredProject, redis: RedisClient, on connection: PostgresConnection
    ) async throws -> PublishedKeySpace {
        let incarnation = try await Incarnation.current(on: connection)
        let keySpace = try await KeySpaceStore().find(
            featureViewID: home.view.id, generation: home.generation.number, incarnation: incarnation, on: connection)
        let expected = try await KeySpaceStore().onlineState(ofProject: project.id, on: connection)
        guard let keySpace, keySpace.isPublished, let expected else {
            throw LarderError(
                .notMaterialized,
                "generation \(home.generation.number) of feature view \"\(home.view.name)\" was never published",
                hint: "run larder materialize \(home.view.name)")
        }
        let installation = try await connection.installationID()
        let control = OnlineStoreControl(redis: redis, installation: installation)
        let runID = try control.runID()
        let sentinel = try await control.sentinel(ofProject: project.id)
        guard runID == expected.redisRunID, sentinel == OnlineSentinel(expected) else {
            throw LarderError(
                .onlineStoreRebuilding, "Redis does not hold what was published, or is being filled",
                hint: "run larder materialize; it publishes everything anew")
        }
        return PublishedKeySpace(
            target: OnlineTarget(
                keySpace: keySpace.id, fence: keySpace.fence, joinKeys: home.generation.joinKeys,
                schemas: home.schemas, ttlMicroseconds: home.view.ttlMicroseconds),
            writer: OnlineWriter(redis: redis, installation: installation, runID: runID),
            incarnationID: incarnation.id, control: control, projectID: project.id,
            sentinel: OnlineSentinel(expected))
    }
}
