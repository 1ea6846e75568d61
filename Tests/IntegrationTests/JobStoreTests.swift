import FeatureModel
import Jobs
import PostgresClient
import TestSupport
import Testing

@Suite struct JobStoreTests {
    @Test func `a job is queued with its input, in pieces that fit, and announced`() async throws {
        try await JobFixture.run { jobs in
            try await jobs.owner.execute("LISTEN larder_job")
            let announcements = await jobs.owner.notifications()
            let large = [UInt8](repeating: 7, count: JobPieces.maximumBytes + 3)
            let id = try await jobs.enqueue(#"{"name": "a"}"#, input: [Array("spine,".utf8), [], large])
            #expect(await announcements.first { _ in true }?.channel == JobChannel.name)
            let job = try await jobs.job(id)
            #expect(job.state == .queued && job.payload == #"{"name": "a"}"# && job.kind == .trainingSet)
            #expect(job.projectName == "shop" && job.createdBy == "ada" && job.attempts == 0)
            #expect(job.startedAt == nil && job.elapsed == nil && job.expiresAt == nil)
            let input = try await jobs.pool.withConnection { try await jobs.store.input(id, on: $0) }
            #expect(input.count == 3 && input.byteCount == Int64(6 + large.count))
            var bytes: [UInt8] = []
            for try await piece in input.stream(jobs.pool) { bytes += piece }
            #expect(bytes == Array("spine,".utf8) + large)
        }
    }

    @Test func `an input that breaks off leaves no job`() async throws {
        try await JobFixture.run { jobs in
            let code = try await errorCode {
                try await jobs.pool.withConnection { connection in
                    let new = NewJob(
                        projectID: JobFixture.projectID, kind: .trainingSet, payload: "{}", createdBy: "ada")
                    var count = 0
                    _ = try await jobs.store.enqueue(new, on: connection) {
                        count += 1
                        if count == 3 { throw LarderError(.requestInvalid, "broke off") }
                        return [1]
                    }
                }
            }
            #expect(code == .requestInvalid)
            #expect(try await jobs.counts() == [0, 0, 0])
        }
    }

    @Test func `jobs are claimed oldest first, by kind, and each once`() async throws {
        try await JobFixture.run { jobs in
            let first = try await jobs.enqueue()
            let other = try await jobs.enqueue(kind: .materialize)
            let second = try await jobs.enqueue()
            #expect(try await jobs.claim()?.id == first)
            #expect(try await jobs.claim()?.id == second)
            #expect(try await jobs.claim() == nil)
            let claimed = try #require(try await jobs.claim("m", kinds: [.materialize]))
            #expect(claimed.id == other && claimed.attempt == 1 && claimed.kind == .materialize)
            let job = try await jobs.job(other)
            #expect(job.state == .running && job.worker == "m" && job.startedAt != nil)
        }
    }

    @Test func `of eight workers over fifty jobs each job is given to one`() async throws {
        try await JobFixture.run { jobs in
            for _ in 0..<50 { try await jobs.enqueue() }
            let claimed = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var ids: [Int64] = []
                        // A claim may find nothing while others hold the last jobs for a moment; none comes back.
                        while let job = try await jobs.claim("worker \(worker)") { ids.append(job.id) }
                        return ids
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 50 && Set(claimed).count == 50)
        }
    }

    @Test func `heartbeats renew the lease and tell the progress`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim(for: .seconds(1))).lease
            let before = try #require(try await jobs.job(id).leaseExpiresAt)
            let isCancelRequested = try await jobs.pool.withConnection {
                try await jobs.store.heartbeat(
                    lease, JobProgress.Snapshot(rowsDone: 10, rowsTotal: 40, note: "joining"), for: .seconds(60), on: $0
                )
            }
            #expect(!isCancelRequested)
            let job = try await jobs.job(id)
            #expect(try #require(job.leaseExpiresAt) > before)
            #expect(job.progress == JobProgress.Snapshot(rowsDone: 10, rowsTotal: 40, note: "joining"))
            #expect(try #require(job.rowsPerSecond) > 0)
            #expect(try #require(job.remaining) > .zero)
        }
    }

    @Test func `a result comes with the output of its attempt, however often it is written`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            #expect(try await errorCode { _ = try await jobs.output(id) } == .jobNotFinished)
            try await jobs.append("b", number: 1, lease)
            try await jobs.append("a", number: 0, lease)
            try await jobs.append("b", number: 1, lease)
            try await jobs.succeed(lease, #"{"content_type": "text/csv"}"#)
            try await jobs.succeed(lease, #"{"content_type": "text/csv"}"#)
            let job = try await jobs.job(id)
            #expect(job.state == .succeeded && job.result == #"{"content_type": "text/csv"}"#)
            #expect(job.progress.rowsDone == 5 && job.expiresAt != nil && job.leaseExpiresAt == nil)
            #expect(try await jobs.output(id) == "ab")
            #expect(try await errorCode { try await jobs.append("c", number: 2, lease) } == .jobLeaseLost)
            #expect(try await errorCode { _ = try await jobs.output(id + 1) } == .jobNotFound)
        }
    }

    @Test func `a large output is stored in pieces and read whole`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            var output = JobOutput(lease, pool: jobs.pool)
            let line = Array("0123456789abcdef".utf8)
            for _ in 0..<20 { try await output.write(Array(repeatElement(line, count: 8_192).joined())) }
            try await output.finish()
            try await jobs.succeed(lease)
            let text = try await jobs.output(id)
            #expect(text.utf8.count == 20 * 8_192 * 16 && output.byteCount == Int64(text.utf8.count))
            #expect(try await jobs.counts()[2] == 3)
        }
    }

    @Test func `a failure keeps code, message and hint`() async throws {
        try await JobFixture.run { jobs in
            let id = try await jobs.enqueue()
            let lease = try #require(try await jobs.claim()).lease
            try await jobs.append("half", lease)
            try await jobs.pool.withConnection {
                try await jobs.store.fail(
                    lease, LarderError(.spineInvalid, "no \"time\"\0", hint: "add it"), JobProgress.Snapshot(), on: $0)
            }
            let job = try await jobs.job(id)
            #expect(job.state == .failed && job.failure?.code == "spine_invalid")
            #expect(job.failure?.message == "no \"time\"" && job.failure?.hint == "add it")
            #expect(try await errorCode { _ = try await jobs.output(id) } == .jobNotSucceeded)
            #expect(try await jobs.counts()[2] == 0)
        }
    }

    @Test func `the list is of one project, newest first, by state and page`() async throws {
        try await JobFixture.run { jobs in
            var ids: [Int64] = []
            for _ in 0..<5 { ids.append(try await jobs.enqueue()) }
            _ = try await jobs.claim()
            func list(
                _ states: Set<JobState> = [], before id: Int64? = nil, limit: Int = 10, project: Int64 = 7
            ) async throws -> [Int64] {
                try await jobs.pool.withConnection {
                    try await jobs.store.list(projectID: project, states: states, before: id, limit: limit, on: $0)
                }.map(\.id)
            }
            #expect(try await list() == ids.reversed())
            #expect(try await list([.running]) == [ids[0]])
            #expect(try await list([.queued], before: ids[3], limit: 1) == [ids[2]])
            #expect(try await list(project: 8).isEmpty)
            let foreign = try await jobs.pool.withConnection {
                try await jobs.store.find(ids[0], projectID: 8, on: $0)
            }
            #expect(foreign == nil)
        }
    }
}
