import ArgumentParser
import FeatureService
import TextFormats

struct List: LarderCommand {
    static let configuration = CommandConfiguration(abstract: "List what is registered.")

    @Argument(help: "The kind of objects.")
    var kind: ServedProject.Collection

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let list = try await context.withStores { try await context.servedProject($0) }.list(kind)
        try context.console.write(table: CatalogTable(kind).text(list), json: list)
        return .success
    }
}
