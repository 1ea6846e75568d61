import ArgumentParser
import FeatureModel
import FeatureService
import TextFormats

struct Push: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write rows straight into a feature view whose source is of type push.",
        discussion: """
            A row has the join keys, the source's timestamp, and the features by name; __deleted: true says that the entity is \
            gone from then on. All rows are written, or none; with --mode partial the good ones are, and the bad ones are \
            quarantined. They are in PostgreSQL before anything else, and then published; when Redis is away, the next \
            materialize publishes them.
            """)

    @Argument(help: ArgumentHelp("The feature view.", valueName: "view"))
    var view: String

    @Argument(help: ArgumentHelp("The file, or - for standard input.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("The file's format; arrows is a stream of Arrow IPC. By the file's name otherwise."))
    var format: FrameFormat?

    @Option(
        help: ArgumentHelp(
            "The view's version that the rows are for; the newest active one otherwise.", valueName: "n"))
    var schemaVersion: Int32?

    @Option(help: "How far the rows go at once: online and both publish them, offline leaves that to materialize.")
    var to: WriteDestination = .both

    @Option(help: "What becomes of a file with bad rows.")
    var mode: WriteMode = .allOrNothing

    @Option(
        help: ArgumentHelp(
            "A second push with the same key writes nothing; it is refused unless it is the same one.",
            valueName: "key"))
    var idempotencyKey: String?

    @Option(help: ArgumentHelp("A further spelling of null in CSV, such as NA.", valueName: "text"))
    var null: String?

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let format = try Arguments.format(file, format, option: "--format")
        let progress = ProgressReport(context.console)
        let report = try await context.withStores(onlineStore: to == .offline ? .none : .optional) { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            let request = WriteViewRows.Request(
                view: view, rows: .file(path: file, format), schemaVersion: schemaVersion, mode: mode,
                destination: to, idempotencyKey: idempotencyKey, nullSpelling: null)
            return try await WriteViewRows(stores: stores).run(request, in: project) { rows in
                progress.update("reading for feature view \"\(view)\"", rows: rows)
            }
        }
        try context.console.write(
            table: "feature view \"\(view)\", \(report.write.text)\(report.online.text)",
            json: report.document(adding: [.init("feature_view", .string(view))]))
        context.console.noteWarnings(of: report.write, command: "larder quarantine show \(view)")
        context.console.notePending(report.online, view: view)
        return .success
    }
}

extension ViewWriteReport {
    /// The report as JSON after members of its own.
    fileprivate func document(adding members: [JSONValue.Member]) -> JSONValue {
        guard case .object(let own) = document else { return document }
        return .object(members + own)
    }
}
