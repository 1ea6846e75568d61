import FeatureModel
import Foundation
import Jobs
import PostgresClient
import Registry
import TestSupport
import Testing

/// A migrated database with one project and a pool of the writer's, to do jobs in.
struct JobFixture {
    private static let template = PostgresTestDatabase(template: "jobs") { configuration in
        let folder = URL(filePath: #filePath).appending(path: "../../../../migrations").standardized.path()
        let connection = try await PostgresConnection.connect(configuration, logger: .silent)
        try await Migrator(files: MigrationFile.load(directory: folder)).migrate(on: connection)
        try await DatabaseRoles(sourceLogin: "larder_source").ensure(on: connection)
        await connection.close()
    }

    static let projectID: Int64 = 7
    private static let limit = ConcurrencyLimit(4)

    let owner: PostgresConnection
    /// Sessions under the writer's role.
    let configuration: PostgresConfiguration
    let pool: PostgresPool
    let store = JobStore()

    static func run(_ body: (JobFixture) async throws -> Void) async throws {
        try await limit.run {
            try await template.withDatabase { database in
                let owner = try await PostgresConnection.connect(database, logger: .silent)
                try await owner.execute(
                    """
                    INSERT INTO larder.project (id, name, revision, created_at)
                    VALUES (\(projectID), 'shop', 0, now()), (8, 'other', 0, now())
                    """)
                var writer = database
                writer.sessionSettings = [("role", DatabaseRoles.writer)]
                var limits = PostgresPoolLimits()
                limits.breakerCooldown = .milliseconds(200)
                try await withPostgresPool(writer, limits: limits, logger: .silent) { pool in
                    try await body(JobFixture(owner: owner, configuration: writer, pool: pool))
                }
                await owner.close()
            }
        }
    }

    // MARK: Jobs

    @discardableResult
    func enqueue(
        _ payload: String = "{}", kind: JobKind = .trainingSet, maximumAttempts: Int32 = 3, input: [[UInt8]] = [],
        keptFor: Duration = .seconds(3_600)
    ) async throws -> Int64 {
        var job = NewJob(projectID: Self.projectID, kind: kind, payload: payload, createdBy: "ada")
        job.maximumAttempts = maximumAttempts
        job.keptFor = keptFor
        return try await pool.withConnection { [job] connection in
            var rest = input[...]
            return try await store.enqueue(job, on: connection) { rest.popFirst() }.id
        }
    }

    func job(_ id: Int64) async throws -> Job {
        try #require(try await store.find(id, on: owner))
    }

    func claim(
        _ worker: String = "w", kinds: Set<JobKind> = [.trainingSet], for lease: Duration = .seconds(60)
    ) async throws -> ClaimedJob? {
        try await pool.withConnection { try await store.claim(worker: worker, kinds: kinds, for: lease, on: $0) }
    }

    /// Has a job's lease run out now.
    func expireLease(_ id: Int64) async throws {
        try await owner.execute("UPDATE larder.job SET lease_expires_at = clock_timestamp() WHERE id = \(id)")
    }

    func append(_ text: String, number: Int32 = 0, _ lease: JobLease) async throws {
        try await pool.withConnection {
            try await store.appendOutput(Array(text.utf8), number: number, lease, on: $0)
        }
    }

    func succeed(_ lease: JobLease, _ result: String = "{}") async throws {
        try await pool.withConnection {
            try await store.succeed(lease, result: result, JobProgress.Snapshot(rowsDone: 5), on: $0)
        }
    }

    func cancel(_ id: Int64) async throws {
        _ = try await pool.withConnection { try await store.requestCancel(id, projectID: Self.projectID, on: $0) }
    }

    func retry(_ id: Int64) async throws -> Job {
        try await pool.withConnection { try await store.retry(id, projectID: Self.projectID, on: $0) }
    }

    func postpone(_ lease: JobLease, by pause: Duration, reason: String = "away") async throws {
        try await pool.withConnection { try await store.postpone(lease, by: pause, reason: reason, on: $0) }
    }

    func output(_ id: Int64) async throws -> String {
        let pieces = try await pool.withConnection { try await store.output(id, on: $0).pieces }
        var bytes: [UInt8] = []
        for try await piece in pieces.stream(pool) { bytes += piece }
        #expect(Int64(bytes.count) == pieces.byteCount)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// How many rows the tables `job`, `job_input` and `job_output` have.
    func counts() async throws -> [Int64] {
        var counts: [Int64] = []
        for table in ["job", "job_input", "job_output"] {
            counts.append(
                try await owner.query("SELECT count(*) FROM \(identifier: "larder", table)").onlyValue(as: Int64.self))
        }
        return counts
    }

    /// Waits until a job is in a state.
    @discardableResult
    func wait(
        for id: Int64, toBe state: JobState, _ sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) async throws -> Job {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let found = try await job(id)
            if found.state == state { return found }
            guard .now < deadline else {
                Issue.record("job \(id) is \(found.state), not \(state)", sourceLocation: sourceLocation)
                return found
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// The code of the `LarderError` that `body` throws.
func errorCode(_ body: () async throws -> Void) async throws -> ErrorCode? {
    do {
        try await body()
        return nil
    } catch let error as LarderError {
        return error.code
    }
}
