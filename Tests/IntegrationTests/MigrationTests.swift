import FeatureModel
import Foundation
import PostgresClient
import Registry
import TestSupport
import Testing

@Suite struct MigrationTests {
    private static let folder = LarderFixture.checkout + "migrations"

    private func head() throws -> [MigrationFile] {
        try MigrationFile.load(directory: Self.folder)
    }

    /// Runs `body` with a session of an empty database.
    private func withEmptyDatabase(
        _ body: (PostgresConnection, PostgresConfiguration) async throws -> Void
    ) async throws {
        try await withDatabase { configuration in
            let connection = try await PostgresConnection.connect(configuration, logger: .silent)
            do {
                try await body(connection, configuration)
                await connection.close()
            } catch {
                await connection.close()
                throw error
            }
        }
    }

    private func appliedNumbers(_ connection: PostgresConnection) async throws -> [Int32] {
        try await connection.query("SELECT number FROM larder.migration ORDER BY number")
            .map { try $0.decode("number", as: Int32.self) }
    }

    private func relationExists(_ name: String, _ connection: PostgresConnection) async throws -> Bool {
        try await connection.query("SELECT to_regclass(\(name)) IS NOT NULL AS found").onlyValue(as: Bool.self)
    }

    private func synthetic(_ number: Int32, _ sql: String) -> MigrationFile {
        MigrationFile(number: number, name: "000\(number)_synthetic", sql: sql)
    }

    @Test func `an empty database reaches the head, and a second run does nothing`() async throws {
        try await withEmptyDatabase { connection, _ in
            let files = try head()
            let migrator = Migrator(files: files)
            #expect(try await migrator.migrate(on: connection) == files)
            #expect(try await migrator.migrate(on: connection).isEmpty)
            #expect(try await appliedNumbers(connection) == files.map(\.number))
        }
    }

    @Test func `asking what is pending changes nothing`() async throws {
        try await withEmptyDatabase { connection, _ in
            let files = try head()
            #expect(try await Migrator(files: files).pending(on: connection) == files)
            let schemas = try await connection.query(
                "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'larder%'"
            ).onlyValue(as: Int64.self)
            #expect(schemas == 0)
            try await Migrator(files: files).migrate(on: connection)
            let next = synthetic(Int32(files.count + 1), "CREATE TABLE larder.later (id integer)")
            #expect(try await Migrator(files: files + [next]).pending(on: connection) == [next])
            #expect(try await !relationExists("larder.later", connection))
        }
    }

    @Test func `two runners at once apply every file once`() async throws {
        try await withDatabase { configuration in
            let files = try head()
            let applied = try await withThrowingTaskGroup(of: [MigrationFile].self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        let connection = try await PostgresConnection.connect(configuration, logger: .silent)
                        let applied = try await Migrator(files: files).migrate(on: connection)
                        await connection.close()
                        return applied
                    }
                }
                var all: [MigrationFile] = []
                for try await some in group { all += some }
                return all
            }
            #expect(applied == files)
        }
    }

    @Test func `a file that changed after it was applied is refused`() async throws {
        try await withEmptyDatabase { connection, _ in
            var files = try head()
            try await Migrator(files: files).migrate(on: connection)
            files[0] = MigrationFile(number: 1, name: files[0].name, sql: files[0].sql + "\n-- edited")
            let error = try await thrownError { try await Migrator(files: files).migrate(on: connection) }
            #expect(error.code == .migrationRefused)
            #expect(error.message.contains(files[0].name) && error.message.contains("changed"))
        }
    }

    @Test func `a database newer than the files is refused`() async throws {
        try await withEmptyDatabase { connection, _ in
            let files = try head()
            let next = synthetic(Int32(files.count + 1), "CREATE TABLE larder.later (id integer)")
            try await Migrator(files: files + [next]).migrate(on: connection)
            let error = try await thrownError { try await Migrator(files: files).migrate(on: connection) }
            #expect(error.code == .migrationRefused)
            #expect(error.message.contains("newer") && error.message.contains(next.name))
        }
    }

    @Test(arguments: [
        (["0001_a.sql", "0003_c.sql"], "0003_c"), (["0002_b.sql"], "0002_b"), (["0001_a.sql", "0001_b.sql"], "0001_b"),
        (["1_a.sql"], "1_a.sql"), (["0001.sql"], "0001.sql"), ([], "no .sql file"),
    ])
    func `a folder with a gap, a repeat or another name is refused, naming the file`(
        names: [String], named: String
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "migrations-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in names { try Data("SELECT 1;".utf8).write(to: folder.appending(path: name)) }
        let error = try await thrownError { _ = try MigrationFile.load(directory: folder.path()) }
        #expect(error.code == .migrationRefused)
        #expect(error.message.contains(named))
    }

    @Test func `a failure in the middle of a file leaves the version before it`() async throws {
        try await withEmptyDatabase { connection, _ in
            let files = try head()
            let next = Int32(files.count + 1)
            let good = synthetic(next, "CREATE TABLE larder.good (id integer)")
            let broken = synthetic(next + 1, "CREATE TABLE larder.half (id integer); SELECT 1 / 0;")
            let error = try await thrownError {
                try await Migrator(files: files + [good, broken]).migrate(on: connection)
            }
            #expect(error.code == .migrationRefused)
            #expect(error.message.contains(broken.name) && error.message.contains("division by zero"))
            #expect(try await appliedNumbers(connection) == files.map(\.number) + [next])
            #expect(try await relationExists("larder.good", connection))
            #expect(try await !relationExists("larder.half", connection))
            // The lock is free again and the corrected file goes on from there.
            let corrected = synthetic(next + 1, "CREATE TABLE larder.half (id integer)")
            let applied = try await Migrator(files: files + [good, corrected]).migrate(on: connection)
            #expect(applied == [corrected])
        }
    }

    @Test func `the next version finds the rows of the one before`() async throws {
        try await withEmptyDatabase { connection, _ in
            let files = try head()
            try await Migrator(files: files).migrate(on: connection)
            try await connection.executeScript(
                """
                INSERT INTO larder.project (id, name, revision, created_at)
                VALUES (nextval('larder.object_id'), 'old', 1, now());
                INSERT INTO larder.revision (project_id, revision, contents, contents_sha256, applied_at)
                SELECT id, 1, '{"format":1}', sha256('x'), now() FROM larder.project;
                """)
            let next = synthetic(
                Int32(files.count + 1),
                """
                ALTER TABLE larder.project ADD COLUMN label text;
                UPDATE larder.project SET label = 'was ' || name;
                ALTER TABLE larder.project ALTER COLUMN label SET NOT NULL;
                """)
            try await Migrator(files: files + [next]).migrate(on: connection)
            let label = try await connection.query("SELECT label FROM larder.project").onlyValue(as: String.self)
            #expect(label == "was old")
            let contents = try await connection.query("SELECT contents::text AS c FROM larder.revision")
                .onlyValue(as: String.self)
            #expect(contents == #"{"format":1}"#)
        }
    }

    @Test func `the head is the committed schema`() async throws {
        try await withEmptyDatabase { connection, configuration in
            try await Migrator(files: head()).migrate(on: connection)
            let schema = try Self.dump(configuration)
            let golden = URL(filePath: Self.folder).appending(path: "schema.sql")
            if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
                try Data(schema.utf8).write(to: golden)
            }
            let committed = try String(contentsOf: golden, encoding: .utf8)
            #expect(schema == committed, "if the change is meant, run this test with UPDATE_GOLDEN=1")
        }
    }

    /// The schema by `pg_dump`, without what differs between its versions.
    private static func dump(_ configuration: PostgresConfiguration) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "pg_dump", "--schema-only", "--no-owner", "--no-privileges", "--schema=larder", "--schema=larder_*",
            "--host=\(configuration.host ?? "")", "--port=\(configuration.port ?? 5_432)",
            "--username=\(configuration.user ?? "")", configuration.database ?? "",
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PGPASSWORD": configuration.password ?? ""]) { _, new in new }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        let lines = text.split(separator: "\n").filter { line in
            !["--", "SET ", "SELECT pg_catalog.set_config", "\\"].contains { line.hasPrefix($0) }
        }
        return "-- The schema after the newest migration. Written by MigrationTests with UPDATE_GOLDEN=1.\n"
            + lines.joined(separator: "\n") + "\n"
    }
}
