import FeatureModel
import Jobs
import PostgresClient
import Synchronization
import TestSupport
import Testing

/// Jobs that failed for a passing reason, and wait.
@Suite struct JobRetryTests {
    @Test func `a job that is put off is claimed by nobody before its time, and holds up no other`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.append("half", lease)
            try await jobs.postpone(lease, by: .seconds(60), reason: "PostgreSQL is away\0")
            let job = try await jobs.job(id)
            #expect(job.state == .queued && job.attempts == 1 && job.retryAt != nil && job.leaseExpiresAt == nil)
            #expect(job.progress == JobProgress.Snapshot(note: "PostgreSQL is away") && job.elapsed == nil)
            let wait = try await jobs.owner.query(
                """
                SELECT extract(epoch FROM retry_at - clock_timestamp())::float8 AS wait FROM larder.job WHERE id = \(id)
                """
            ).onlyValue(as: Double.self)
            #expect((30...60).contains(wait))
            #expect(try await jobs.counts()[2] == 0)

            #expect(try await jobs.claim("another") == nil)
            let younger = try await jobs.enqueue()
            #expect(try await jobs.claim("another")?.id == younger)
            try await jobs.owner.execute("UPDATE larder.job SET retry_at = clock_timestamp() WHERE id = \(id)")
            let again = try #require(try await jobs.claim("another"))
            #expect(again.id == id && again.attempt == 2 && again.lease.token == lease.token + 1)
            let running = try await jobs.job(id)
            #expect(running.retryAt == nil && running.progress.note == nil)
        }
    }

    @Test func `a job that waits is begun at once when somebody asks, as if for the first time`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.postpone(lease, by: .seconds(60))
            let asked = try await jobs.retry(id)
            #expect(asked.state == .queued && asked.retryAt == nil && asked.attempts == 0)
            #expect(asked.progress.note == nil)
            #expect(try await jobs.claim()?.attempt == 1)
        }
    }

    @Test func `a job that waits can be cancelled, and one that was to stop does not wait`() async throws {
        try await JobFixture.run { jobs in
            let waiting = try await jobs.enqueue()
            try await jobs.postpone(try #require(try await jobs.claim()).lease, by: .seconds(60))
            try await jobs.cancel(waiting)
            let cancelled = try await jobs.job(waiting)
            #expect(cancelled.state == .cancelled && cancelled.retryAt == nil)

            let stopping = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.cancel(stopping)
            try await jobs.postpone(lease, by: .seconds(60))
            let stopped = try await jobs.job(stopping)
            #expect(stopped.state == .cancelled && stopped.retryAt == nil && stopped.expiresAt != nil)
        }
    }

    @Test func `three workers in a row that go away end a job, whatever attempts are left`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue(maximumAttempts: 15)
            for _ in 0..<2 {
                _ = try #require(try await jobs.claim())
                try await jobs.expireLease(id)
            }
            // One that lives to put the job off is none that went away.
            try await jobs.postpone(try #require(try await jobs.claim()).lease, by: .zero)
            for attempt in 4...6 {
                #expect(try await jobs.claim("doomed")?.attempt == Int32(attempt))
                try await jobs.expireLease(id)
            }
            #expect(try await jobs.claim() == nil)
            let job = try await jobs.job(id)
            #expect(job.state == .failed && job.failure?.code == "job_abandoned" && job.attempts == 6)
            // Begun again by hand, it has as many to lose as at first.
            _ = try await jobs.retry(id)
            for _ in 0..<3 {
                _ = try #require(try await jobs.claim())
                try await jobs.expireLease(id)
            }
            #expect(try await jobs.claim() == nil)
        }
    }

    @Test func `pauses double up to a minute, and all of a job's attempts outlast five minutes`() {
        let options = JobWorkerOptions(name: "worker", kinds: [.trainingSet])
        let expected: [(Int32, Double)] = [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (1_000, 60)]
        for (attempt, seconds) in expected {
            for _ in 0..<50 {
                let pause = options.retryPause(afterAttempt: attempt) / .seconds(1)
                #expect((0.8 * seconds - 0.001...seconds + 0.001).contains(pause), "after attempt \(attempt)")
            }
        }
        #expect(Set((0..<50).map { _ in options.retryPause(afterAttempt: 8) }).count > 1)
        let job = NewJob(projectID: 1, kind: .trainingSet, payload: "{}", createdBy: "ada")
        let whole = (1..<job.maximumAttempts).reduce(Duration.zero) { $0 + options.retryPause(afterAttempt: $1) }
        #expect(whole > .seconds(330))
    }

    @Test func `workers wait longer after each attempt that loses its server, whichever of them it was`() async throws {
        try await JobFixture.run { jobs in
            let begun = Mutex<[ContinuousClock.Instant]>([])
            let handler: JobWorker.Handler = { job, _ in
                begun.withLock { $0.append(ContinuousClock.now) }
                if job.attempt < 4 { throw PostgresError(.connectionLost, "gone") }
                return "{}"
            }
            let id = try await jobs.enqueue(maximumAttempts: 5)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<3 {
                    var options = JobWorkerOptions(name: "worker \(number)", kinds: [.trainingSet])
                    options.pollInterval = .milliseconds(20)
                    options.firstRetryPause = .milliseconds(200)
                    options.longestRetryPause = .milliseconds(400)
                    let worker = JobWorker(
                        pool: jobs.pool, configuration: jobs.configuration, options: options, logger: .silent,
                        handler: handler)
                    group.addTask { await worker.run() }
                }
                defer { group.cancelAll() }
                let job = try await jobs.wait(for: id, toBe: .succeeded)
                #expect(job.attempts == 4 && job.retryAt == nil)
            }
            let times = begun.withLock { $0 }
            try #require(times.count == 4)
            let pauses = zip(times, times.dropFirst()).map { $1 - $0 }
            // A fifth less than the pause, and a little less for two clocks.
            for (pause, least) in zip(pauses, [150, 310, 310]) {
                #expect(pause >= .milliseconds(least), "\(pauses)")
            }
        }
    }

    @Test func `the worker that put a job off begins it when its time has come, not when it looks next`() async throws {
        try await JobFixture.run { jobs in
            var options = JobWorkerOptions(name: "worker", kinds: [.trainingSet])
            options.pollInterval = .seconds(60)
            options.firstRetryPause = .milliseconds(100)
            let worker = JobWorker(
                pool: jobs.pool, configuration: jobs.configuration, options: options, logger: .silent,
                handler: { job, _ in
                    if job.attempt == 1 { throw LarderError(.onlineStoreUnavailable, "Redis is away") }
                    return "{}"
                })
            let id = try await jobs.enqueue()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                defer { group.cancelAll() }
                let job = try await jobs.wait(for: id, toBe: .succeeded)
                #expect(job.attempts == 2)
            }
        }
    }
}
