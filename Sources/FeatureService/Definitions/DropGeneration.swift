import FeatureCodec
public import FeatureDefinitions
import FeatureModel
import OfflineStore
import OnlineStore
import PostgresClient
import Registry

/// Removes a generation for good: its online values, its offline table, and what is kept about it.
///
/// Every step can be repeated, so that a drop which was cut off is continued by the next one. The online keys are derived
/// from the offline table, which therefore goes last; Redis is never searched.
public struct DropGeneration: Sendable {
    public struct Result: Sendable, Equatable {
        public let onlineKeysDeleted: Int64
        /// The registry revision without the generation.
        public let revision: Int64
    }

    /// Servers learn of a revision within a second. Those that have not by then are refused by the store itself.
    private static let timeForServersToLearn: Duration = .milliseconds(1_500)
    private static let keysPerCommand = 1_000

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Parameter progress: told how many online keys have been deleted so far.
    /// - Throws: `LarderError` `generation_not_found`, `generation_in_use`; `online_store_unavailable` and
    ///   `registry_unavailable`, after which the same command goes on.
    public func run(
        view name: String, generation number: Int32, in project: RegisteredProject,
        progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> Result {
        let lifecycle = ChangeLifecycle(stores: stores)
        var current = project
        try await refuseWhatTrainingSetsNeed(try project.droppableView(named: name), number)
        let state = try project.droppableView(named: name).generation(number)?.state
        if state != .dropping {
            current = try await lifecycle.make(.beginDrop(view: name, generation: number), in: project)
        }
        let view = try current.droppableView(named: name)
        let deleted = try await deleteOnline(view, number, in: current, progress: progress)
        let last = try await lifecycle.make(.finishDrop(view: name, generation: number), in: current)
        return Result(onlineKeysDeleted: deleted, revision: last.revision)
    }

    /// A training set that was kept is made again from the generations it was read from.
    private func refuseWhatTrainingSetsNeed(_ view: RegisteredFeatureView, _ number: Int32) async throws {
        let names = try await stores.writer.withConnection { connection in
            try await TrainingSetStore.names(readFrom: view.id, generation: number, on: connection)
        }
        guard let first = names.first else { return }
        throw LarderError(
            .trainingSetNeedsGeneration,
            "generation \(number) of feature view \"\(view.name)\" is what \(names.count == 1 ? "training set" : "training sets") "
                + names.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ") + " can be made again from",
            hint: "write the set to a file if you need it, then: larder training-set delete \(first)")
    }

    private func deleteOnline(
        _ view: RegisteredFeatureView, _ number: Int32, in project: RegisteredProject,
        progress: @Sendable (Int64) -> Void
    ) async throws -> Int64 {
        guard view.isOnline, let generation = view.generation(number) else { return 0 }
        return try await stores.writer.withConnection { connection in
            let keySpaces = try await KeySpaceStore().ofGeneration(
                number, featureViewID: view.id, on: connection)
            guard !keySpaces.isEmpty else { return 0 }
            let installation = try await connection.installationID()
            let control = OnlineStoreControl(redis: stores.redis, installation: installation)
            try await refuseOlderReaders(project, control, on: connection)
            // Publishers that began before the drop are refused by the fence now, and by its absence later.
            for keySpace in keySpaces {
                let fence = try await KeySpaceStore().raiseFence(of: keySpace, on: connection)
                try await control.raiseFence(ofKeySpace: keySpace, to: fence)
            }
            var deleted: Int64 = 0
            try await forEachKey(of: view, generation, on: connection) { keys in
                for keySpace in keySpaces { try await control.unlink(keys, ofKeySpace: keySpace) }
                deleted += Int64(keys.count)
                progress(deleted)
            }
            for keySpace in keySpaces { try await control.removeFence(ofKeySpace: keySpace) }
            return deleted
        }
    }

    /// From here on nobody reads who does not know that the generation is going.
    private func refuseOlderReaders(
        _ project: RegisteredProject, _ control: OnlineStoreControl, on connection: PostgresConnection
    ) async throws {
        guard let state = try await KeySpaceStore().onlineState(ofProject: project.id, on: connection) else { return }
        try await Task.sleep(for: Self.timeForServersToLearn)
        let raised = OnlineStoreState(
            onlineIncarnation: state.onlineIncarnation, redisRunID: state.redisRunID,
            minimumRevision: max(state.minimumRevision, project.revision), evictedKeys: state.evictedKeys)
        try await KeySpaceStore().setOnlineState(raised, ofProject: project.id, on: connection)
        try await control.raiseRevision(ofProject: project.id, sentinel: OnlineSentinel(raised))
    }

    private func forEachKey(
        of view: RegisteredFeatureView, _ generation: GenerationState, on connection: PostgresConnection,
        _ body: ([EntityKey]) async throws -> Void
    ) async throws {
        guard !generation.joinKeys.isEmpty else { return try await body([EntityKey.global]) }
        let encoder = EntityKeyEncoder(
            joinKeys: generation.joinKeys.map { JoinKey(name: $0.name, type: $0.storedType) })
        try await stores.writer.withConnection { reader in
            try await reader.transaction(isolation: .repeatableRead, readOnly: true) { reader in
                var stream = try await KeyStream.open(
                    OfflineTable(view: view, generation: generation.number), generation: generation, on: reader)
                while let columns = try await stream.next() {
                    var keys: [EntityKey] = []
                    for row in 0..<(columns.first?.count ?? 0) {
                        if let key = try encoder.encode(row: row, of: columns) { keys.append(key) }
                    }
                    for start in stride(from: 0, to: keys.count, by: Self.keysPerCommand) {
                        try await body(Array(keys[start..<min(start + Self.keysPerCommand, keys.count)]))
                    }
                }
            }
        }
    }
}
