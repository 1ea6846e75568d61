import ArgumentParser
import FeatureModel
import FeatureService

struct Serve: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer online requests over HTTP.",
        discussion: """
            Listens on this machine only unless --host says otherwise. SIGTERM and SIGINT end it once everything asked has \
            been answered.
            """)
    static let handlesSignals = true
    static let defaultLogLevel = "info"

    @Option(help: ArgumentHelp("The address to listen on.", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("The port to listen on, 0 for any.", valueName: "port"))
    var port: UInt16?

    @Option(
        help: ArgumentHelp("Answer as of one time for ever, for demos and tests.", valueName: "time"),
        transform: Arguments.instant)
    var clockFixed: Timestamp?

    @OptionGroup var options: GlobalOptions

    var flags: [String: String] {
        var flags: [String: String] = [:]
        if let host { flags[Setting.httpHost.key] = host }
        if let port { flags[Setting.httpPort.key] = String(port) }
        return flags
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        try await context.runServer(clockFixed.map { .fixed($0) } ?? .system)
        return .success
    }
}
