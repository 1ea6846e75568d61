import FeatureCodec
public import FeatureDefinitions
public import FeatureModel
public import OnlineStore
public import PointInTime
public import PostgresClient
public import RedisClient
public import Registry

/// One publication of a project's rows to the online store: begun, filled key space by key space, completed.
///
/// While it is a rebuild, reads are refused from its beginning to its completion, so that a store that is being filled
/// is not taken for one that never had an entity.
public struct OnlinePublication: Sendable {
    /// Whether Redis does not hold what was published (first publication, emptied, restored, replaced). Then **every**
    /// online view of the project has to be published whole, whatever its watermark says.
    public let isRebuild: Bool
    public let writer: OnlineWriter

    private let project: RegisteredProject
    private let control: OnlineStoreControl
    private let state: OnlineStoreState
    /// Of everything opened, by key space.
    private var fences: [Int64: Int64] = [:]

    /// Compares what PostgreSQL expects with what Redis shows; for a rebuild, refuses reads from now on.
    ///
    /// - Throws: `LarderError` `online_store_unavailable`, `PostgresError`.
    public static func begin(
        _ project: RegisteredProject, redis: RedisClient, on connection: PostgresConnection
    ) async throws -> OnlinePublication {
        let installation = try await connection.installationID()
        let control = OnlineStoreControl(redis: redis, installation: installation)
        let runID = try control.runID()
        let expected = try await KeySpaceStore().onlineState(ofProject: project.id, on: connection)
        let sentinel = try await control.sentinel(ofProject: project.id)
        let isCurrent = expected.map { OnlineSentinel($0) == sentinel && $0.redisRunID == runID } ?? false
        let writer = OnlineWriter(redis: redis, installation: installation, runID: runID)
        if let expected, isCurrent {
            return OnlinePublication(
                isRebuild: false, writer: writer, project: project, control: control, state: expected)
        }
        try await control.removeSentinel(ofProject: project.id)
        let state = OnlineStoreState(
            onlineIncarnation: .random(in: 1 ... .max), redisRunID: runID,
            minimumRevision: expected?.minimumRevision ?? 1)
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

    /// Makes a key space ready to be written to; for a rebuild, fences off every other publisher and empties it.
    ///
    /// - Returns: what `writer` takes.
    /// - Throws: `LarderError` `materialization_conflict` when a later publisher has raised the fence.
    public mutating func open(
        _ keySpace: KeySpace, of view: RegisteredFeatureView, on connection: PostgresConnection
    ) async throws -> OnlineTarget {
        guard isRebuild else { return try await target(keySpace, of: view, fence: keySpace.fence) }
        let target = try await raiseFence(of: keySpace, of: view, on: connection)
        try await control.clear(keySpace: keySpace.id)
        return target
    }

    /// Fences off publishers that may still write rows which are about to be withdrawn.
    /// - Returns: the target to go on with.
    public mutating func raiseFence(
        of keySpace: KeySpace, of view: RegisteredFeatureView, on connection: PostgresConnection
    ) async throws -> OnlineTarget {
        let fence = try await KeySpaceStore().raiseFence(of: keySpace.id, on: connection)
        return try await target(keySpace, of: view, fence: fence)
    }

    private mutating func target(
        _ keySpace: KeySpace, of view: RegisteredFeatureView, fence: Int64
    ) async throws -> OnlineTarget {
        try await control.raiseFence(ofKeySpace: keySpace.id, to: fence)
        fences[keySpace.id] = fence
        return OnlineTarget(
            keySpace: keySpace.id, fence: fence,
            joinKeys: view.generation(keySpace.generation)?.joinKeys ?? [],
            schemas: view.schemas(ofGeneration: keySpace.generation), ttlMicroseconds: view.ttlMicroseconds)
    }

    /// Lets servers read: writes the sentinel, then records it and the key spaces opened as published.
    ///
    /// - Throws: `LarderError` `online_store_rebuilding` when Redis was emptied or replaced since `begin`,
    ///   `materialization_conflict` when fenced; then nothing counts as published.
    public func complete(on connection: PostgresConnection) async throws {
        if isRebuild { try await checkCompleteness(on: connection) }
        try await control.complete(project: project.id, sentinel: OnlineSentinel(state), fences: fences)
        for keySpace in fences.keys.sorted() {
            try await KeySpaceStore().markPublished(keySpace, projectID: project.id, on: connection)
        }
        if isRebuild { try await KeySpaceStore().setOnlineState(state, ofProject: project.id, on: connection) }
    }

    /// After a rebuild every key space that servers read is as new as the sentinel says, or none is.
    private func checkCompleteness(on connection: PostgresConnection) async throws {
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
