import ArgumentParser
import FeatureDefinitions
import FeatureService

struct Plan: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what applying definitions would do.",
        discussion: """
            Nothing is changed. PostgreSQL judges every SQL expression on the way. The status is 1 when the change is \
            refused; with --detailed-exit-code it is 0 when there is nothing to do and 2 when there are changes.
            """)

    @OptionGroup var definitions: DefinitionOptions

    @Flag(help: "Tell by the status whether there are changes.")
    var detailedExitCode = false

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let definition = try definitions.load(context.settings)
        let plan = try await context.withStores { stores in
            try await ApplyDefinitions(stores: stores).plan(definition, allowRemovals: definitions.allowRemovals)
        }
        let document = try plan.document
        try context.console.write(table: plan.changeLines, json: document)
        try plan.checkAccepted()
        return detailedExitCode && !plan.isNoOp ? .changes : .success
    }
}
