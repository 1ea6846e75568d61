import ArgumentParser
import FeatureService
import TextFormats

struct Ingest: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load a file into a source of type table.",
        discussion: """
            All rows are loaded, or none; with --mode partial the good ones are, and the bad ones are quarantined. A file that \
            was ingested before counts once. CSV needs a header line; an unquoted empty field is null.
            """)

    @Argument(help: ArgumentHelp("The source.", valueName: "source"))
    var source: String

    @Argument(help: ArgumentHelp("The file, or - for standard input.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("The file's format; arrows is a stream of Arrow IPC. By the file's name otherwise."))
    var format: FrameFormat?

    @Option(
        help: ArgumentHelp(
            "The source's version that the rows are for; the newest active one otherwise.", valueName: "n"))
    var schemaVersion: Int32?

    @Option(help: "What becomes of a file with bad rows.")
    var mode: WriteMode = .allOrNothing

    @Option(help: ArgumentHelp("A further spelling of null in CSV, such as NA.", valueName: "text"))
    var null: String?

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let format = try Arguments.format(file, format, option: "--format")
        let progress = ProgressReport(context.console)
        let result = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            let request = IngestRows.Request(
                source: source, path: file, format: format, schemaVersion: schemaVersion, nullSpelling: null,
                mode: mode)
            return try await IngestRows(stores: stores).run(request, in: project) { rows in
                progress.update("reading for source \"\(source)\"", rows: rows)
            }
        }
        try context.console.write(
            table: "source \"\(source)\", \(result.text)",
            json: result.document(adding: [.init("source", .string(source))]))
        context.console.noteWarnings(of: result, command: "larder quarantine show \(source)")
        return .success
    }
}
