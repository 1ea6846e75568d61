import FeatureModel
import Jobs
import PostgresClient
import TestSupport
import Testing

/// Who may do what to a job whose worker is gone, or that somebody no longer wants.
@Suite struct JobLeaseTests {
    @Test func `after a lost lease another worker takes over and the old one can write nothing`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let old = try #require(try await jobs.claim("old"))
            try await jobs.append("from the old one", number: 0, old.lease)
            try await jobs.append("and more", number: 1, old.lease)
            #expect(try await jobs.claim("new") == nil)
            try await jobs.expireLease(id)
            let new = try #require(try await jobs.claim("new"))
            #expect(new.id == id && new.attempt == 2 && new.lease.token > old.lease.token)
            #expect(try await jobs.counts()[2] == 0)
            try await jobs.append("new", new.lease)

            #expect(try await errorCode { try await jobs.append("late", number: 2, old.lease) } == .jobLeaseLost)
            #expect(try await errorCode { try await jobs.succeed(old.lease) } == .jobLeaseLost)
            let refusals: [@Sendable (PostgresConnection) async throws -> Void] = [
                { _ = try await jobs.store.heartbeat(old.lease, .init(), for: .seconds(9), on: $0) },
                { try await jobs.store.fail(old.lease, LarderError(.internalError, ""), .init(), on: $0) },
                { try await jobs.store.endCancelled(old.lease, .init(), on: $0) },
                { try await jobs.store.release(old.lease, on: $0) },
                { try await jobs.store.postpone(old.lease, by: .seconds(1), reason: "", on: $0) },
                { try await jobs.store.require(old.lease, on: $0) },
            ]
            for refusal in refusals {
                #expect(try await errorCode { try await jobs.pool.withConnection(refusal) } == .jobLeaseLost)
            }

            try await jobs.pool.withTransaction { try await jobs.store.require(new.lease, on: $0) }
            try await jobs.succeed(new.lease)
            #expect(try await jobs.output(id) == "new")
            #expect(try await jobs.job(id).worker == "new")
        }
    }

    @Test func `a lease that ran out and that nobody took can be renewed`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.expireLease(id)
            _ = try await jobs.pool.withConnection {
                try await jobs.store.heartbeat(lease, .init(), for: .seconds(60), on: $0)
            }
            #expect(try await jobs.claim("another") == nil)
        }
    }

    @Test func `a job that is given up too often fails, and one that was to stop is cancelled`() async throws {
        try await JobFixture.run { jobs in
            let poison = try await jobs.enqueue(maximumAttempts: 2)
            for attempt in 1...2 {
                let claimed = try #require(try await jobs.claim("doomed"))
                #expect(claimed.attempt == Int32(attempt))
                try await jobs.append("piece", claimed.lease)
                try await jobs.expireLease(poison)
            }
            let unwanted = try await jobs.enqueue()
            _ = try #require(try await jobs.claim(kinds: [.trainingSet]))
            #expect(try await jobs.job(poison).failure?.code == "job_abandoned")
            #expect(try await jobs.job(poison).failure?.message.contains("\"doomed\"") == true)
            #expect(try await jobs.job(poison).state == .failed)
            #expect(try await jobs.counts()[2] == 0)

            try await jobs.cancel(unwanted)
            try await jobs.expireLease(unwanted)
            #expect(try await jobs.claim() == nil)
            #expect(try await jobs.job(unwanted).state == .cancelled)
        }
    }

    @Test func `given back, a job is there at once, its attempt not counted`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.append("x", lease)
            try await jobs.pool.withConnection { try await jobs.store.release(lease, on: $0) }
            let job = try await jobs.job(id)
            #expect(job.state == .queued && job.attempts == 0 && job.retryAt == nil && job.elapsed == nil)
            #expect(try await jobs.counts()[2] == 0)
            let claimed = try #require(try await jobs.claim())
            #expect(claimed.attempt == 1 && claimed.lease.token == lease.token + 1)
        }
    }

    @Test func `a queued job is cancelled at once, a running one is asked, a finished one is over`() async throws {
        try await JobFixture.run { jobs in
            let queued = try await jobs.enqueue()
            try await jobs.cancel(queued)
            #expect(try await jobs.job(queued).state == .cancelled)
            #expect(try await jobs.claim() == nil)
            #expect(try await errorCode { try await jobs.cancel(queued) } == .jobFinished)

            let running = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.cancel(running)
            try await jobs.cancel(running)
            let asked = try await jobs.job(running)
            #expect(asked.state == .running && asked.isCancelRequested)
            let isCancelRequested = try await jobs.pool.withConnection {
                try await jobs.store.heartbeat(lease, .init(), for: .seconds(60), on: $0)
            }
            #expect(isCancelRequested)
            try await jobs.pool.withConnection { try await jobs.store.endCancelled(lease, .init(), on: $0) }
            #expect(try await jobs.job(running).state == .cancelled)
            #expect(try await errorCode { try await jobs.cancel(running + 1) } == .jobNotFound)
        }
    }

    @Test func `what failed or was cancelled can be queued again, nothing else`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue(maximumAttempts: 1, input: [[1]])
            #expect(try await errorCode { _ = try await jobs.retry(id) } == .jobNotFinished)
            let first = try #require(try await jobs.claim()).lease
            #expect(try await errorCode { _ = try await jobs.retry(id) } == .jobNotFinished)
            try await jobs.pool.withConnection {
                try await jobs.store.fail(
                    first, LarderError(.spineInvalid, "bad"), .init(rowsDone: 3, note: "n"), on: $0)
            }
            let again = try await jobs.retry(id)
            #expect(again.state == .queued && again.attempts == 0 && again.failure == nil)
            #expect(again.progress == JobProgress.Snapshot() && again.expiresAt == nil && again.startedAt == nil)

            try await jobs.cancel(id)
            #expect(try await !jobs.retry(id).isCancelRequested)
            let second = try #require(try await jobs.claim())
            #expect(second.attempt == 1 && second.lease.token > first.token)
            #expect(try await jobs.counts()[1] == 1)
            try await jobs.succeed(second.lease)
            #expect(try await errorCode { _ = try await jobs.retry(id) } == .jobFinished)
        }
    }

    @Test func `a finished job goes when its time is over, with its pieces; no other does`() async throws {
        try await JobFixture.run { jobs in
            let kept = try await jobs.enqueue(input: [[1]])
            try await jobs.succeed(try #require(try await jobs.claim()).lease)
            let short = try await jobs.enqueue(input: [[1], [2]], keptFor: .milliseconds(1))
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.append("x", lease)
            let waiting = try await jobs.enqueue(keptFor: .milliseconds(1))
            func removeExpired() async throws -> Int {
                try await jobs.pool.withConnection { try await jobs.store.removeExpired(on: $0) }
            }
            #expect(try await removeExpired() == 0)
            try await jobs.succeed(lease)
            let pieces = try await jobs.pool.withConnection { try await jobs.store.output(short, on: $0).pieces }
            try await Task.sleep(for: .milliseconds(20))
            #expect(try await removeExpired() == 1)
            #expect(try await jobs.counts() == [2, 1, 0])
            #expect(try await jobs.job(kept).state == .succeeded)
            #expect(try await jobs.job(waiting).state == .queued)
            // A download that was under way ends with an error, not short.
            let code = try await errorCode { for try await _ in pieces.stream(jobs.pool) {} }
            #expect(code == .jobNotFound)
        }
    }
}
