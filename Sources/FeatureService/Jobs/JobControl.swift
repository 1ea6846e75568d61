public import FeatureDefinitions
import FeatureModel
public import Jobs
import PostgresClient

/// What people do with the jobs of a project. Jobs of others do not exist here.
public struct JobControl: Sendable {
    private let stores: Stores
    private let jobs = JobStore()

    public init(stores: Stores) {
        self.stores = stores
    }

    /// Newest first.
    /// - Parameters:
    ///   - states: only jobs in one of these; empty means all.
    ///   - id: only jobs with smaller ids.
    public func list(
        in project: RegisteredProject, states: Set<JobState> = [], before id: Int64? = nil, limit: Int
    ) async throws -> [Job] {
        try await stores.writer.withConnection { connection in
            try await jobs.list(projectID: project.id, states: states, before: id, limit: limit, on: connection)
        }
    }

    /// - Throws: `job_not_found`.
    public func job(_ id: Int64, in project: RegisteredProject) async throws -> Job {
        try await stores.writer.withConnection { connection in
            try await jobs.job(id, projectID: project.id, on: connection)
        }
    }

    /// Asks a job to stop; a queued one is cancelled when this returns.
    /// - Throws: `job_not_found`; `job_finished`.
    public func cancel(_ id: Int64, in project: RegisteredProject) async throws -> Job {
        try await stores.writer.withConnection { connection in
            try await jobs.requestCancel(id, projectID: project.id, on: connection)
        }
    }

    /// Queues a job again that failed, was cancelled, or waits for its next attempt.
    /// - Throws: `job_not_found`; `job_not_finished`; `job_finished` when it succeeded.
    public func retry(_ id: Int64, in project: RegisteredProject) async throws -> Job {
        try await stores.writer.withConnection { connection in
            try await jobs.retry(id, projectID: project.id, on: connection)
        }
    }

    /// What a job has made, to be read from PostgreSQL piece by piece.
    /// - Throws: `job_not_found`; `job_not_finished`; `job_not_succeeded`.
    public func output(_ id: Int64, in project: RegisteredProject) async throws -> JobDownload {
        let (job, pieces) = try await stores.writer.withConnection { connection in
            try await jobs.output(id, projectID: project.id, on: connection)
        }
        return JobDownload(job: job, byteCount: pieces.byteCount, pieces: pieces.stream(stores.writer))
    }
}
