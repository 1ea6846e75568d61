import ArgumentParser
import FeatureModel
import FeatureService
import TextFormats

struct TrainingSetExplain: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show how a training set would be made, and how it went.",
        discussion: """
            For each view: what its history and the spine are like, what each way to join is estimated to cost, and the way \
            that is taken. With --analyze the training set is made, and thrown away, and the actual figures stand beside the \
            estimates.
            """)

    @OptionGroup var request: TrainingSetArguments

    @Flag(help: "Make it, and show what it took.")
    var analyze = false

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let request = try request.request(resources: context.settings.trainingSets)
        let source = try self.request.source
        let report = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            return try await ExplainTrainingSet(stores: stores).run(
                request, spine: source, in: project, analyze: analyze)
        }
        try context.console.write(table: report.explanation, json: report.explanationDocument)
        return .success
    }
}
