import FeatureModel
public import PostgresClient

/// Brings a database to the newest migration: each file in a transaction of its own together with its record, all
/// of them under one advisory lock, so that several runners at once apply each file once.
public struct Migrator: Sendable {
    /// "larder" in ASCII: the key of the advisory lock.
    private static let lockKey: Int64 = 0x6C61_7264_6572

    private let files: [MigrationFile]

    /// - Parameter files: in order, numbered from 1 without gaps.
    public init(files: [MigrationFile]) {
        self.files = files
    }

    /// Applies what is pending.
    /// - Returns: the files applied by this call.
    /// - Throws: `LarderError` `migration_refused` when an applied file has changed since or the database is newer than
    ///   these files.
    @discardableResult
    public func migrate(on connection: PostgresConnection) async throws -> [MigrationFile] {
        try await connection.execute("SELECT pg_advisory_lock(\(Self.lockKey))")
        do {
            let applied = try await migrateLocked(on: connection)
            try await connection.execute("SELECT pg_advisory_unlock(\(Self.lockKey))")
            return applied
        } catch {
            // A lost connection has released the lock by itself.
            _ = try? await connection.execute("SELECT pg_advisory_unlock(\(Self.lockKey))")
            throw error
        }
    }

    private func migrateLocked(on connection: PostgresConnection) async throws -> [MigrationFile] {
        try await connection.executeScript(
            """
            SET client_min_messages = warning;
            CREATE SCHEMA IF NOT EXISTS larder;
            CREATE TABLE IF NOT EXISTS larder.migration (
                number integer PRIMARY KEY,
                name text COLLATE "C" NOT NULL,
                sha256 bytea NOT NULL,
                applied_at timestamptz NOT NULL,
                applied_by text NOT NULL,
                duration interval NOT NULL
            );
            RESET client_min_messages;
            """)
        let pending = try await pending(on: connection)
        for file in pending {
            try await apply(file, on: connection)
        }
        return pending
    }

    private func apply(_ file: MigrationFile, on connection: PostgresConnection) async throws {
        do {
            try await connection.transaction(isolation: .readCommitted) { connection in
                // DDL must not queue behind a long reader while every writer queues behind it.
                try await connection.execute("SET LOCAL lock_timeout = '5s'")
                try await connection.executeScript(file.sql)
                try await connection.execute(
                    """
                    INSERT INTO larder.migration (number, name, sha256, applied_at, applied_by, duration)
                    VALUES (\(file.number), \(file.name), \(file.checksum), clock_timestamp(), session_user,
                            clock_timestamp() - now())
                    """)
            }
        } catch let error as PostgresError where error.code == .server {
            throw LarderError(
                .migrationRefused, "migration \"\(file.name)\" failed: \(error.message)",
                hint: "the database is as it was before this migration")
        }
    }

    /// The files the database does not have yet. An empty database lacks them all.
    /// - Throws: as `migrate(on:)`.
    public func pending(on connection: PostgresConnection) async throws -> [MigrationFile] {
        let exists = try await connection.query("SELECT to_regclass('larder.migration') IS NOT NULL AS found")
        guard try exists.first?.decode("found", as: Bool.self) == true else { return files }
        let rows = try await connection.query("SELECT number, name, sha256 FROM larder.migration ORDER BY number")
        for (index, row) in rows.enumerated() {
            let name = try row.decode("name", as: String.self)
            guard index < files.count else {
                throw LarderError(
                    .migrationRefused, "the database is newer than this program: it has migration \"\(name)\"",
                    hint: "run a larder at least as new as the one that migrated the database")
            }
            let file = files[index]
            guard try row.decode("number", as: Int32.self) == file.number, name == file.name,
                try row.decode("sha256", as: [UInt8].self) == file.checksum
            else {
                throw LarderError(
                    .migrationRefused, "migration \"\(name)\" was changed after it was applied",
                    hint: "restore the file as it was, and put the change into a new migration")
            }
        }
        return Array(files.dropFirst(rows.count))
    }
}
