public import PostgresClient

/// `larder.job` and its pieces. It holds nothing: any process may do anything here, and the database decides between them.
///
/// Every time is PostgreSQL's, so that clocks of workers do not matter.
public struct JobStore: Sendable {
    public init() {}

    /// Adds a job, with its input, in one transaction, and wakes workers that wait for one.
    ///
    /// - Parameter input: the next bytes of the input; nil at its end.
    /// - Returns: the job, queued.
    public func enqueue(
        _ job: NewJob, on connection: PostgresConnection, input: () async throws -> [UInt8]? = { nil }
    ) async throws -> Job {
        try await connection.transaction(isolation: .readCommitted) { connection in
            let id = try await connection.query(
                """
                INSERT INTO larder.job (project_id, kind, payload, created_by, maximum_attempts, kept_for)
                VALUES (\(job.projectID), \(job.kind.rawValue), \(job.payload)::json, \(job.createdBy),
                    \(job.maximumAttempts), \(query: .interval(job.keptFor)))
                RETURNING id
                """
            ).onlyValue(as: Int64.self)
            try await add(input, toJob: id, on: connection)
            // Sent with the commit.
            try await JobChannel.announce(.queued, on: connection)
            guard let added = try await find(id, on: connection) else { throw PostgresError(.decoding, "no job") }
            return added
        }
    }

    private func add(
        _ input: () async throws -> [UInt8]?, toJob id: Int64, on connection: PostgresConnection
    ) async throws {
        var number: Int32 = 0
        while let bytes = try await input() {
            for piece in JobPieces.split(bytes) {
                try await connection.execute(
                    "INSERT INTO larder.job_input (job_id, number, bytes) VALUES (\(id), \(number), \(piece))")
                number += 1
            }
        }
    }

    /// A job by its id; nil when there is none, or it is another project's.
    public func find(_ id: Int64, projectID: Int64? = nil, on connection: PostgresConnection) async throws -> Job? {
        let rows = try await connection.query(
            """
            SELECT \(query: JobRow.columns) FROM larder.job j JOIN larder.project p ON p.id = j.project_id
            WHERE j.id = \(id) AND (\(projectID)::bigint IS NULL OR j.project_id = \(projectID))
            """)
        return try rows.first.map(JobRow.decode)
    }

    /// Jobs of a project, newest first.
    ///
    /// - Parameters:
    ///   - states: only jobs in one of these; empty means all.
    ///   - id: only jobs with smaller ids.
    public func list(
        projectID: Int64, states: Set<JobState> = [], before id: Int64? = nil, limit: Int,
        on connection: PostgresConnection
    ) async throws -> [Job] {
        let names = states.isEmpty ? JobState.allCases.map(\.rawValue) : states.map(\.rawValue)
        return try await connection.query(
            """
            SELECT \(query: JobRow.columns) FROM larder.job j JOIN larder.project p ON p.id = j.project_id
            WHERE j.project_id = \(projectID) AND j.state = ANY(\(names)) AND j.id < \(id ?? .max)
            ORDER BY j.id DESC LIMIT \(Int64(limit))
            """
        ).map(JobRow.decode)
    }
}
