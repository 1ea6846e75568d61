public import FeatureDefinitions
import FeatureModel
public import Jobs
import PostgresClient
import TextFormats

/// Training sets that are too large to wait for: queued with their spine, made by a worker, kept for download.
public struct TrainingSetJobs: Sendable {
    private let stores: Stores
    private let resources: TrainingSetResources
    private let jobs = JobStore()

    public init(stores: Stores, resources: TrainingSetResources = TrainingSetResources()) {
        self.stores = stores
        self.resources = resources
    }

    /// Queues a training set. The spine is read here to its end.
    /// - Throws: what is wrong with the features or the options; nothing is queued then.
    public func enqueue(
        _ request: TrainingSetRequest, spine: SpineSource, format: FrameFormat, contentType: String,
        in project: RegisteredProject
    ) async throws -> Job {
        let plan = try TrainingSetPlan(
            FeatureSelection.resolve(request.features, in: project), projectID: project.id, options: request.options)
        try request.options.split?.validate()
        if case .changes = spine { try plan.requireChangingView(in: project) }
        let changes = try StoredChanges(spine, plan, maximumEntities: request.resources.maximumEntities)
        var payload = TrainingSetJobPayload(
            request: StoredTrainingSetRequest(request, changes: changes), name: request.name,
            asOf: request.options.asOf?.microsecondsSince1970, timeZone: request.options.timeZone,
            nullSpelling: request.options.nullSpelling, format: format.rawValue, contentType: contentType)
        var input: SpineInput?
        switch spine {
        case .input(let bytes, let format):
            input = bytes
            payload.spineFormat = format.rawValue
        case .sql(let sql): payload.spineSQL = sql
        case .changes: break
        }
        let job = NewJob(
            projectID: project.id, kind: .trainingSet, payload: try payload.text(), createdBy: stores.actor)
        return try await stores.writer.withConnection { connection in
            try await jobs.enqueue(job, on: connection) {
                guard let bytes = try await input?.next(), !bytes.isEmpty else { return nil }
                return bytes
            }
        }
    }

    /// Does a job: `JobWorker`'s handler.
    public func perform(_ job: ClaimedJob, _ progress: JobProgress) async throws -> String {
        let payload = try TrainingSetJobPayload.read(job.payload)
        guard let format = FrameFormat(rawValue: payload.format) else {
            throw LarderError(.internalError, "the job's format is \"\(payload.format)\"")
        }
        let project = try await stores.project(named: job.projectName)
        var output = JobOutput(job.lease, pool: stores.writer)
        progress.update { $0.note = "joining" }
        let report = try await MakeTrainingSet(stores: stores, job: job.lease).run(
            payload.trainingSet(resources), spine: try await spine(of: job, payload), in: project, format: format,
            write: { try await output.write($0) },
            progress: { rows in progress.update { $0.rowsDone = Int64(rows) } })
        try await output.finish()
        guard case .object(let members) = report.document else { return "{}" }
        let result = JSONValue.object(
            [
                .init("content_type", .string(payload.contentType)),
                .init("file_name", .string("training_set_\(job.id).\(format.rawValue)")),
            ] + members)
        return String(decoding: result.serialized(), as: UTF8.self)
    }

    private func spine(of job: ClaimedJob, _ payload: TrainingSetJobPayload) async throws -> SpineSource {
        if let sql = payload.spineSQL { return .sql(sql) }
        if let changes = payload.request.changes { return try changes.spine }
        guard let format = payload.spineFormat.flatMap(FrameFormat.init(rawValue:)) else {
            throw LarderError(.internalError, "the job has no spine")
        }
        let stored = try await stores.writer.withConnection { try await jobs.input(job.id, on: $0) }
        var pieces = stored.stream(stores.writer).makeAsyncIterator()
        return .input(SpineInput(name: "the job's spine") { try await pieces.next() ?? [] }, format)
    }
}
