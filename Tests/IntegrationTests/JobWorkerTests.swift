import FeatureModel
import Jobs
import Logging
import PostgresClient
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite struct JobWorkerTests {
    /// Runs `body` while workers do jobs.
    private func working(
        _ jobs: JobFixture, workers: Int = 1, lease: Duration = .seconds(15),
        _ handler: @escaping JobWorker.Handler, _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<workers {
                let worker = worker(jobs, name: "worker \(number)", lease: lease, handler)
                group.addTask { await worker.run() }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func worker(
        _ jobs: JobFixture, name: String = "worker", concurrency: Int = 1, lease: Duration = .seconds(15),
        _ handler: @escaping JobWorker.Handler
    ) -> JobWorker {
        var options = JobWorkerOptions(name: name, kinds: [.trainingSet])
        options.concurrency = concurrency
        options.lease = lease
        options.firstRetryPause = .milliseconds(10)
        return JobWorker(
            pool: jobs.pool, configuration: jobs.configuration, options: options, logger: .silent, handler: handler)
    }

    @Test func `eight workers do fifty jobs, each exactly once`() async throws {
        try await JobFixture.run { jobs in
            var ids: [Int64] = []
            for _ in 0..<50 { ids.append(try await jobs.enqueue()) }
            let done = Mutex<[Int64: Int]>([:])
            try await working(jobs, workers: 8) { job, _ in
                done.withLock { $0[job.id, default: 0] += 1 }
                return "{}"
            } _: {
                for id in ids { try await jobs.wait(for: id, toBe: .succeeded) }
            }
            #expect(done.withLock { $0 } == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
        }
    }

    @Test func `an idle worker hears of a job at once, and its progress is told`() async throws {
        try await JobFixture.run { jobs in
            let lease = Duration.milliseconds(300)
            try await working(jobs, lease: lease) { job, progress in
                progress.update { $0 = JobProgress.Snapshot(rowsDone: 1, rowsTotal: 2, note: "half") }
                try await Task.sleep(for: .milliseconds(400))
                progress.update { $0.rowsDone = 2 }
                return #"{"attempt": \#(job.attempt)}"#
            } _: {
                try await Task.sleep(for: .milliseconds(300))
                let began = ContinuousClock.now
                let id = try await jobs.enqueue()
                try await jobs.wait(for: id, toBe: .running)
                #expect(.now - began < .seconds(2))
                try await Task.sleep(for: .milliseconds(250))
                #expect(try await jobs.job(id).progress == .init(rowsDone: 1, rowsTotal: 2, note: "half"))
                let job = try await jobs.wait(for: id, toBe: .succeeded)
                // Longer than its lease, and yet its own: the heartbeats have kept it.
                #expect(job.result == #"{"attempt": 1}"# && job.progress.rowsDone == 2)
            }
        }
    }

    @Test func `no more jobs at a time than allowed`() async throws {
        try await JobFixture.run { jobs in
            let running = Mutex((now: 0, most: 0))
            let worker = worker(jobs, concurrency: 3) { _, _ in
                running.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                try await Task.sleep(for: .milliseconds(50))
                running.withLock { $0.now -= 1 }
                return "{}"
            }
            var ids: [Int64] = []
            for _ in 0..<9 { ids.append(try await jobs.enqueue()) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                defer { group.cancelAll() }
                for id in ids { try await jobs.wait(for: id, toBe: .succeeded) }
            }
            #expect(running.withLock { $0.most } == 3)
        }
    }

    @Test func `what the handler throws is the job's failure, and a result that is no JSON is one`() async throws {
        try await JobFixture.run { jobs in
            struct Unforeseen: Error {}
            try await working(jobs) { job, _ in
                switch job.payload {
                case "1": throw LarderError(.spineInvalid, "no time", hint: "add it")
                case "2": throw Unforeseen()
                default: return "no JSON"
                }
            } _: {
                for (payload, code) in [("1", "spine_invalid"), ("2", "internal_error"), ("3", "internal_error")] {
                    let job = try await jobs.wait(for: try await jobs.enqueue(payload), toBe: .failed)
                    #expect(job.failure?.code == code && job.attempts == 1)
                }
            }
        }
    }

    @Test func `a cancelled job stops soon, long before its next heartbeat`() async throws {
        try await JobFixture.run { jobs in
            let wasCancelled = Mutex(false)
            try await working(jobs, lease: .seconds(60)) { _, _ in
                do { try await Task.sleep(for: .seconds(60)) } catch {
                    wasCancelled.withLock { $0 = true }
                    throw error
                }
                return "{}"
            } _: {
                let id = try await jobs.enqueue()
                try await jobs.wait(for: id, toBe: .running)
                // The listening session is up by now or a moment later; without it the next heartbeat would tell.
                try await Task.sleep(for: .milliseconds(200))
                let began = ContinuousClock.now
                try await jobs.cancel(id)
                try await jobs.wait(for: id, toBe: .cancelled)
                #expect(.now - began < .seconds(5))
            }
            #expect(wasCancelled.withLock { $0 })
        }
    }

    @Test func `a worker whose lease was taken stops, and what it still writes is refused`() async throws {
        try await JobFixture.run { jobs in
            let refusal = Mutex<ErrorCode?>(nil)
            try await working(jobs, lease: .milliseconds(600)) { job, _ in
                var output = JobOutput(job.lease, pool: jobs.pool)
                try await output.write(Array("old".utf8))
                try await output.finish()
                try? await Task.sleep(for: .seconds(60))
                let lease = job.lease
                let code = await Task {
                    try? await errorCode {
                        var output = JobOutput(lease, pool: jobs.pool)
                        try await output.write([1])
                        try await output.finish()
                    }
                }.value
                refusal.withLock { $0 = code ?? nil }
                return "{}"
            } _: {
                let id = try await jobs.enqueue()
                try await jobs.wait(for: id, toBe: .running)
                // As if the lease had run out while the worker was held up.
                var claimed: ClaimedJob?
                while claimed == nil {
                    try await jobs.expireLease(id)
                    claimed = try await jobs.claim("new")
                }
                let lease = try #require(claimed).lease
                try await jobs.append("new", lease)
                while refusal.withLock({ $0 }) == nil { try await Task.sleep(for: .milliseconds(20)) }
                try await jobs.succeed(lease)
                #expect(try await jobs.output(id) == "new")
            }
            #expect(refusal.withLock { $0 } == .jobLeaseLost)
        }
    }
}
