import Foundation
import PostgresClient
import Testing

/// `larder migrate`, and what the others say of a database that is not migrated.
@Suite struct MigrateTests {
    @Test func `a dry run tells what is pending and changes nothing, a second run has nothing to do`() async throws {
        try await Installation.run(isMigrated: false) { larder in
            let dry = try await larder.larder("migrate", "--dry-run")
            #expect(dry.status == 3)
            #expect(dry.output.contains("pending  0001_"))
            #expect(try await larder.query("SELECT to_regnamespace('larder') IS NULL", as: Bool.self))
            #expect(try await larder.succeed("migrate").contains("applied  0001_"))
            #expect(try await larder.larder("migrate", "--dry-run").status == 0)
            let again = try await larder.json("migrate")
            #expect((again["applied"] as? [String])?.isEmpty == true)
        }
    }

    @Test func `two runs at once apply each migration once`() async throws {
        try await Installation.run(isMigrated: false) { larder in
            async let first = larder.larder("migrate")
            async let second = larder.larder("migrate")
            let outcomes = try await [first, second]
            #expect(outcomes.map(\.status) == [0, 0], "\(outcomes)")
            #expect(outcomes.count { $0.output.contains("applied  0001_") } == 1)
        }
    }

    @Test func `a database without migrations is told with the command that helps`() async throws {
        try await Installation.run(isMigrated: false) { larder in
            for arguments in [["list", "entities"], ["materialize"], ["ingest", "visits", "-", "--format", "csv"]] {
                let outcome = try await larder.run(arguments)
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("[migration_pending]"), "\(outcome)")
                #expect(outcome.errors.contains("hint: run larder migrate"))
            }
        }
    }

    @Test func `a migration that was changed since, and a database newer than the program, are refused`() async throws {
        try await Installation.run { larder in
            let folder = larder.folder.appending(path: "changed")
            try FileManager.default.copyItem(
                at: Program.checkout.appending(path: "migrations").resolvingSymlinksInPath(), to: folder)
            let first = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted().first)
            let file = folder.appending(path: first)
            let sql = try String(contentsOf: file, encoding: .utf8)
            try Data((sql + "\n-- changed\n").utf8).write(to: file)
            let changed = try await larder.larder("migrate", "--migrations", folder.path())
            #expect(changed.status == 1)
            #expect(changed.errors.contains("was changed after it was applied [migration_refused]"))

            _ = try await larder.query(
                """
                WITH added AS (INSERT INTO larder.migration
                    SELECT number + 1, '9999_future', sha256, applied_at, applied_by, duration FROM larder.migration
                    ORDER BY number DESC LIMIT 1 RETURNING number)
                SELECT count(*) FROM added
                """, as: Int64.self)
            for arguments in [["migrate"], ["list", "entities"]] {
                let newer = try await larder.run(arguments)
                #expect(newer.status == 1)
                #expect(newer.errors.contains("the database is newer than this program"), "\(newer)")
            }
        }
    }

    @Test func `a server learns of migrations that are applied while it runs, whether it has them or not`() async throws
    {
        try await Installation.run(isMigrated: false) { larder in
            let all = try #require(larder.environment["LARDER_MIGRATIONS"])
            var before = larder
            before.environment["LARDER_MIGRATIONS"] = larder.folder.appending(path: "migrations").path()
            try FileManager.default.copyItem(atPath: all, toPath: before.environment["LARDER_MIGRATIONS"] ?? "")
            let last = try #require(
                try FileManager.default.contentsOfDirectory(atPath: all).filter { $0.first?.isNumber == true }.max())
            try FileManager.default.removeItem(at: larder.folder.appending(path: "migrations/\(last)"))
            try await before.succeed("migrate")
            // As any server leaves it that has used the database.
            _ = try await larder.query(
                """
                WITH seen AS (
                    INSERT INTO larder.incarnation (system_identifier, timeline, database_oid, first_seen_at)
                    SELECT system_identifier, timeline, database_oid, clock_timestamp()
                    FROM larder.current_incarnation() RETURNING id
                ) SELECT count(*) FROM seen
                """, as: Int64.self)
            try await before.withServer { older in
                try await larder.withServer { newer in
                    let pending = try await newer.get("/health/ready")
                    #expect(pending.status == 503 && pending.text.contains("pending: "), "\(pending)")
                    try await larder.succeed("migrate")
                    try await larder.wait(for: "the newer server to be ready") {
                        try await newer.get("/health/ready").status == 200
                    }
                    try await larder.wait(for: "the older server to notice") {
                        older.log.contains("warning larder: goes on with a database that it does not know")
                    }
                    let ready = try await older.get("/health/ready")
                    #expect(ready.status == 200, "\(ready)")
                }
            }
        }
    }

    @Test func `a folder without migrations is told with the settings that name one`() async throws {
        try await Installation.run(isMigrated: false) { larder in
            let outcome = try await larder.larder("migrate", "--migrations", "nowhere")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("LARDER_MIGRATIONS"))
        }
    }
}
