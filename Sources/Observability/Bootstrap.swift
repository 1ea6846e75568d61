internal import CoreMetrics
internal import Logging

/// Makes every `Logger` of the process write lines as `configuration` says.
///
/// Only `main` calls it, once: swift-log stops the process at a second call.
public func bootstrapLogging(_ configuration: LogConfiguration) {
    LoggingSystem.bootstrap(
        { label, provider in LineLogHandler(label: label, configuration: configuration, metadataProvider: provider) },
        metadataProvider: nil)
}

/// Makes `factory` the backend of every metric of the process.
///
/// Only `main` calls it, once: swift-metrics stops the process at a second call.
public func bootstrapMetrics(_ factory: PrometheusMetricsFactory) {
    MetricsSystem.bootstrap(factory)
}
