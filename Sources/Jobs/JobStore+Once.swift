public import PostgresClient

extension JobStore {
    /// Adds a job for a need that others may see at the same time: there is never more than one unfinished job for it.
    ///
    /// A job that is over, and has left the need, is followed by another one after a pause: a second, and four times as long
    /// after each further one of the last hour, up to five minutes.
    ///
    /// - Parameter key: what the need is called, within the project and the kind.
    /// - Returns: the job, queued; nil when there is one, or it is too early for another.
    public func enqueueOnce(_ job: NewJob, key: String, on connection: PostgresConnection) async throws -> Job? {
        try await connection.transaction(isolation: .readCommitted) { connection in
            let rows = try await connection.query(
                """
                INSERT INTO larder.job (project_id, kind, payload, created_by, maximum_attempts, kept_for, key)
                SELECT \(job.projectID), \(job.kind.rawValue), \(job.payload)::json, \(job.createdBy),
                    \(job.maximumAttempts), \(query: .interval(job.keptFor)), \(key)
                WHERE NOT EXISTS (
                    SELECT FROM larder.job j
                    WHERE j.project_id = \(job.projectID) AND j.kind = \(job.kind.rawValue) AND j.key = \(key)
                      AND j.finished_at > clock_timestamp() - interval '1 hour'
                    HAVING max(j.finished_at)
                        + least(interval '1 second' * power(4, least(count(*) - 1, 8)), interval '5 minutes')
                        > clock_timestamp())
                ON CONFLICT (project_id, kind, key) WHERE state IN ('queued', 'running') DO NOTHING
                RETURNING id
                """)
            guard let id = try rows.first?.decode("id", as: Int64.self) else { return nil }
            // Sent with the commit.
            try await JobChannel.announce(.queued, on: connection)
            guard let added = try await find(id, on: connection) else { throw PostgresError(.decoding, "no job") }
            return added
        }
    }
}
