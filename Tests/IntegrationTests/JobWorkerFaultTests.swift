import FeatureModel
import Jobs
import Logging
import PostgresClient
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

/// Workers that are stopped, and workers whose server goes away.
@Suite struct JobWorkerFaultTests {
    private func worker(
        _ jobs: JobFixture, lease: Duration = .seconds(15), _ handler: @escaping JobWorker.Handler
    ) -> JobWorker {
        var options = JobWorkerOptions(name: "worker", kinds: [.trainingSet])
        options.lease = lease
        options.pollInterval = .milliseconds(200)
        options.firstRetryPause = .milliseconds(10)
        return JobWorker(
            pool: jobs.pool, configuration: jobs.configuration, options: options, logger: .silent, handler: handler)
    }

    @Test func `on graceful shutdown the job goes back at once, and the attempt does not count`() async throws {
        try await JobFixture.run { jobs in
            let worker = worker(jobs) { job, _ in
                try await Task.sleep(for: .seconds(60))
                return "{}"
            }
            let id = try await jobs.enqueue()
            let waiting = try await jobs.enqueue()
            let group = ServiceGroup(services: [worker], logger: .silent)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await jobs.wait(for: id, toBe: .running)
                let began = ContinuousClock.now
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                #expect(.now - began < .seconds(5))
            }
            let job = try await jobs.job(id)
            #expect(job.state == .queued && job.attempts == 0)
            #expect(try await jobs.job(waiting).state == .queued)
            #expect(try await jobs.claim("another")?.id == id)
        }
    }

    @Test func `a job whose sessions PostgreSQL ends is begun again and done`() async throws {
        try await JobFixture.run { jobs in
            let attempts = Mutex<[Int32]>([])
            let worker = worker(jobs) { job, _ in
                attempts.withLock { $0.append(job.attempt) }
                var output = JobOutput(job.lease, pool: jobs.pool)
                try await output.write(Array("attempt \(job.attempt)".utf8))
                try await output.finish()
                if job.payload == "\"sleep\"", job.attempt == 1 {
                    try await jobs.pool.withConnection { _ = try await $0.query("SELECT pg_sleep(60)") }
                }
                return "{}"
            }
            let id = try await jobs.enqueue("\"sleep\"")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                defer { group.cancelAll() }
                // The session that listens may be later than the job.
                try await waitForStatement(jobs, "LISTEN")
                try await waitForStatement(jobs, "SELECT pg_sleep")
                #expect(try await endSessions(jobs) >= 2)
                try await jobs.wait(for: id, toBe: .succeeded)
                #expect(try await jobs.output(id) == "attempt 2")
                // Announcements are heard again, or the worker looks by itself.
                let next = try await jobs.enqueue()
                try await jobs.wait(for: next, toBe: .succeeded)
            }
            #expect(attempts.withLock { $0 } == [1, 2, 1])
        }
    }

    @Test func `work that does not notice the loss goes on, and its end is written`() async throws {
        try await JobFixture.run { jobs in
            let worker = worker(jobs, lease: .seconds(1)) { _, _ in
                try await Task.sleep(for: .seconds(1))
                return #"{"done": true}"#
            }
            let id = try await jobs.enqueue()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                defer { group.cancelAll() }
                try await jobs.wait(for: id, toBe: .running)
                for _ in 0..<3 {
                    try await endSessions(jobs)
                    try await Task.sleep(for: .milliseconds(200))
                }
                let job = try await jobs.wait(for: id, toBe: .succeeded)
                #expect(job.attempts == 1 && job.result == #"{"done": true}"#)
            }
        }
    }

    @Test func `a job that always loses its server fails in the end`() async throws {
        try await JobFixture.run { jobs in
            let worker = worker(jobs) { _, _ in throw PostgresError(.connectionLost, "gone") }
            let id = try await jobs.enqueue(maximumAttempts: 3)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                defer { group.cancelAll() }
                let job = try await jobs.wait(for: id, toBe: .failed)
                #expect(job.attempts == 3 && job.failure?.code == "internal_error")
            }
        }
    }

    @Test func `a job that PostgreSQL takes no writes of, or has no room for, is begun again until it does`()
        async throws
    {
        try await JobFixture.run { jobs in
            let obstacles = [
                PostgresError(.server, "cannot execute UPDATE in a read-only transaction", sqlState: "25006"),
                PostgresError(.server, "cannot set transaction read-write mode during recovery", sqlState: "0A000"),
                PostgresError(.server, "could not extend file", sqlState: "53100"),
                PostgresError(.server, "could not read block 7", sqlState: "58030"),
            ]
            let worker = worker(jobs) { job, _ in
                if job.attempt <= obstacles.count { throw obstacles[Int(job.attempt) - 1] }
                return "{}"
            }
            let id = try await jobs.enqueue(maximumAttempts: 10)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                defer { group.cancelAll() }
                let job = try await jobs.wait(for: id, toBe: .succeeded)
                #expect(job.attempts == 5)
            }
        }
    }

    /// Waits until a session runs a statement that begins so.
    private func waitForStatement(_ jobs: JobFixture, _ prefix: String) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let count = try await jobs.owner.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND starts_with(query, \(prefix))
                """
            ).onlyValue(as: Int64.self)
            if count > 0 { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("no session runs \(prefix)")
    }

    /// Ends every other session of the database, also those that listen.
    /// - Returns: how many.
    @discardableResult
    private func endSessions(_ jobs: JobFixture) async throws -> Int {
        // In two steps, because PostgreSQL may ask for the end of any session before it looks at whose it is.
        let processes = try await jobs.owner.query(
            """
            SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
              AND backend_type = 'client backend' AND usename = current_user
            """
        ).map { try $0.decode("pid", as: Int32.self) }
        for process in processes { try await jobs.owner.execute("SELECT pg_terminate_backend(\(process))") }
        return processes.count
    }
}
