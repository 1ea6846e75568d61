import FeatureModel
public import PostgresClient

extension JobStore {
    /// Asks a job to stop: a queued one is cancelled at once, a running one by its worker soon.
    ///
    /// - Returns: the job as it stands now.
    /// - Throws: `LarderError` `job_not_found`; `job_finished`.
    public func requestCancel(_ id: Int64, projectID: Int64, on connection: PostgresConnection) async throws -> Job {
        try await connection.transaction(isolation: .readCommitted) { connection in
            let rows = try await connection.query(
                """
                UPDATE larder.job j SET cancel_requested = true, retry_at = NULL,
                    state = CASE j.state WHEN 'queued' THEN 'cancelled' ELSE j.state END,
                    finished_at = CASE j.state WHEN 'queued' THEN clock_timestamp() END,
                    expires_at = CASE j.state WHEN 'queued' THEN clock_timestamp() + kept_for END
                FROM larder.project p
                WHERE j.id = \(id) AND j.project_id = \(projectID) AND p.id = j.project_id
                  AND j.state IN ('queued', 'running')
                RETURNING \(query: JobRow.columns)
                """)
            guard let job = try rows.first.map(JobRow.decode) else {
                let state = try await job(id, projectID: projectID, on: connection).state
                throw LarderError(.jobFinished, "job \(id) is over already: it is \(state.rawValue)")
            }
            if job.state == .running { try await JobChannel.announce(.cancelRequested(id), on: connection) }
            return job
        }
    }

    /// Queues a job again that failed, was cancelled, or is put off, as if it had never been begun. It no longer has the key
    /// of `enqueueOnce`: another one may have been queued for the same need by now.
    ///
    /// - Returns: the job as it stands now.
    /// - Throws: `LarderError` `job_not_found`; `job_not_finished`; `job_finished` when it succeeded.
    public func retry(_ id: Int64, projectID: Int64, on connection: PostgresConnection) async throws -> Job {
        try await connection.transaction(isolation: .readCommitted) { connection in
            let rows = try await connection.query(
                """
                UPDATE larder.job j SET state = 'queued', error = NULL, attempts = 0, rows_done = 0, rows_total = NULL,
                    note = NULL, worker = NULL, started_at = NULL, finished_at = NULL, expires_at = NULL,
                    cancel_requested = false, retry_at = NULL, key = NULL
                FROM larder.project p
                WHERE j.id = \(id) AND j.project_id = \(projectID) AND p.id = j.project_id
                  AND (j.state IN ('failed', 'cancelled') OR (j.state = 'queued' AND j.retry_at IS NOT NULL))
                RETURNING \(query: JobRow.columns)
                """)
            guard let job = try rows.first.map(JobRow.decode) else {
                let state = try await job(id, projectID: projectID, on: connection).state
                throw state.isFinished
                    ? LarderError(.jobFinished, "job \(id) succeeded already", hint: "ask for the work as a new job")
                    : LarderError(
                        .jobNotFinished, "job \(id) is not over: it is \(state.rawValue)",
                        hint: "larder jobs cancel \(id) stops it")
            }
            try await JobChannel.announce(.queued, on: connection)
            return job
        }
    }

    /// Removes finished jobs that have been kept as long as they were to be, with their pieces.
    ///
    /// - Parameter limit: at most so many.
    /// - Returns: how many.
    @discardableResult
    public func removeExpired(limit: Int = 100, on connection: PostgresConnection) async throws -> Int {
        try await connection.execute(
            """
            DELETE FROM larder.job WHERE id IN (
                SELECT id FROM larder.job WHERE expires_at <= statement_timestamp()
                ORDER BY expires_at LIMIT \(Int64(limit)) FOR UPDATE SKIP LOCKED)
            """)
    }

    /// A job by its id; that of another project is not found.
    /// - Throws: `LarderError` `job_not_found`.
    public func job(_ id: Int64, projectID: Int64? = nil, on connection: PostgresConnection) async throws -> Job {
        guard let job = try await find(id, projectID: projectID, on: connection) else {
            throw LarderError.jobNotFound(id)
        }
        return job
    }
}
