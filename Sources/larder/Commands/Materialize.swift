import ArgumentParser
import FeatureModel
import FeatureService
import OfflineStore
import OnlineStore
import TextFormats

struct Materialize: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compute feature views and publish them to the online store.",
        discussion: """
            Continues where the last run ended. --start and --end bound the event time of a backfill, which leaves alone \
            where the next run continues. A run that was cut off is repaired by the next one.
            """)

    enum Stage: String, ExpressibleByArgument, CaseIterable {
        case offline
        case online
    }

    @Argument(help: ArgumentHelp("The feature views; all of them otherwise.", valueName: "view"))
    var views: [String] = []

    @Option(help: ArgumentHelp("The earliest event time.", valueName: "time"), transform: Arguments.instant)
    var start: Timestamp?

    @Option(help: ArgumentHelp("The latest event time.", valueName: "time"), transform: Arguments.instant)
    var end: Timestamp?

    @Flag(help: "Compare and publish everything, also where following what is new would do.")
    var full = false

    @Option(help: ArgumentHelp("Do one half: offline computes, online publishes.", valueName: "half"))
    var only: Stage?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if let start, let end, start > end { throw ValidationError("--start is later than --end") }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let request = MaterializeViews.Request(
            views: views, bounds: EventTimeBounds(start: start, end: end), isFull: full, stages: stages)
        let progress = ProgressReport(context.console)
        let onlineStore: CommandContext.OnlineStoreUse = only == .offline ? .none : .required
        let results = try await context.withStores(onlineStore: onlineStore) { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            let materialize = MaterializeViews(stores: stores, parallelViews: context.settings.parallelViews)
            return try await materialize.run(request, in: project) { view, stage, rows in
                progress.update(
                    "\(stage == .offline ? "computing" : "publishing") \(view)", for: view, rows: rows)
            }
        }
        try context.console.write(table: Self.table(results), json: .array(results.map(\.document)))
        if let failure = results.failure { throw failure }
        return .success
    }

    private var stages: Set<MaterializationStage> {
        switch only {
        case nil: [.offline, .online]
        case .offline: [.offline]
        case .online: [.online]
        }
    }

    private static func table(_ results: [MaterializeViews.ViewResult]) -> String {
        var table = TextTable([
            .text("view"), .number("generation"), .number("read"), .number("written"), .number("withdrawn"),
            .number("skipped"), .number("published"), .number("kept"),
        ])
        for result in results {
            table.append([
                result.view, String(result.generation), result.offline?.rowsRead.grouped ?? "",
                result.offline?.rowsWritten.grouped ?? "", result.offline?.rowsWithdrawn.grouped ?? "",
                result.offline?.rowsSkipped.grouped ?? "", result.online?.written.grouped ?? "",
                result.online?.kept.grouped ?? "",
            ])
        }
        return table.text
    }
}
