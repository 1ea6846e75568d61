import ArgumentParser
import PostgresClient
import Registry
import TextFormats

struct Migrate: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the database to the newest migration and create its roles.",
        discussion: """
            Each migration is one transaction; several runs at once apply each of them once. A migration that was changed \
            after it was applied, and a database that is newer than this program, are refused.

            With --dry-run the status is 3 when migrations are pending.
            """)

    @Flag(help: "Only say what is pending.")
    var dryRun = false

    @Option(help: ArgumentHelp("The folder of migrations.", valueName: "dir"))
    var migrations: String?

    @OptionGroup var options: GlobalOptions

    var flags: [String: String] { migrations.map { [Setting.migrations.key: $0] } ?? [:] }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let files = try MigrationsFolder.load(context.settings.migrations)
        let migrator = Migrator(files: files)
        let connection = try await PostgresConnection.connect(context.settings.postgres, logger: context.logger)
        do {
            let status = try await run(migrator, files, connection, context)
            await connection.close()
            return status
        } catch {
            await connection.close()
            throw error
        }
    }

    private func run(
        _ migrator: Migrator, _ files: [MigrationFile], _ connection: PostgresConnection, _ context: CommandContext
    ) async throws -> ExitStatus {
        let newest = files.last?.name ?? ""
        if dryRun {
            let pending = try await migrator.pending(on: connection).map(\.name)
            try context.console.write(
                table: pending.isEmpty
                    ? "Nothing is pending: the database is at \(newest)."
                    : pending.map { "pending  \($0)" }.joined(separator: "\n"),
                json: .object([.init("pending", .array(pending.map { .string($0) }))]))
            return pending.isEmpty ? .success : .pending
        }
        let roles = DatabaseRoles(sourceLogin: context.settings.sourceLogin)
        try await roles.checkSourceLogin(on: connection)
        let applied = try await migrator.migrate(on: connection).map(\.name)
        try await roles.ensure(on: connection)
        try context.console.write(
            table: (applied.map { "applied  \($0)" } + ["The database is at \(newest)."]).joined(separator: "\n"),
            json: .object([
                .init("applied", .array(applied.map { .string($0) })), .init("newest", .string(newest)),
            ]))
        return .success
    }
}
