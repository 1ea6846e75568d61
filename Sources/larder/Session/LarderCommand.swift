import ArgumentParser

/// A subcommand, run by a `Session`.
protocol LarderCommand: AsyncParsableCommand, Sendable {
    var options: GlobalOptions { get }
    /// Settings that flags of this command decide, by their keys.
    var flags: [String: String] { get }
    /// Whether signals are the command's own business. Otherwise they cancel it.
    static var handlesSignals: Bool { get }
    /// What is logged unless a setting says otherwise.
    static var defaultLogLevel: String { get }

    /// - Throws: any error; the session reports it.
    func run(in context: CommandContext) async throws -> ExitStatus
}

extension LarderCommand {
    var flags: [String: String] { [:] }
    static var handlesSignals: Bool { false }
    // A command reports its failures itself; what the clients log on the way would say them twice.
    static var defaultLogLevel: String { "critical" }
}

/// Options that every subcommand takes.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The project; needed when there are several.", valueName: "name"))
    var project: String?

    @Option(help: ArgumentHelp("How results are written: table for people, json for programs.", valueName: "format"))
    var output: OutputFormat = .table

    @Flag(help: "Log what happens in detail, on standard error.")
    var verbose = false

    /// The settings that these options decide.
    var flags: [String: String] {
        var flags: [String: String] = [:]
        if let project { flags[Setting.project.key] = project }
        if verbose { flags[Setting.logLevel.key] = "debug" }
        return flags
    }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}

/// How a command ended, where nothing went wrong.
enum ExitStatus: Int32 {
    case success = 0
    /// What was asked for is refused; the reasons have been told.
    case refused = 1
    /// `plan --detailed-exit-code`: there are changes.
    case changes = 2
    /// `migrate --dry-run`: migrations are pending.
    case pending = 3
}
