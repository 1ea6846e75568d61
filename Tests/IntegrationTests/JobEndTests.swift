import FeatureModel
import Jobs
import PostgresClient
import TestSupport
import Testing

/// The ends of jobs at awkward moments.
@Suite struct JobEndTests {
    @Test func `a lease that runs out within a claim begins no attempt above the maximum`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue(maximumAttempts: 1)
            _ = try #require(try await jobs.claim("first"))
            try await slowDownClaims(jobs)
            try await expireSoon(id, jobs)
            #expect(try await jobs.claim("second") == nil)
            #expect(try await jobs.job(id).attempts == 1)
            // The next claim ends it.
            #expect(try await jobs.claim("second") == nil)
            #expect(try await jobs.job(id).failure?.code == "job_abandoned")
        }
    }

    @Test func `a lease that runs out within a claim begins nothing that was to stop`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            _ = try #require(try await jobs.claim("first"))
            try await jobs.cancel(id)
            try await slowDownClaims(jobs)
            try await expireSoon(id, jobs)
            #expect(try await jobs.claim("second") == nil)
            #expect(try await jobs.claim("second") == nil)
            #expect(try await jobs.job(id).state == .cancelled)
        }
    }

    enum End: CaseIterable {
        case fail
        case cancel
        case release
        case postpone
    }

    @Test(arguments: End.allCases)
    func `an end that is refused leaves the output of a job that succeeded`(_ end: End) async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.append("whole", lease)
            try await jobs.succeed(lease)
            let code = try await errorCode {
                try await jobs.pool.withConnection { connection in
                    switch end {
                    case .fail:
                        try await jobs.store.fail(lease, LarderError(.internalError, ""), .init(), on: connection)
                    case .cancel: try await jobs.store.endCancelled(lease, .init(), on: connection)
                    case .release: try await jobs.store.release(lease, on: connection)
                    case .postpone:
                        try await jobs.store.postpone(lease, by: .seconds(1), reason: "", on: connection)
                    }
                }
            }
            #expect(code == .jobLeaseLost)
            #expect(try await jobs.output(id) == "whole")
        }
    }

    /// Has the first statement of a claim take a second: it ends an abandoned job whose output is slow to remove.
    private func slowDownClaims(_ jobs: JobFixture) async throws {
        try await jobs.owner.executeScript(
            """
            CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_sleep(1); RETURN OLD; END';
            CREATE TRIGGER slow BEFORE DELETE ON larder.job_output FOR EACH ROW EXECUTE FUNCTION public.slow();
            """)
        let abandoned = try await jobs.enqueue(maximumAttempts: 1)
        let lease = try #require(try await jobs.claim("gone")).lease
        try await jobs.append("x", lease)
        try await jobs.expireLease(abandoned)
    }

    /// Has a job's lease run out in the middle of that second.
    private func expireSoon(_ id: Int64, _ jobs: JobFixture) async throws {
        try await jobs.owner.execute(
            "UPDATE larder.job SET lease_expires_at = clock_timestamp() + interval '0.4 seconds' WHERE id = \(id)")
    }
}
