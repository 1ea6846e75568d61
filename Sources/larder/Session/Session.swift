import ArgumentParser
import FeatureModel
import FeatureService
import Logging
import Observability

/// One run of one command: settings, logging, signals, and the exit status.
enum Session {
    private static let usageStatus: Int32 = 64
    /// What a shell shows for a program that died of SIGPIPE.
    private static let closedOutputStatus: Int32 = 141

    static func run<Command: LarderCommand>(_ command: Command) async -> Int32 {
        let console = Console(format: command.options.output)
        do {
            let settings = try Settings.load(
                flags: command.options.flags.merging(command.flags) { _, flag in flag },
                defaultLogLevel: Command.defaultLogLevel, warn: { console.note("warning: \($0)") })
            let metrics = PrometheusMetricsFactory()
            bootstrapLogging(settings.log)
            bootstrapMetrics(metrics)
            let context = CommandContext(
                settings: settings, console: console, logger: Logger(label: "larder"), metrics: metrics)
            context.tellWarnings()
            let status =
                Command.handlesSignals
                ? try await command.run(in: context)
                : try await cancellingOnSignals { try await command.run(in: context) }
            return status.rawValue
        } catch let interruption as Interruption {
            console.note("interrupted; nothing half done is left behind")
            return interruption.exitStatus
        } catch is OutputClosed {
            return closedOutputStatus
        } catch {
            let failure = LarderError(translating: error)
            console.report(failure)
            return failure.code == .usage ? usageStatus : ExitStatus.refused.rawValue
        }
    }
}
