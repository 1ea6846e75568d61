import ArgumentParser
import FeatureDefinitions
import FeatureModel
import FeatureService
import TextFormats

struct QuarantineGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "See what partial writes refused, write it after all, or give it up.",
        subcommands: [QuarantineList.self, QuarantineShow.self, QuarantineReplay.self, QuarantineDiscard.self])
}

/// Whose quarantine is meant.
struct QuarantineTarget: ParsableArguments {
    @Flag(help: "The name is that of a source; needed when a feature view has it too.")
    var source = false

    @Flag(help: "The name is that of a feature view; needed when a source has it too.")
    var view = false

    func validate() throws {
        if source, view { throw ValidationError("say either --source or --view") }
    }

    func resolve(_ name: String, in project: RegisteredProject) throws(LarderError) -> WriteTarget {
        try project.writeTarget(named: name, kind: source ? .source : view ? .featureView : nil)
    }
}

struct QuarantineList: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Count the quarantined rows of a source or a feature view, by version and reason.",
        discussion: "The newest rows are listed below the counts.")

    @Argument(help: ArgumentHelp("The source, or the feature view.", valueName: "target"))
    var target: String

    @OptionGroup var kind: QuarantineTarget

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let listing = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            return try await Quarantine(stores: stores).list(try kind.resolve(target, in: project), in: project)
        }
        try context.console.write(table: Self.text(listing), json: listing.document)
        return .success
    }

    private static func text(_ listing: Quarantine.Listing) -> String {
        guard listing.rowCount > 0 else { return "The quarantine of \(listing.target) is empty." }
        var counts = TextTable([.number("version"), .number("rows"), .text("reason"), .number("times")])
        for version in listing.versions {
            for (index, reason) in version.reasons.enumerated() {
                counts.append([
                    index == 0 ? String(version.schemaVersion) : " ", index == 0 ? version.rowCount.grouped : " ",
                    reason.code, reason.count.grouped,
                ])
            }
        }
        var rows = TextTable([
            .number("id"), .text("received"), .text("actor"), .number("version"), .number("row"), .text("reasons"),
        ])
        for entry in listing.newest {
            rows.append([
                String(entry.id), entry.receivedAt.description, entry.actor, String(entry.schemaVersion),
                String(entry.row), entry.violations.map(\.code).joined(separator: ", "),
            ])
        }
        return "\(counts.text)\n\n\(rows.text)"
    }
}

struct QuarantineShow: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show quarantined rows as they came, with every reason.")

    @Argument(
        help: ArgumentHelp("The row's id, or the source or feature view whose rows to show.", valueName: "id|target"))
    var subject: String

    @Option(help: ArgumentHelp("How many rows to show at most.", valueName: "n"))
    var limit = 100

    @Option(help: ArgumentHelp("Show rows with greater ids than this one.", valueName: "id"))
    var after: Int64 = 0

    @OptionGroup var kind: QuarantineTarget

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit is less than 1") }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let entries = try await context.withStores { stores in
            let project = try await stores.project(namedOrOnly: context.settings.project)
            let quarantine = Quarantine(stores: stores)
            if let id = Int64(subject) { return [try await quarantine.row(id: id, in: project)] }
            return try await quarantine.rows(
                try kind.resolve(subject, in: project), in: project, after: after, limit: limit)
        }
        try context.console.write(
            table: entries.isEmpty ? "There are no such rows." : entries.map(Self.text).joined(separator: "\n\n"),
            json: .array(entries.map(\.document)))
        if entries.count == limit, let last = entries.last {
            context.console.note("there may be more: --after \(last.id) continues")
        }
        return .success
    }

    private static func text(_ entry: QuarantineEntry) -> String {
        let line = entry.line.map { " (line \($0))" } ?? ""
        let judged = entry.judgedVersion == entry.schemaVersion ? "" : ", judged by version \(entry.judgedVersion)"
        var lines = [
            "row \(entry.id): row \(entry.row)\(line) of \(entry.receivedAt) by \(entry.actor.printable), "
                + "for version \(entry.schemaVersion)\(judged)"
        ]
        if let header = entry.header { lines.append("  \(printable(header))") }
        lines.append("  \(printable(entry.record))")
        for violation in entry.violations {
            let feature = violation.feature.map { "\($0): " } ?? ""
            lines.append("  - \("\(feature)\(violation.message)".printable) [\(violation.code)]")
        }
        return lines.joined(separator: "\n")
    }

    private static func printable(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).printable
    }
}

extension Quarantine.Listing {
    fileprivate var document: JSONValue {
        .object([
            .init("target", .string(target.kind.rawValue)), .init("name", .string(target.name)),
            .init("rows", .integer(rowCount)),
            .init(
                "versions",
                .array(
                    versions.map { version in
                        .object([
                            .init("schema_version", .integer(version.schemaVersion)),
                            .init("rows", .integer(version.rowCount)),
                            .init(
                                "reasons", .object(version.reasons.map { .init($0.code, .integer($0.count)) })),
                        ])
                    })),
            .init("newest", .array(newest.map(\.document))),
        ])
    }
}
