import ArgumentParser
import FeatureModel
import FeatureService
import TextFormats

struct QuarantineReplay: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Judge quarantined rows again and write those that pass.",
        discussion: """
            The rows that pass are written and leave the quarantine in one transaction. Those of a feature view are then \
            published; when Redis is away, the next materialize publishes them. The others stay, with the reasons of the \
            version they were judged by now.
            """)

    @Argument(help: ArgumentHelp("The source, or the feature view.", valueName: "target"))
    var target: String

    @Option(
        help: ArgumentHelp("The version to judge by and to write; the newest active one otherwise.", valueName: "n"))
    var schemaVersion: Int32?

    @OptionGroup var kind: QuarantineTarget

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let (resolved, replay) = try await context.withStores(onlineStore: .optional) { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            let resolved = try kind.resolve(target, in: project)
            return (
                resolved,
                try await Quarantine(stores: stores).replay(resolved, in: project, schemaVersion: schemaVersion)
            )
        }
        try context.console.write(table: Self.text(resolved, replay), json: replay.document(of: resolved))
        for warning in replay.warnings { context.console.note("warning: \(warning.printable)") }
        context.console.notePending(replay.online, view: resolved.name)
        return .success
    }

    private static func text(_ target: WriteTarget, _ replay: Quarantine.Replay) -> String {
        let outdated = WriteReport.text(ofOutdated: replay.rowsOutdated).map { ", \($0)" } ?? ""
        let kept = replay.rowsKept > 0 ? ": \(replay.reasons.text)" : ""
        return "\(target), version \(replay.schemaVersion): \(replay.rowsWritten.grouped) rows written\(outdated)"
            + "\(replay.online.text), \(replay.rowsKept.grouped) stay quarantined\(kept)"
    }
}

struct QuarantineDiscard: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard", abstract: "Remove quarantined rows for good.",
        discussion: "All rows of the source or feature view are removed, or with --id one of them.")

    @Argument(help: ArgumentHelp("The source, or the feature view.", valueName: "target"))
    var target: String

    @Option(help: ArgumentHelp("The only row to remove.", valueName: "n"))
    var id: Int64?

    @OptionGroup var kind: QuarantineTarget

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let (resolved, count) = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            let resolved = try kind.resolve(target, in: project)
            return (resolved, try await Quarantine(stores: stores).discard(resolved, in: project, id: id))
        }
        try context.console.write(
            table: "\(resolved): \(count.grouped) quarantined rows discarded",
            json: .object([
                .init("target", .string(resolved.kind.rawValue)), .init("name", .string(resolved.name)),
                .init("rows_discarded", .integer(count)),
            ]))
        return .success
    }
}

extension Quarantine.Replay {
    fileprivate func document(of target: WriteTarget) -> JSONValue {
        let members: [JSONValue.Member] = [
            .init("target", .string(target.kind.rawValue)), .init("name", .string(target.name)),
            .init("schema_version", .integer(schemaVersion)), .init("rows_written", .integer(rowsWritten)),
            .init("rows_replaced", .integer(rowsReplaced)), .init("rows_outdated", .integer(rowsOutdated)),
            .init("rows_kept", .integer(rowsKept)),
            .init("warnings", .array(warnings.map(JSONValue.string))),
            .init("violations", .array(violations.map(\.document))),
            .init("reasons", .object(reasons.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) })),
        ]
        return .object(target.kind == .featureView ? members + online.members : members)
    }
}
