import FeatureModel
import PostgresClient

/// How a job is read from its row.
enum JobRow {
    /// Of `larder.job j` and its `larder.project p`.
    static let columns: PostgresQuery = """
        j.id, j.project_id, p.name AS project_name, j.kind, j.state, j.payload, j.result,
        j.error->>'code' AS error_code, j.error->>'message' AS error_message, j.error->>'hint' AS error_hint,
        j.error->>'errors' AS error_reasons, (j.error->>'violation_count')::bigint AS error_violation_count,
        j.rows_done, j.rows_total, j.note, j.created_at, j.created_by, j.started_at, j.finished_at, j.attempts,
        j.maximum_attempts, j.worker, j.lease_token, j.lease_expires_at, j.cancel_requested, j.expires_at, j.retry_at,
        extract(epoch FROM coalesce(j.finished_at, clock_timestamp()) - j.started_at)::float8 AS elapsed
        """

    static func decode(_ row: PostgresRow) throws -> Job {
        let state = try row.decode("state", as: String.self)
        guard let state = JobState(rawValue: state) else {
            throw PostgresError(.decoding, "a job is in the unknown state \"\(state)\"")
        }
        let id = try row.decode("id", as: Int64.self)
        return Job(
            id: id, projectID: try row.decode("project_id"), projectName: try row.decode("project_name"),
            kind: JobKind(rawValue: try row.decode("kind")), state: state, payload: try row.decode("payload"),
            result: try row.decode("result"), failure: try failure(row),
            progress: JobProgress.Snapshot(
                rowsDone: try row.decode("rows_done"), rowsTotal: try row.decode("rows_total"),
                note: try row.decode("note")),
            createdAt: Timestamp(try row.decode("created_at", as: PostgresTimestamp.self)),
            createdBy: try row.decode("created_by"),
            startedAt: try instant("started_at", row), finishedAt: try instant("finished_at", row),
            retryAt: try instant("retry_at", row),
            attempts: try row.decode("attempts"), maximumAttempts: try row.decode("maximum_attempts"),
            worker: try row.decode("worker"), lease: JobLease(jobID: id, token: try row.decode("lease_token")),
            leaseExpiresAt: try instant("lease_expires_at", row),
            isCancelRequested: try row.decode("cancel_requested"), expiresAt: try instant("expires_at", row),
            elapsed: try row.decode("elapsed", as: Double?.self).map { .seconds($0) })
    }

    private static func failure(_ row: PostgresRow) throws -> JobFailure? {
        guard let code = try row.decode("error_code", as: String?.self) else { return nil }
        return JobFailure(
            code: code, message: try row.decode("error_message", as: String?.self) ?? "",
            hint: try row.decode("error_hint"), reasons: try row.decode("error_reasons"),
            violationCount: try row.decode("error_violation_count"))
    }

    private static func instant(_ name: String, _ row: PostgresRow) throws -> Timestamp? {
        try row.decode(name, as: PostgresTimestamp?.self).map { Timestamp($0) }
    }
}

extension Timestamp {
    fileprivate init(_ timestamp: PostgresTimestamp) {
        self.init(microsecondsSince1970: timestamp.microsecondsSince1970)
    }
}

extension PostgresQuery {
    /// An `interval` of so long.
    static func interval(_ duration: Duration) -> PostgresQuery {
        "make_interval(secs => \(duration / .seconds(1)))"
    }
}
