public import FeatureDefinitions
import FeatureModel
public import Jobs
import OfflineStore
import PostgresClient

/// Joins a spine with the features that were right at each row's time, and gives the frame out as it is made.
public struct MakeTrainingSet: Sendable {
    let stores: Stores
    /// Of the job that does this, if one does. What is saved replaces what an earlier attempt of it has saved, and nothing
    /// is saved once the lease is lost.
    let job: JobLease?

    public init(stores: Stores, job: JobLease? = nil) {
        self.stores = stores
        self.job = job
    }

    /// Who looks at the frame beside its being written.
    struct FrameObserver {
        var begin: ([Field]) -> Void = { _ in }
        var add: (RecordBatch) -> Void = { _ in }
    }

    /// - Parameters:
    ///   - format: of the bytes that are given out.
    ///   - write: takes the next bytes; the work waits for it. What it throws ends the work.
    ///   - progress: told the number of rows that are done.
    /// - Throws: `LarderError`; what was given out by then is no whole frame.
    public func run(
        _ request: TrainingSetRequest, spine: SpineSource, in project: RegisteredProject, format: FrameFormat,
        write: ([UInt8]) async throws -> Void, progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> TrainingSetReport {
        try await run(
            request, spine: spine, in: project, format: format, frame: nil, write: write, progress: progress)
    }

    /// - Parameter frame: where it is given, no column is kept as text.
    func run(
        _ request: TrainingSetRequest, spine: SpineSource, in project: RegisteredProject, format: FrameFormat,
        frame: FrameObserver?, write: ([UInt8]) async throws -> Void, progress: @Sendable (Int) -> Void
    ) async throws -> TrainingSetReport {
        if case .changes(let start, let end, _) = spine, start > end {
            throw LarderError(.requestInvalid, "the start, \(start), is after the end, \(end)")
        }
        var request = request
        // What is saved is what can be made again: its past is settled, and no column is kept as text.
        if request.name != nil, request.options.asOf == nil { request.options.asOf = try await settledNow() }
        if let asOf = request.options.asOf {
            try await stores.writer.withConnection { try await AsOfSettlement.wait(for: asOf, on: $0) }
        }
        let plan = try TrainingSetPlan(
            FeatureSelection.resolve(request.features, in: project), projectID: project.id, options: request.options)
        try request.options.split?.validate()
        if case .changes = spine { try plan.requireChangingView(in: project) }
        let final = request
        let changes = try StoredChanges(spine, plan, maximumEntities: final.resources.maximumEntities)
        var writer: FrameWriter?
        let report = try await SharedSnapshot.with(
            connections: max(1, final.resources.connections), of: stores.writer
        ) { connections, snapshot in
            try await plan.checkFilled(in: project, on: connections[0])
            return try await withSaving(final, changes, plan, project, seenBy: connections[0]) { saving in
                try await withSpine(
                    spine, plan, snapshot, keepsText: format == .csv && saving == nil && frame == nil,
                    maximumEntities: final.resources.maximumEntities, limit: plan.firstLimit(final.resources)
                ) { spine in
                    let run = TrainingSetRun(
                        plan: try await plan.simplified(on: connections[0]), resources: final.resources)
                    var report = try await run.run(
                        spine, on: connections,
                        begin: { fields in
                            var first = FrameWriter(format: format, fields: fields)
                            try await write(first.begin())
                            writer = first
                            saving?.begin(fields)
                            frame?.begin(fields)
                        },
                        segment: { try await saving?.add(spine: $0) },
                        sink: { batches in
                            for batch in batches {
                                saving?.add(batch)
                                frame?.add(batch)
                                if let bytes = writer?.write(batch) { try await write(bytes) }
                            }
                        }, progress: progress)
                    report.saved = try await saving?.finish(report)
                    return report
                }
            }
        }
        // Only what has been saved where that was asked for is whole.
        if let bytes = writer?.end() { try await write(bytes) }
        return report
    }

    /// PostgreSQL's clock: writes stamped by it from now on are later.
    private func settledNow() async throws -> Timestamp {
        try await stores.writer.withConnection { connection in
            let now = try await connection.query("SELECT clock_timestamp() AS now").onlyValue(
                as: PostgresTimestamp.self)
            return Timestamp(microsecondsSince1970: now.microsecondsSince1970)
        }
    }
}
