import ArgumentParser
import FeatureDefinitions

struct Deprecate: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have writes of a schema version warned from now on.",
        discussion: "They are still accepted. Reads of the version go on as before.")

    @OptionGroup var version: VersionArguments

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        try await context.change(.deprecate(try version.object))
    }
}

struct Retire: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Refuse a schema version from now on.",
        discussion: """
            When the command returns, no write of the version is under way any more. A version that a feature service pins is not \
            retired. Rows written under it stay readable for other versions.
            """)

    @OptionGroup var version: VersionArguments

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        try await context.change(.retire(try version.object))
    }
}
