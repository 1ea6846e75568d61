public import FeatureModel
public import PostgresClient

// Each of these may be repeated under the same lease, should the answer to the first have been lost.

extension JobStore {
    /// So many reasons are kept, failures behind a failure and rows to blame together: PostgreSQL takes no more of them
    /// at a time.
    private static let storedReasons = 100
    /// So many rows are kept of each failure behind a failure.
    private static let storedReasonsOfEach = 10

    /// Ends a job with its result; what the lease's attempt put out becomes the job's output.
    ///
    /// - Parameter result: JSON text. The members `content_type` and `file_name` say what the output is.
    /// - Throws: `LarderError` `job_lease_lost`; nothing is changed then.
    public func succeed(
        _ lease: JobLease, result: String, _ progress: JobProgress.Snapshot, on connection: PostgresConnection
    ) async throws {
        try await finish(
            lease, .succeeded,
            """
            result = \(result)::json, rows_done = \(progress.rowsDone), rows_total = \(progress.rowsTotal),
            note = NULL
            """, on: connection)
    }

    /// Ends a job with the reason why it cannot be done. What its attempt put out is removed.
    /// - Throws: `LarderError` `job_lease_lost`; nothing is changed then.
    public func fail(
        _ lease: JobLease, _ error: LarderError, _ progress: JobProgress.Snapshot, on connection: PostgresConnection
    ) async throws {
        try await finish(
            lease, .failed,
            """
            error = json_strip_nulls(json_build_object('code', \(error.code.name), 'message', \(storable(error.message)),
                'hint', \(error.hint.map(storable)), \(query: reasons(of: error, atMost: Self.storedReasons)))),
            rows_done = \(progress.rowsDone), rows_total = \(progress.rowsTotal), note = \(progress.note)
            """, on: connection)
    }

    /// The failures behind an error and the first rows to blame, as problem documents of the HTTP API have them.
    private func reasons(of error: LarderError, atMost limit: Int) -> PostgresQuery {
        let failures = error.errors.prefix(limit).map { failure -> PostgresQuery in
            """
            json_build_object('code', \(failure.code.name), 'detail', \(storable(failure.message)),
                'hint', \(failure.hint.map(storable)),
                \(query: reasons(of: failure, atMost: Self.storedReasonsOfEach)))
            """
        }
        let rows = error.rows.prefix(limit - failures.count).map { row -> PostgresQuery in
            """
            json_build_object('row', \(Int64(row.row)), 'line', \(row.line.map(Int64.init)),
                'feature', \(row.feature.map(storable)), 'code', \(row.code), 'message', \(storable(row.message)))
            """
        }
        let kept = failures + rows
        guard !kept.isEmpty else { return "'errors', NULL" }
        let violationCount: PostgresQuery = rows.isEmpty ? "NULL" : "\(Int64(error.violationCount))"
        return """
            'errors', json_build_array(\(query: kept.joined(separator: ", "))),
            'violation_count', \(query: violationCount)
            """
    }

    /// Ends a job that was asked to stop and has. What its attempt put out is removed.
    /// - Throws: `LarderError` `job_lease_lost`; nothing is changed then.
    public func endCancelled(
        _ lease: JobLease, _ progress: JobProgress.Snapshot, on connection: PostgresConnection
    ) async throws {
        try await finish(
            lease, .cancelled,
            "rows_done = \(progress.rowsDone), rows_total = \(progress.rowsTotal), note = \(progress.note)",
            on: connection)
    }

    private func finish(
        _ lease: JobLease, _ state: JobState, _ changes: PostgresQuery, on connection: PostgresConnection
    ) async throws {
        try await end(
            lease,
            """
            UPDATE larder.job SET state = \(state.rawValue), \(query: changes), lease_expires_at = NULL,
                finished_at = coalesce(finished_at, clock_timestamp()),
                expires_at = coalesce(expires_at, clock_timestamp() + kept_for)
            WHERE \(query: condition(lease)) AND state IN ('running', \(state.rawValue))
            """, removesOutput: state != .succeeded, on: connection)
    }

    /// Runs the statement that ends an attempt. The output goes only with a job that the statement changed: one that is refused
    /// must leave alone what a job has that succeeded under the same lease.
    func end(
        _ lease: JobLease, _ update: PostgresQuery, removesOutput: Bool, on connection: PostgresConnection
    ) async throws {
        let removal: PostgresQuery =
            removesOutput
            ? """
            , removed AS (
                DELETE FROM larder.job_output o USING ended e WHERE o.job_id = e.id AND o.lease_token = e.lease_token
            )
            """ : ""
        let ended = try await connection.query(
            "WITH ended AS (\(query: update) RETURNING id, lease_token)\(query: removal) SELECT id FROM ended")
        guard ended.count == 1 else { throw LarderError.leaseLost(lease) }
    }

    /// The text without what PostgreSQL's text cannot hold.
    func storable(_ text: String) -> String {
        text.filter { $0 != "\0" }
    }
}
