import FeatureModel
public import PostgresClient

extension JobStore {
    /// A job whose workers go away so often, one after the other, is taken to be the reason, whatever attempts are left.
    private static let maximumAbandonments: Int32 = 3

    /// Takes the oldest job there is to do: a queued one that is not put off, or one whose worker let its lease expire.
    /// Runs a transaction.
    ///
    /// Two claims never give the same job. What former attempts put out is removed. Jobs that were given up in their last
    /// attempt, or in three attempts in a row, end here.
    ///
    /// Jobs that a need has queued (`enqueueOnce`) come first, as somebody waits for each; then the oldest.
    ///
    /// - Parameters:
    ///   - onlyKeyed: whether to take nothing but jobs that a need has queued.
    ///   - duration: how long the lease holds unless a heartbeat renews it.
    /// - Returns: nil when there is nothing to do.
    public func claim(
        worker: String, kinds: Set<JobKind>, onlyKeyed: Bool = false, for duration: Duration,
        on connection: PostgresConnection
    ) async throws -> ClaimedJob? {
        try await connection.transaction(isolation: .readCommitted) { connection in
            try await endAbandoned(on: connection)
            // What was not to be begun again above is not now either: a lease may have run out in between.
            let rows = try await connection.query(
                """
                WITH next AS (
                    SELECT id FROM larder.job
                    WHERE ((state = 'queued' AND (retry_at IS NULL OR retry_at <= statement_timestamp()))
                        OR (state = 'running' AND lease_expires_at <= statement_timestamp() AND NOT cancel_requested
                            AND attempts < maximum_attempts AND abandonments + 1 < \(Self.maximumAbandonments)))
                      AND kind = ANY(\(kinds.map(\.rawValue))) AND (key IS NOT NULL OR NOT \(onlyKeyed))
                    ORDER BY key IS NULL, id LIMIT 1 FOR UPDATE SKIP LOCKED
                )
                UPDATE larder.job j SET state = 'running', worker = \(worker), attempts = j.attempts + 1,
                    lease_token = j.lease_token + 1,
                    lease_expires_at = clock_timestamp() + \(query: .interval(duration)), retry_at = NULL,
                    abandonments = CASE j.state WHEN 'running' THEN j.abandonments + 1 ELSE 0 END,
                    started_at = clock_timestamp(), rows_done = 0, rows_total = NULL, note = NULL
                FROM next, larder.project p
                WHERE j.id = next.id AND p.id = j.project_id
                RETURNING \(query: JobRow.columns)
                """)
            guard let job = try rows.first.map({ ClaimedJob(try JobRow.decode($0)) }) else { return nil }
            // A statement of its own: it sees what the former worker committed up to the moment the job was locked.
            try await connection.execute("DELETE FROM larder.job_output WHERE job_id = \(job.id)")
            return job
        }
    }

    /// Jobs whose worker is gone and that are not begun again.
    private func endAbandoned(on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            WITH abandoned AS (
                SELECT id FROM larder.job
                WHERE state = 'running' AND lease_expires_at <= statement_timestamp()
                  AND (cancel_requested OR attempts >= maximum_attempts
                    OR abandonments + 1 >= \(Self.maximumAbandonments))
                FOR UPDATE SKIP LOCKED
            ), removed AS (
                DELETE FROM larder.job_output o USING abandoned a WHERE o.job_id = a.id
            )
            UPDATE larder.job j SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'failed' END,
                error = CASE WHEN NOT cancel_requested THEN json_build_object(
                    'code', 'job_abandoned',
                    'message', format('%s attempts were begun and none was finished; the last worker, "%s", stopped '
                        'renewing its lease', attempts, worker),
                    'hint', 'the worker''s log may tell why; larder jobs retry begins again') END,
                lease_expires_at = NULL, finished_at = clock_timestamp(), expires_at = clock_timestamp() + kept_for
            FROM abandoned WHERE j.id = abandoned.id
            """)
    }

    /// Renews a lease and tells how far the work is.
    ///
    /// - Returns: whether the job has been asked to stop.
    /// - Throws: `LarderError` `job_lease_lost` when the lease is no longer the newest.
    public func heartbeat(
        _ lease: JobLease, _ progress: JobProgress.Snapshot, for duration: Duration, on connection: PostgresConnection
    ) async throws -> Bool {
        // A server that does not answer in time is no better than one that is gone.
        let rows = try await connection.query(
            """
            UPDATE larder.job SET lease_expires_at = clock_timestamp() + \(query: .interval(duration)),
                rows_done = \(progress.rowsDone), rows_total = \(progress.rowsTotal), note = \(progress.note)
            WHERE \(query: condition(lease)) AND state = 'running'
            RETURNING cancel_requested
            """, timeout: duration)
        guard let row = rows.first else { throw LarderError.leaseLost(lease) }
        return try row.decode("cancel_requested", as: Bool.self)
    }

    /// That a lease is the newest, until the end of the caller's transaction: for work that writes something else than output.
    /// Best the transaction's last statement, because heartbeats wait for it.
    /// - Throws: `LarderError` `job_lease_lost`, upon which the transaction is to be rolled back.
    public func require(_ lease: JobLease, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            "SELECT id FROM larder.job WHERE \(query: condition(lease)) AND state = 'running' FOR NO KEY UPDATE")
        if rows.isEmpty { throw LarderError.leaseLost(lease) }
    }

    /// Gives a job back, to be begun again at once by anyone. The attempt does not count.
    /// - Throws: `LarderError` `job_lease_lost`.
    public func release(_ lease: JobLease, on connection: PostgresConnection) async throws {
        try await putBack(lease, "attempts = attempts - 1, note = NULL", on: connection)
        try await JobChannel.announce(.queued, on: connection)
    }

    /// Puts off a job that failed for a passing reason: no worker begins it again before the pause is over. The attempt
    /// counts.
    ///
    /// - Parameter reason: what failed, shown as the job's note.
    /// - Throws: `LarderError` `job_lease_lost`.
    public func postpone(
        _ lease: JobLease, by pause: Duration, reason: String, on connection: PostgresConnection
    ) async throws {
        try await putBack(
            lease,
            """
            retry_at = CASE WHEN NOT cancel_requested THEN clock_timestamp() + \(query: .interval(pause)) END,
            note = \(storable(reason))
            """, on: connection)
    }

    /// Ends an attempt before the job is over. One that was asked to stop is cancelled instead of queued.
    private func putBack(
        _ lease: JobLease, _ changes: PostgresQuery, on connection: PostgresConnection
    ) async throws {
        try await end(
            lease,
            """
            UPDATE larder.job SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'queued' END,
                \(query: changes), lease_expires_at = NULL, started_at = NULL, rows_done = 0, rows_total = NULL,
                finished_at = CASE WHEN cancel_requested THEN clock_timestamp() END,
                expires_at = CASE WHEN cancel_requested THEN clock_timestamp() + kept_for END
            WHERE \(query: condition(lease)) AND state = 'running'
            """, removesOutput: true, on: connection)
    }

    /// That the lease is the job's newest.
    func condition(_ lease: JobLease) -> PostgresQuery {
        "id = \(lease.jobID) AND lease_token = \(lease.token)"
    }

    func outputCondition(_ lease: JobLease) -> PostgresQuery {
        "job_id = \(lease.jobID) AND lease_token = \(lease.token)"
    }
}
