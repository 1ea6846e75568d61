import FeatureCodec
public import FeatureDefinitions
public import FeatureModel
public import OnlineStore
public import PointInTime
public import PostgresClient
public import RedisClient
public import Registry

/// One publication of a project's rows to the online store: begun, filled key space by key space, some of them side by
/// side, and completed once.
///
/// While it is a rebuild, reads are refused from its beginning to its completion, so that a store that is being filled
/// is not taken for one that never had an entity.
public struct OnlinePublication: Sendable {
    /// Whether Redis does not hold what was published (first publication, emptied, restored, replaced, keys evicted).
    /// Then **every** online view of the project has to be published whole, whatever its watermark says.
    public let isRebuild: Bool
    public let writer: OnlineWriter

    private let project: RegisteredProject
    private let control: OnlineStoreControl
    private let state: OnlineStoreState

    /// Compares what PostgreSQL expects with what Redis shows; for a rebuild, refuses reads from now on.
    ///
    /// - Throws: `LarderError` `online_store_unavailable`, `PostgresError`.
    public static func begin(
        _ project: RegisteredProject, redis: RedisClient, on connection: PostgresConnection
    ) async throws -> OnlinePublication {
        let found = try await OnlineStoreComparison(project, redis: redis, on: connection)
        let control = found.control
        let writer = OnlineWriter(redis: redis, installation: found.installation, runID: found.runID)
        if let expected = found.expected, found.isCurrent {
            return OnlinePublication(
                isRebuild: false, writer: writer, project: project, control: control, state: expected)
        }
        try await control.removeSentinel(ofProject: project.id)
        let state = OnlineStoreState(
            onlineIncarnation: .random(in: 1 ... .max), redisRunID: found.runID,
            minimumRevision: found.expected?.minimumRevision ?? 1, evictedKeys: found.evictedKeys ?? 0)
        return OnlinePublication(isRebuild: true, writer: writer, project: project, control: control, state: state)
    }

    private init(
        isRebuild: Bool, writer: OnlineWriter, project: RegisteredProject, control: OnlineStoreControl,
        state: OnlineStoreState
    ) {
        self.isRebuild = isRebuild
        self.writer = writer
        self.project = project
        self.control = control
        self.state = state
    }

    /// Makes key spaces ready to be written to; for a rebuild, fences off every other publisher of them and then
    /// empties them, all in one walk over the store.
    ///
    /// - Returns: for each what `writer` takes. A snapshot of PostgreSQL that is taken from now on has everything that
    ///   a publisher with an older fence may have written before.
    /// - Throws: `LarderError` `materialization_conflict` when a later publisher has raised a fence.
    public func open(
        _ keySpaces: [(keySpace: KeySpace, view: RegisteredFeatureView)], on connection: PostgresConnection
    ) async throws -> [OnlineTarget] {
        var targets: [OnlineTarget] = []
        for (keySpace, view) in keySpaces {
            if isRebuild {
                targets.append(try await raiseFence(of: keySpace, of: view, on: connection))
            } else {
                targets.append(try await target(keySpace, of: view, fence: keySpace.fence))
            }
        }
        if isRebuild { try await control.clear(keySpaces: targets.map(\.keySpace)) }
        return targets
    }

    /// Fences off publishers that may still write rows which are about to be withdrawn.
    /// - Returns: the target to go on with.
    public func raiseFence(
        of keySpace: KeySpace, of view: RegisteredFeatureView, on connection: PostgresConnection
    ) async throws -> OnlineTarget {
        let fence = try await KeySpaceStore().raiseFence(of: keySpace.id, on: connection)
        return try await target(keySpace, of: view, fence: fence)
    }

    private func target(
        _ keySpace: KeySpace, of view: RegisteredFeatureView, fence: Int64
    ) async throws -> OnlineTarget {
        try await control.raiseFence(ofKeySpace: keySpace.id, to: fence)
        return OnlineTarget(
            keySpace: keySpace.id, fence: fence,
            joinKeys: view.generation(keySpace.generation)?.joinKeys ?? [],
            schemas: view.schemas(ofGeneration: keySpace.generation), ttlMicroseconds: view.ttlMicroseconds)
    }

    /// Lets servers read: writes the sentinel, then records it and the key spaces published.
    ///
    /// - Parameter targets: everything that was opened, each under the fence that was raised last.
    /// - Throws: `LarderError` `online_store_rebuilding` when Redis was emptied or replaced since `begin`,
    ///   `materialization_conflict` when fenced; then nothing counts as published.
    public func complete(_ targets: [OnlineTarget], on connection: PostgresConnection) async throws {
        let fences = Dictionary(targets.map { ($0.keySpace, $0.fence) }, uniquingKeysWith: max)
        if isRebuild { try await checkCompleteness(of: fences, on: connection) }
        try await control.complete(project: project.id, sentinel: OnlineSentinel(state), fences: fences)
        for keySpace in fences.keys.sorted() {
            try await KeySpaceStore().markPublished(keySpace, projectID: project.id, on: connection)
        }
        if isRebuild {
            try await KeySpaceStore().setOnlineState(
                state, ofProject: project.id, redisEndpoint: control.endpoint, on: connection)
        }
    }

    /// After a rebuild every key space that servers read is as new as the sentinel says, or none is.
    private func checkCompleteness(of fences: [Int64: Int64], on connection: PostgresConnection) async throws {
        let incarnation = try await Incarnation.current(on: connection)
        for keySpace in try await KeySpaceStore().all(of: incarnation, on: connection)
        where keySpace.isPublished && fences[keySpace.id] == nil {
            guard let view = project.featureView(id: keySpace.featureViewID), !view.isRemoved, view.isOnline else {
                continue
            }
            throw LarderError(
                .onlineStoreRebuilding, "feature view \"\(view.name)\" is missing from the rebuild of the online store",
                hint: "run larder materialize without naming views")
        }
    }
}

extension OnlineSentinel {
    init(_ state: OnlineStoreState) {
        self.init(
            onlineIncarnation: state.onlineIncarnation, redisRunID: state.redisRunID,
            minimumRevision: state.minimumRevision)
    }
}

extension OnlineBatch {
    /// - Parameter schema: the version whose features the batch holds.
    public init(_ rows: HistoryBatch, schema: ViewSchema) {
        self.init(
            keys: rows.keyColumns, eventTimes: rows.eventTimes, recordedTimes: rows.recordedTimes,
            sequences: rows.sequences, schemaVersions: rows.schemaVersions, tombstones: rows.tombstones,
            schema: schema, features: rows.features)
    }
}
