import Logging
import Observability

/// What a command works with.
struct CommandContext: Sendable {
    let settings: Settings
    let console: Console
    let logger: Logger
    /// The backend of every metric of the process.
    let metrics: PrometheusMetricsFactory
}
