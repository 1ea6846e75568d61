import ArgumentParser

/// `larder` itself: only subcommands do something.
struct LarderRoot: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "larder",
        abstract: "A feature store on PostgreSQL and Redis.",
        discussion: """
            Definitions say what features are. Raw data is ingested, materialized into the offline store, and published \
            to the online store; training sets and online answers come from the same rows.

            Settings come from flags, the environment (LARDER_*) and a file (LARDER_CONFIG); see docs/configuration.md.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(name: "Definitions", subcommands: [Plan.self, Apply.self, List.self, Describe.self]),
            CommandGroup(
                name: "Versions and generations",
                subcommands: [
                    Versions.self, Deprecate.self, Retire.self, SwitchGeneration.self, Rollback.self,
                    DropGenerationCommand.self,
                ]),
            CommandGroup(name: "Data", subcommands: [Ingest.self, Push.self, Materialize.self, QuarantineGroup.self]),
            CommandGroup(name: "Features", subcommands: [TrainingSetGroup.self, GetOnlineFeatures.self]),
            CommandGroup(name: "Operation", subcommands: [Migrate.self, Serve.self, JobsGroup.self]),
        ])
}
