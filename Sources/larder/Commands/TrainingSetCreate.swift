import ArgumentParser
import FeatureModel
import FeatureService
import TextFormats

struct TrainingSetCreate: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Write a training set.",
        discussion: """
            The output has exactly the spine's rows, in its order, with its columns as they are, and beside them the features \
            that were right at each row's time. It appears whole or not at all.
            """)

    @Option(help: ArgumentHelp("The file with keys, times and labels, or - for standard input.", valueName: "file"))
    var spine: String

    @Option(help: ArgumentHelp("Its format; by the file's name otherwise.", valueName: "format"))
    var spineFormat: FrameFormat?

    @OptionGroup var features: FeatureOptions

    @Option(help: ArgumentHelp("The file to write, or - for standard output.", valueName: "file"))
    var out: String

    @Option(help: ArgumentHelp("Its format; by the file's name otherwise.", valueName: "format"))
    var outFormat: FrameFormat?

    @Option(help: ArgumentHelp("The spine's column of times.", valueName: "name"))
    var timestampColumn = "event_timestamp"

    @Option(
        help: ArgumentHelp(
            "What makes a row known: event_time, recorded (when the source recorded it) or arrival (when it was ingested).",
            valueName: "rule"))
    var knownBy: TrainingSetOptions.KnownByOption = .eventTime

    @Option(help: ArgumentHelp("The zone of times without an offset, such as America/New_York.", valueName: "zone"))
    var timezone: String?

    @Option(help: ArgumentHelp("A further spelling of null in CSV, such as NA.", valueName: "text"))
    var null: String?

    @Flag(help: "Name every feature view__feature.")
    var fullFeatureNames = false

    @Flag(help: "Add the event time of each view's row, as view__event_timestamp.")
    var includeTimestamps = false

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let request = try request
        let progress = ProgressReport(context.console)
        let result = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            return try await CreateTrainingSet(stores: stores).run(request, in: project) { rows in
                progress.step("\(rows.grouped) rows")
            }
        }
        context.console.note("\(result.phases)")
        // With the frame itself on standard output, there is no room for anything else there.
        if out == "-" {
            context.console.note(Self.table(result, out))
        } else {
            try context.console.write(table: Self.table(result, out), json: Self.document(result, out))
        }
        return .success
    }

    private var request: CreateTrainingSet.Request {
        get throws {
            var options = TrainingSetOptions()
            options.timestampColumn = timestampColumn
            options.timeZone = timezone
            options.nullSpelling = null
            options.usesFullFeatureNames = fullFeatureNames
            options.includesTimestamps = includeTimestamps
            options.knownBy = knownBy
            return CreateTrainingSet.Request(
                features: features.service.map { .service($0) } ?? .references(Arguments.list(features.features)),
                spinePath: spine, spineFormat: try Arguments.format(spine, spineFormat, option: "--spine-format"),
                outputPath: out, outputFormat: try Arguments.format(out, outFormat, option: "--out-format"),
                options: options)
        }
    }

    private static func table(_ result: TrainingSetReport, _ path: String) -> String {
        let tellsAge = result.views.contains { $0.outsideMaxAge != nil }
        var table = TextTable(
            [.text("view"), .number("found")]
                + (tellsAge
                    ? [.number("not found"), .number("outside max age")] : [.number("not found or too old")])
                + [.number("invalid key")])
        for view in result.views {
            table.append(
                [view.name, view.found.grouped, view.notFound.grouped]
                    + (view.outsideMaxAge.map { [$0.grouped] } ?? []) + [view.invalidKey.grouped])
        }
        let place = path == "-" ? "standard output" : path
        return table.text + "\n\(result.rowCount.grouped) rows with \(result.columns.count) columns written to \(place)"
    }

    private static func document(_ result: TrainingSetReport, _ path: String) -> JSONValue {
        .object([
            .init("file", .string(path)), .init("rows", .integer(result.rowCount)),
            .init("columns", .array(result.columns.map { .string($0) })),
            .init(
                "views",
                .array(
                    result.views.map { view in
                        .object([
                            .init("view", .string(view.name)), .init("found", .integer(view.found)),
                            .init("not_found", .integer(view.notFound)),
                            .init("outside_max_age", view.outsideMaxAge.map { .integer($0) } ?? .null),
                            .init("invalid_key", .integer(view.invalidKey)),
                        ])
                    })),
        ])
    }
}
