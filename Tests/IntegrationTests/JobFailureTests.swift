import FeatureModel
import FeatureService
import Jobs
import PostgresClient
import TestSupport
import Testing

/// Why a job failed, as it is kept and told again.
@Suite struct JobFailureTests {
    private func kept(_ error: LarderError, _ jobs: JobFixture) async throws -> LarderError {
        let id = try await jobs.enqueue()
        let lease = try #require(try await jobs.claim()).lease
        try await jobs.pool.withConnection { try await jobs.store.fail(lease, error, .init(), on: $0) }
        return try #require(try await jobs.job(id).failure).error(of: "job 7")
    }

    private func rows(_ count: Int) -> [RowViolation] {
        (1...count).map {
            RowViolation(row: $0, line: $0 + 1, feature: "temp", code: "above_maximum", message: "too warm")
        }
    }

    @Test func `failures behind a failure are kept, each with its first rows and an exact count`() async throws {
        try await JobFixture.run { jobs in
            let failures = [
                LarderError(.rowsRejected, "feature view \"a\": 300 violations", hint: "relax it", rows: rows(300)),
                LarderError(.sourceQueryFailed, "expr of feature \"b\" failed"),
            ]
            let error = LarderError(.rowsRejected, "2 of 3 feature views could not be computed", errors: failures)
            let told = try await kept(error, jobs)
            #expect(told.code == .rowsRejected && told.hint == nil && told.rows.isEmpty)
            #expect(told.message == "job 7 failed: 2 of 3 feature views could not be computed")
            #expect(told.errors.map(\.code) == failures.map(\.code))
            #expect(told.errors.map(\.message) == failures.map(\.message))
            #expect(told.errors.map(\.hint) == ["relax it", nil])
            #expect(told.errors.map(\.rows) == [rows(10), []])
            #expect(told.errors.map(\.violationCount) == [300, 0])
        }
    }

    @Test func `of many rows to blame the first hundred are kept, and all are counted`() async throws {
        try await JobFixture.run { jobs in
            let told = try await kept(LarderError(.rowsRejected, "300 violations", rows: rows(300)), jobs)
            #expect(told.rows == rows(100) && told.violationCount == 300 && told.errors.isEmpty)
        }
    }
}
