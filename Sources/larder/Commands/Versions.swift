import ArgumentParser
import FeatureDefinitions
import FeatureModel
import FeatureService
import TextFormats

struct Versions: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the schema versions of a feature view or a source.",
        discussion: """
            The shape hash says what a row looks like, the computation hash what computes it. Writes of a deprecated version are \
            accepted with a warning, those of a retired one are refused.
            """)

    @Argument(help: ArgumentHelp("The feature view, or the source.", valueName: "name"))
    var name: String

    @Flag(help: "The name is that of a source, not of a feature view.")
    var source = false

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let project = try await context.withStores { try await $0.project(namedOrOnly: context.settings.project) }
        if source {
            let source = try project.source(named: name)
            try context.console.write(
                table: Self.table(source), json: .array(source.versions.map(Self.document)))
        } else {
            let view = try project.featureView(named: name)
            try context.console.write(
                table: Self.table(view), json: .array(view.versions.map { Self.document($0, of: view) }))
        }
        return .success
    }

    private static let hashDigits = 12

    private static func table(_ source: RegisteredSource) -> String {
        var table = TextTable([
            .number("version"), .text("state"), .number("columns"), .text("shape hash"),
        ])
        for version in source.versions {
            table.append([
                String(version.version), version.state.rawValue, String(version.columns.count),
                String(version.shapeHash.prefix(hashDigits)),
            ])
        }
        return table.text
    }

    private static func table(_ view: RegisteredFeatureView) -> String {
        var table = TextTable([
            .number("version"), .text("state"), .number("generation"), .text(""), .number("features"),
            .text("shape hash"), .text("computation hash"),
        ])
        for version in view.versions {
            table.append([
                String(version.version), version.state.rawValue, String(version.generation),
                role(of: version.generation, in: view), String(version.features.count),
                String(version.shapeHash.prefix(hashDigits)), String(version.computationHash.prefix(hashDigits)),
            ])
        }
        return table.text
    }

    private static func role(of generation: Int32, in view: RegisteredFeatureView) -> String {
        guard let state = view.generation(generation)?.state else { return "dropped" }
        if state == .dropping { return "dropping" }
        return generation == view.currentGeneration ? "current" : "beside"
    }

    private static func document(_ version: SourceVersion) -> JSONValue {
        .object([
            .init("version", .integer(version.version)), .init("state", .string(version.state.rawValue)),
            .init("columns", .array(version.columns.map { .string($0.name) })),
            .init("shape_hash", .string(version.shapeHash)),
        ])
    }

    private static func document(_ version: ViewVersion, of view: RegisteredFeatureView) -> JSONValue {
        .object([
            .init("version", .integer(version.version)), .init("state", .string(version.state.rawValue)),
            .init("generation", .integer(version.generation)),
            .init("generation_state", .string(role(of: version.generation, in: view))),
            .init("features", .array(version.features.map { .string($0.name) })),
            .init("shape_hash", .string(version.shapeHash)),
            .init("computation_hash", .string(version.computationHash)),
        ])
    }
}
