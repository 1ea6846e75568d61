import Foundation
import PostgresClient
import RedisClient
import TestSupport
import Testing

/// A project with one view, enough rows that writing them takes a while, and a way to kill what writes them.
struct KillFixture {
    let directory: URL
    let csv: String
    let spine: String
    private let environment: [String: String]
    private let connection: PostgresConnection
    private let redis: RedisClient

    private static let definitions = """
        kind: project
        name: kill
        ---
        kind: entity
        name: account
        join_keys: [{name: id, type: int64}]
        ---
        kind: source
        name: events
        type: table
        columns: [{name: id, type: int64}, {name: at, type: timestamp}, {name: amount, type: float64}]
        timestamp: at
        ---
        kind: feature_view
        name: totals
        entities: [account]
        source: events
        features: [{name: amount, type: float64}]

        """

    static func run(rows: Int, _ body: (KillFixture) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "larder-kill-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try await withDatabase { database in
            try await withPrivateRedis { redisConfiguration, server in
                try await withRedisClient(redisConfiguration, logger: .silent) { redis in
                    let connection = try await PostgresConnection.connect(database, logger: .silent)
                    let fixture = try KillFixture(
                        directory: directory, rows: rows, connection: connection, redis: redis,
                        environment: [
                            "LARDER_POSTGRES_URL": variable("LARDER_POSTGRES_URL", database.database),
                            "LARDER_POSTGRES_SOURCE_URL": variable("LARDER_POSTGRES_SOURCE_URL", database.database),
                            "LARDER_REDIS_URL": server.url,
                        ])
                    try fixture.finish(["migrate"])
                    try fixture.finish(["apply", directory.appending(path: "defs").path(), "--yes"])
                    try await body(fixture)
                    await connection.close()
                }
            }
        }
    }

    private init(
        directory: URL, rows: Int, connection: PostgresConnection, redis: RedisClient, environment: [String: String]
    ) throws {
        self.directory = directory
        self.connection = connection
        self.redis = redis
        self.environment = environment
        csv = directory.appending(path: "events.csv").path()
        spine = directory.appending(path: "spine.csv").path()
        let definitions = directory.appending(path: "defs")
        try FileManager.default.createDirectory(at: definitions, withIntermediateDirectories: true)
        try Data(Self.definitions.utf8).write(to: definitions.appending(path: "kill.yaml"))
        let ids = 1...rows
        let events = "id,at,amount\n" + ids.map { "\($0),2013-01-01T00:00:00Z,\($0).5\n" }.joined()
        try Data(events.utf8).write(to: URL(filePath: csv))
        let spineRows = "id,event_timestamp\n" + ids.map { "\($0),2013-01-02T00:00:00Z\n" }.joined()
        try Data(spineRows.utf8).write(to: URL(filePath: spine))
    }

    /// The environment's URL with another database.
    private static func variable(_ name: String, _ database: String?) throws -> String {
        let url = try #require(ProcessInfo.processInfo.environment[name], "\(name) is not set: run dev/test")
        let slash = try #require(url.lastIndex(of: "/"))
        return "\(url[...slash])\(database ?? "")"
    }

    // MARK: Running and killing

    func start(_ arguments: [String]) throws -> LarderRun {
        try LarderRun(arguments, environment: environment)
    }

    /// Runs to the end, which has to be a good one.
    func finish(_ arguments: [String]) throws {
        let (status, output) = try start(arguments).finish()
        #expect(status == 0, "larder \(arguments.joined(separator: " ")): \(output)")
    }

    /// Kills a run while `progress` says that it is in the middle of its write, some milliseconds after it began.
    ///
    /// - Parameter progress: how much is written by now; 0 when the write has not begun or is over.
    /// - Returns: how much was written when the run was killed; 0 when it was over before.
    func killMidway(
        _ arguments: [String], seed: UInt64, progress: () async throws -> Int
    ) async throws -> Int {
        let run = try start(arguments)
        while run.isRunning, try await progress() == 0 { try await Task.sleep(for: .milliseconds(1)) }
        try await Task.sleep(for: .microseconds(Int64(seed &* 7_919 % 20_000)))
        let written = try await progress()
        let wasRunning = run.isRunning
        run.kill()
        #expect(wasRunning, "seed \(seed): the run was over before it was killed: \(run.printed)")
        try await waitForBackends()
        return wasRunning ? written : 0
    }

    /// PostgreSQL notices a lost client at its next read or write, and rolls back.
    private func waitForBackends() async throws {
        while try await value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()") > 0
        {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    // MARK: Looking

    func value(_ query: PostgresQuery) async throws -> Int {
        Int(try await connection.query(query).onlyValue(as: Int64.self))
    }

    func rawTable() async throws -> String {
        try await watched("source_\(try await value("SELECT source_id FROM larder.source_table"))")
    }

    func offlineTable() async throws -> String {
        try await watched("view_\(try await value("SELECT feature_view_id FROM larder.generation"))_g1")
    }

    /// Without autovacuum, which would let new rows take the place of aborted ones: then no growth would show a write.
    private func watched(_ table: String) async throws -> String {
        try await connection.execute(
            "ALTER TABLE larder_data.\(identifier: table) SET (autovacuum_enabled = off)")
        return table
    }

    func count(of table: String) async throws -> Int {
        try await value("SELECT count(*) FROM larder_data.\(identifier: table)")
    }

    /// Bytes of a table's pages, those of rows included that no commit has made visible.
    func pageBytes(of table: String) async throws -> Int {
        try await value("SELECT pg_relation_size(\("larder_data.\(table)")::text::regclass)")
    }

    func redisKeys() async throws -> Int {
        Int(try await redis.execute(RedisCommand("DBSIZE", [RedisArgument]())).integerValue ?? 0)
    }

    func emptyRedis() async throws {
        _ = try await redis.execute(RedisCommand("FLUSHALL", [RedisArgument]()))
    }

    /// Bytes of the file that a run writes before it puts it in place.
    func partialBytes(of path: String) -> Int {
        let url = URL(filePath: path)
        let partial = url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).partial")
        let size = try? FileManager.default.attributesOfItem(atPath: partial.path())[.size] as? Int
        return size ?? 0
    }
}
