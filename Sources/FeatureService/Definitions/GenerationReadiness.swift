public import FeatureDefinitions
import FeatureModel
import OfflineStore
import PostgresClient
import Registry

/// How far a generation is behind what has been written.
public struct GenerationLag: Sendable, Hashable {
    /// Raw rows that have been ingested since the generation was computed last, or rows that have been pushed into the
    /// generation that it copies; nil where the source keeps no count.
    public let rowsToCompute: Int64?
    /// Rows of the generation that have not been published; nil for a view that is not online.
    public let rowsToPublish: Int64?
}

/// Whether a generation can be read, and how current it is.
public struct GenerationReadiness: Sendable {
    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Throws: `generation_not_filled` when it was never computed whole, or never published.
    func check(_ view: RegisteredFeatureView, generation number: Int32, in project: RegisteredProject) async throws {
        try await stores.writer.withConnection { connection in
            let incarnation = try await Incarnation.current(on: connection)
            let table = OfflineTable(view: view, generation: number)
            let watermark = try await WatermarkStore.read(
                table, stage: .offline, incarnation: incarnation, on: connection)
            let command = "larder materialize \(view.name)"
            guard watermark.schemaVersion != nil else {
                throw LarderError(
                    .generationNotFilled,
                    "generation \(number) of feature view \"\(view.name)\" has never been materialized whole",
                    hint: "run \(command), without --start and --end")
            }
            guard view.isOnline else { return }
            let keySpaces = try await KeySpaceStore().all(of: incarnation, on: connection)
            guard
                keySpaces.contains(where: { $0.featureViewID == view.id && $0.generation == number && $0.isPublished })
            else {
                throw LarderError(
                    .generationNotFilled,
                    "generation \(number) of feature view \"\(view.name)\" has never been published online",
                    hint: "run \(command)")
            }
        }
    }

    /// What has been written and is not in the generation yet.
    public func lag(
        of view: RegisteredFeatureView, generation number: Int32, in project: RegisteredProject
    ) async throws -> GenerationLag {
        guard let generation = view.generation(number), let source = project.source(id: generation.sourceID) else {
            return GenerationLag(rowsToCompute: nil, rowsToPublish: nil)
        }
        return try await stores.writer.withConnection { connection in
            let incarnation = try await Incarnation.current(on: connection)
            let table = OfflineTable(view: view, generation: number)
            let offline = try await WatermarkStore.read(
                table, stage: .offline, incarnation: incarnation, on: connection)
            let online = try await WatermarkStore.read(table, stage: .online, incarnation: incarnation, on: connection)
            var rowsToCompute: Int64?
            if let target = feeding(generation, of: view, source) {
                rowsToCompute = try await WriteLedger.rowsWritten(
                    to: target, since: offline.snapshot, of: incarnation, on: connection)
            }
            return GenerationLag(
                rowsToCompute: rowsToCompute,
                rowsToPublish: view.isOnline
                    ? try await WriteLedger.rowsWritten(
                        to: .featureView(view.id, generation: number), since: online.snapshot, of: incarnation,
                        on: connection) : nil)
        }
    }

    /// What the rows of a generation come from, where the ledger counts it.
    private func feeding(
        _ generation: GenerationState, of view: RegisteredFeatureView, _ source: RegisteredSource
    ) -> WriteRecord.Target? {
        switch source.kind {
        case .table: .source(source.id)
        case .push:
            view.predecessor(of: generation).map { .featureView(view.id, generation: $0.number) }
        case .postgres, .query: nil
        }
    }
}
