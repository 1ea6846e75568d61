import ArgumentParser
import FeatureDefinitions
import FeatureModel
import FeatureService
import TextFormats

struct SwitchGeneration: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "switch", abstract: "Read another generation of a feature view from now on.",
        discussion: """
            Every server follows within a second, each response whole. The generation must have been materialized; how far it is \
            behind what has been written is printed. Feature services stay where they are pinned until the next apply.
            """)

    @Argument(help: ArgumentHelp("The feature view.", valueName: "view"))
    var view: String

    @Option(help: ArgumentHelp("The generation to read.", valueName: "g"))
    var toGeneration: Int32

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        try await context.change(.switchGeneration(view: view, to: toGeneration))
    }
}

struct Rollback: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Undo the last switch of a feature view.",
        discussion:
            "The generation before has been kept current, so that it is read at once, as up to date as the other one.")

    @Argument(help: ArgumentHelp("The feature view.", valueName: "view"))
    var view: String

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        try await context.change(.rollback(view: view))
    }
}

struct DropGenerationCommand: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Remove a generation of a feature view for good.",
        discussion: """
            Its offline rows and online values are deleted. A generation that is current or that a feature service pins is not \
            dropped. A drop that was cut off is continued by the same command.
            """)

    @Argument(help: ArgumentHelp("The feature view.", valueName: "view"))
    var view: String

    @Option(help: ArgumentHelp("The generation to remove.", valueName: "g"))
    var generation: Int32

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let progress = ProgressReport(context.console)
        let result = try await context.withStores(onlineStore: .required) { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            return try await DropGeneration(stores: stores).run(
                view: view, generation: generation, in: project
            ) { keys in
                progress.update("deleting online keys of \(view)", rows: keys)
            }
        }
        try context.console.write(
            table:
                "feature view \"\(view)\": generation \(generation) is gone, with \(result.onlineKeysDeleted.grouped) online keys",
            json: .object([
                .init("view", .string(view)), .init("generation", .integer(generation)),
                .init("online_keys_deleted", .integer(result.onlineKeysDeleted)),
                .init("revision", .integer(result.revision)),
            ]))
        return .success
    }
}

extension CommandContext {
    /// Makes a change of versions or generations, and says what it did.
    func change(_ change: LifecycleChange) async throws -> ExitStatus {
        try await withStores { stores in
            let project = try await stores.project(namedOrOnly: settings.project)
            let next = try await ChangeLifecycle(stores: stores).make(change, in: project)
            var members: [JSONValue.Member] = [
                .init("project", .string(next.name)), .init("revision", .integer(next.revision)),
                .init("name", .string(change.objectName)),
            ]
            var lines = [
                "\(change.objectName): \(change.summary); project \"\(next.name)\" is at revision \(next.revision)"
            ]
            if let view = change.switchedView.flatMap({ try? next.featureView(named: $0) }) {
                let lag = try await GenerationReadiness(stores: stores).lag(
                    of: view, generation: view.currentGeneration, in: next)
                lines.append("generation \(view.currentGeneration) \(Self.text(lag))")
                members.append(.init("generation", .integer(view.currentGeneration)))
                members.append(.init("rows_to_compute", lag.rowsToCompute.map { .integer($0) } ?? .null))
                members.append(.init("rows_to_publish", lag.rowsToPublish.map { .integer($0) } ?? .null))
            }
            try console.write(table: lines.joined(separator: "\n"), json: .object(members))
        }
        return .success
    }

    private static func text(_ lag: GenerationLag) -> String {
        var parts: [String] = []
        if let rows = lag.rowsToCompute, rows > 0 { parts.append("\(rows.grouped) ingested rows to compute") }
        if let rows = lag.rowsToPublish, rows > 0 { parts.append("\(rows.grouped) rows to publish") }
        if parts.isEmpty {
            return lag.rowsToCompute == nil ? "is as its last materialization left it" : "lacks nothing"
        }
        return "still has \(parts.joined(separator: " and "))"
    }
}
