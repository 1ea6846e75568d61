import ArgumentParser
import FeatureService
import TextFormats

struct Describe: LarderCommand {
    static let configuration = CommandConfiguration(abstract: "Show one registered object with its versions.")

    @Argument(help: "The kind of object.")
    var kind: ServedProject.Collection

    @Argument(help: "Its name.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let document = try await context.withStores { try await context.servedProject($0) }
            .describe(kind, named: name)
        try context.console.write(table: DocumentText.render(document), json: document)
        return .success
    }
}
