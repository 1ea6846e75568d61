import ArgumentParser
import FeatureModel
import FeatureService
import TextFormats

struct TrainingSetList: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the training sets that were kept.")

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let sets = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            return try await SavedTrainingSets(stores: stores).list(in: project)
        }
        var table = TextTable([.text("name"), .number("rows"), .text("as of"), .text("created by"), .text("content")])
        for set in sets {
            table.append([
                set.name, Int(set.rowCount).grouped, set.asOf.description, set.createdBy,
                String(set.contentHash.prefix(16)),
            ])
        }
        try context.console.write(
            table: sets.isEmpty ? "No training set was kept." : table.text,
            json: .array(sets.map { $0.document(isWhole: false) }))
        return .success
    }
}

struct TrainingSetShow: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a training set was made of, with statistics of its columns.")

    @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
    var name: String

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let set = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            return try await SavedTrainingSets(stores: stores).trainingSet(named: name, in: project)
        }
        try context.console.write(table: set.text, json: set.document(isWhole: true))
        return .success
    }
}

struct TrainingSetReproduce: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce", abstract: "Make a training set again.",
        discussion: """
            The spine, the definitions and the rows are those of its time, whatever has been written since. The content is \
            compared with what it was; a difference ends with an error, after the file was written.
            """)

    @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("The file to write, or - for standard output.", valueName: "file"))
    var out: String

    @Option(help: ArgumentHelp("Its format; by the file's name otherwise.", valueName: "format"))
    var outFormat: FrameFormat?

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let format = try Arguments.format(out, outFormat, option: "--out-format")
        let progress = ProgressReport(context.console)
        let made = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            var output = try ByteOutput(path: out)
            let made = try await SavedTrainingSets(stores: stores).reproduce(
                named: name, in: project, format: format, resources: context.settings.trainingSets,
                write: { try output.write($0) }, progress: { progress.step("\($0.grouped) rows") })
            try output.finish()
            return made
        }
        guard made.isSame else {
            throw LarderError(
                .trainingSetDiffers,
                "training set \"\(name)\" came out different: content \(made.contentHash), it was \(made.saved.contentHash)",
                hint: "rows it was made from were changed or erased outside of a write; \(out) has it as it is now")
        }
        let table = made.report.table(writtenTo: out) + "\nthe same content as then: \(made.contentHash)"
        if out == "-" {
            context.console.note(table)
        } else {
            try context.console.write(table: table, json: made.document)
        }
        return .success
    }
}

struct TrainingSetDelete: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a training set that was kept, and with it what it holds on to.")

    @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
    var name: String

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            try await SavedTrainingSets(stores: stores).delete(named: name, in: project)
        }
        try context.console.write(
            table: "Training set \"\(name)\" is deleted.", json: .object([.init("deleted", .string(name))]))
        return .success
    }
}
