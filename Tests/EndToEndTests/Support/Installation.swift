import Foundation
import PostgresClient
import RedisClient
import TestSupport
import Testing

/// A database, a Redis and a folder of one test, and the program set up for them.
struct Installation {
    let folder: URL
    let database: PostgresConfiguration
    let redis: PrivateRedis
    var environment: [String: String]

    /// Runs `body` with an installation that is migrated, and removes it afterwards.
    static func run(isMigrated: Bool = true, _ body: (Installation) async throws -> Void) async throws {
        try await withDatabase { database in
            try await withPrivateRedis { configuration, redis in
                let folder = FileManager.default.temporaryDirectory.appending(path: "larder-\(UUID().uuidString)")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(at: folder) }
                let environment = [
                    "LARDER_POSTGRES_URL": try url("LARDER_POSTGRES_URL", database: database.database),
                    "LARDER_POSTGRES_SOURCE_URL": try url("LARDER_POSTGRES_SOURCE_URL", database: database.database),
                    "LARDER_REDIS_URL": "\(configuration)",
                    "LARDER_MIGRATIONS": Program.checkout.appending(path: "migrations").path(),
                ]
                let installation = Installation(
                    folder: folder, database: database, redis: redis, environment: environment)
                if isMigrated { try await installation.succeed("migrate") }
                try await body(installation)
                try await installation.waitForSessionsToEnd()
            }
        }
    }

    /// Runs `body` with the database restored under another name, beside the same Redis.
    func withRestoredDatabase(_ body: (Installation) async throws -> Void) async throws {
        try await waitForSessionsToEnd()
        try await PostgresTestDatabase.withCopy(of: database) { copy in
            var environment = environment
            for variable in ["LARDER_POSTGRES_URL", "LARDER_POSTGRES_SOURCE_URL"] {
                environment[variable] = try Self.url(variable, database: copy.database)
            }
            let restored = Installation(folder: folder, database: copy, redis: redis, environment: environment)
            try await body(restored)
            try await restored.waitForSessionsToEnd()
        }
    }

    /// The server of the environment, with another database.
    private static func url(_ variable: String, database: String?) throws -> String {
        let text = try #require(
            ProcessInfo.processInfo.environment[variable],
            "\(variable) is not set: run dev/test, or eval \"$(dev/stack env)\" in this shell first")
        var components = try #require(URLComponents(string: text))
        components.path = "/\(try #require(database))"
        return try #require(components.string)
    }

    // MARK: Running

    /// Runs the program in the test's folder.
    func larder(_ arguments: String..., input: String = "") async throws -> Program.Outcome {
        try await run(arguments, input: Data(input.utf8))
    }

    func run(_ arguments: [String], input: Data = Data()) async throws -> Program.Outcome {
        try await Program.run(arguments, environment: environment, input: input, directory: folder)
    }

    /// Runs the program, which has to succeed.
    /// - Returns: its standard output.
    @discardableResult
    func succeed(
        _ arguments: String..., input: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let outcome = try await run(arguments, input: Data(input.utf8))
        try #require(outcome.status == 0, "larder \(arguments): \(outcome)", sourceLocation: sourceLocation)
        return outcome.output
    }

    /// Runs the program with `--output json`, which has to succeed.
    func json(
        _ arguments: String..., input: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String: Any] {
        let outcome = try await run(arguments + ["--output", "json"], input: Data(input.utf8))
        try #require(outcome.status == 0, "larder \(arguments): \(outcome)", sourceLocation: sourceLocation)
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    /// A database can be dropped only once the source login's sessions, which end a moment after their process, are gone.
    func waitForSessionsToEnd() async throws {
        for _ in 0..<200 {
            let others = try await query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                """, as: Int64.self)
            if others == 0 { return }
            try await Task.sleep(for: .milliseconds(25))
        }
    }

    // MARK: What is there

    /// Writes a file of definitions that is the whole tree.
    func write(_ definitions: String) throws {
        let directory = folder.appending(path: "feature-defs")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Data(definitions.utf8).write(to: directory.appending(path: "shop.yaml"))
    }

    func query<Value: PostgresDecodable & Sendable>(_ query: PostgresQuery, as type: Value.Type) async throws -> Value {
        let connection = try await PostgresConnection.connect(database, logger: .silent)
        do {
            let value = try await connection.query(query).onlyValue(as: type)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Everything that an apply or a load that was refused must not have changed: revisions, tables and views, writes.
    func fingerprint() async throws -> String {
        try await query(
            """
            SELECT concat_ws(' ',
                (SELECT count(*) FROM larder.revision), (SELECT count(*) FROM larder.write),
                (SELECT count(*) FROM larder.project), (SELECT count(*) FROM larder.apply_audit),
                (SELECT string_agg(n.nspname || '.' || c.relname, ',' ORDER BY n.nspname, c.relname)
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname LIKE 'larder\\_%' AND c.relkind IN ('r', 'v')))
            """, as: String.self)
    }
}
