import Logging
import Observability

/// What a command works with.
struct CommandContext: Sendable {
    let settings: Settings
    let console: Console
    let logger: Logger
    /// The backend of every metric of the process.
    let metrics: PrometheusMetricsFactory

    /// Tells what is odd about the settings: in the log, or on standard error where a command logs nothing.
    func tellWarnings() {
        for warning in settings.warnings {
            if settings.log.level <= .warning {
                logger.warning("\(warning)")
            } else {
                console.note("warning: \(warning)")
            }
        }
    }
}
