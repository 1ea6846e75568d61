public import FeatureDefinitions
import FeatureModel
import OfflineStore
import PostgresClient
import Registry

/// The training sets that were kept under a name: told, made again, deleted.
public struct SavedTrainingSets: Sendable {
    /// What making one again came to.
    public struct Reproduction: Sendable {
        public let saved: SavedTrainingSet
        public let report: TrainingSetReport
        /// Of the frame as it was made now.
        public let contentHash: String

        public var isSame: Bool { contentHash == saved.contentHash }
    }

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// Oldest first.
    public func list(in project: RegisteredProject) async throws -> [SavedTrainingSet] {
        try await stores.writer.withConnection { connection in
            try await TrainingSetStore(projectID: project.id).records(on: connection).map(SavedTrainingSet.init)
        }
    }

    /// - Throws: `training_set_not_found`.
    public func trainingSet(named name: String, in project: RegisteredProject) async throws -> SavedTrainingSet {
        try await stores.writer.withConnection { connection in
            try SavedTrainingSet(
                try await TrainingSetStore(projectID: project.id).record(named: name, on: connection))
        }
    }

    /// - Throws: `training_set_not_found`.
    public func delete(named name: String, in project: RegisteredProject) async throws {
        try await stores.writer.withTransaction { connection in
            try await TrainingSetStore(projectID: project.id).delete(named: name, on: connection)
        }
    }

    /// Makes a training set again: its spine, under the definitions and from the rows of its time.
    /// - Parameters:
    ///   - write: takes the next bytes.
    ///   - progress: told the number of rows that are done.
    /// - Throws: `training_set_not_found`, and what making it throws.
    public func reproduce(
        named name: String, in project: RegisteredProject, format: FrameFormat,
        resources: TrainingSetResources = TrainingSetResources(), write: ([UInt8]) async throws -> Void,
        progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> Reproduction {
        let store = TrainingSetStore(projectID: project.id)
        let (record, then) = try await stores.writer.withConnection { connection in
            let record = try await store.record(named: name, on: connection)
            let then = try await RegistryStore().project(
                id: project.id, revision: record.projectRevision, on: connection)
            return (record, then)
        }
        guard let then else {
            throw LarderError(
                .internalError,
                "the registry lacks revision \(record.projectRevision), which \"\(name)\" was made under")
        }
        let request = try StoredTrainingSetRequest(text: record.request)
            .request(asOf: record.asOf, resources: resources)
        var number: Int32 = 0
        let pool = stores.writer
        let input = SpineInput(name: name) {
            let piece = try await pool.withConnection { [number] connection in
                try await store.spine(of: record.id, number: number, on: connection)
            }
            number += 1
            return piece ?? []
        }
        var hash: FrameHash?
        let report = try await MakeTrainingSet(stores: stores).run(
            request, spine: .input(input, .arrows), in: then, format: format,
            frame: .init(begin: { hash = FrameHash(fields: $0) }, add: { hash?.add($0) }), write: write,
            progress: progress)
        return Reproduction(
            saved: try SavedTrainingSet(record), report: report, contentHash: hash?.finalize() ?? "")
    }
}
