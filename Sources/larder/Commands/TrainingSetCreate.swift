import ArgumentParser
import FeatureModel
import FeatureService
import TextFormats

struct TrainingSetCreate: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Write a training set.",
        discussion: """
            The output has exactly the spine's rows, in its order, with its columns as they are, and beside them the features \
            that were right at each row's time. It appears whole or not at all. Without a spine, --start and --end give every \
            change between them as a row, with --keys of some entities alone: --keys origin=JFK --keys origin=EWR.
            """)

    @OptionGroup var request: TrainingSetArguments

    @Option(help: ArgumentHelp("The file to write, or - for standard output.", valueName: "file"))
    var out: String

    @Option(help: ArgumentHelp("Its format; by the file's name otherwise.", valueName: "format"))
    var outFormat: FrameFormat?

    @Option(help: ArgumentHelp("Keep it under this name, so that it can be reproduced.", valueName: "name"))
    var name: String?

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        var trainingSet = try request.request(resources: context.settings.trainingSets)
        trainingSet.name = name
        let request = CreateTrainingSet.Request(
            trainingSet: trainingSet, spine: try request.source, outputPath: out,
            outputFormat: try Arguments.format(out, outFormat, option: "--out-format"))
        let progress = ProgressReport(context.console)
        let result = try await context.withStores(writers: trainingSet.resources.connections) { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            return try await CreateTrainingSet(stores: stores).run(request, in: project) { rows in
                progress.step("\(rows.grouped) rows")
            }
        }
        let table = result.table(writtenTo: out)
        // With the frame itself on standard output, there is no room for anything else there.
        if out == "-" {
            context.console.note(table)
        } else {
            try context.console.write(table: table, json: result.document(writtenTo: out))
        }
        return .success
    }
}
