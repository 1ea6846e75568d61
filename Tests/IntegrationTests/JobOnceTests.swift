import Jobs
import PostgresClient
import TestSupport
import Testing

/// Jobs for needs that several servers see at once.
@Suite struct JobOnceTests {
    private func enqueue(
        _ key: String, _ jobs: JobFixture, project: Int64 = JobFixture.projectID
    ) async throws -> Job? {
        let job = NewJob(projectID: project, kind: .materialize, payload: "{}", createdBy: "ada")
        return try await jobs.pool.withConnection { try await jobs.store.enqueueOnce(job, key: key, on: $0) }
    }

    @Test func `of many servers at once one queues the job, and none another until it is over`() async throws {
        try await JobFixture.run { jobs in
            let queued = try await withThrowingTaskGroup(of: Int64?.self) { group in
                for _ in 0..<8 { group.addTask { try await enqueue("need", jobs)?.id } }
                return try await group.reduce(into: [Int64]()) { ids, id in if let id { ids.append(id) } }
            }
            #expect(queued.count == 1)
            #expect(try await jobs.counts() == [1, 0, 0])
            let claimed = try #require(try await jobs.claim(kinds: [.materialize]))
            #expect(claimed.id == queued.first)
            #expect(try await enqueue("need", jobs) == nil, "it is running")
            #expect(try await enqueue("other need", jobs) != nil)
            #expect(try await enqueue("need", jobs, project: 8) != nil)
        }
    }

    @Test func `what a need has queued comes before older jobs, and a worker may wait for nothing else`() async throws {
        try await JobFixture.run { jobs in
            let older = NewJob(
                projectID: JobFixture.projectID, kind: .materialize, payload: "{}", createdBy: "ada")
            let asked = try await jobs.pool.withConnection { try await jobs.store.enqueue(older, on: $0) }
            let needed = try #require(try await enqueue("need", jobs))
            #expect(try await jobs.claim(kinds: [.materialize])?.id == needed.id)
            let nothing = try await jobs.pool.withConnection { connection in
                try await jobs.store.claim(
                    worker: "refills", kinds: [.materialize], onlyKeyed: true, for: .seconds(15), on: connection)
            }
            #expect(nothing == nil)
            #expect(try await jobs.claim(kinds: [.materialize])?.id == asked.id)
        }
    }

    @Test func `a job that left the need is followed by another one after a pause that grows`() async throws {
        try await JobFixture.run { jobs in
            // Seconds since the newest end, and how many ends there are, with whether another job is queued.
            let cases: [(ends: [Double], isQueued: Bool)] = [
                ([0.5], false), ([1.5], true), ([2, 3], false), ([5, 60], true), ([10, 20, 30], false),
                ([17, 20, 30], true), ([290, 300, 310, 320, 330, 340], false), ([310, 320, 330, 340, 350, 360], true),
                ([3_700], true),
            ]
            for (number, each) in cases.enumerated() {
                let key = "need \(number)"
                for end in each.ends {
                    try await jobs.owner.execute(
                        """
                        INSERT INTO larder.job (project_id, kind, state, payload, created_by, maximum_attempts,
                            kept_for, key, finished_at, expires_at)
                        VALUES (\(JobFixture.projectID), 'materialize', 'cancelled', '{}', 'ada', 1,
                            interval '1 day', \(key), clock_timestamp() - make_interval(secs => \(end)),
                            clock_timestamp() + interval '1 day')
                        """)
                }
                let job = try await enqueue(key, jobs)
                #expect((job != nil) == each.isQueued, "\(each.ends)")
            }
        }
    }

    @Test func `a job that people retry no longer stands for the need`() async throws {
        try await JobFixture.run { jobs in
            let first = try #require(try await enqueue("need", jobs))
            try await jobs.cancel(first.id)
            try await jobs.owner.execute(
                "UPDATE larder.job SET finished_at = finished_at - interval '2 seconds' WHERE id = \(first.id)")
            let second = try #require(try await enqueue("need", jobs))
            #expect(try await jobs.retry(first.id).state == .queued)
            #expect(try await jobs.job(second.id).state == .queued)
        }
    }
}
