public import CoreMetrics
internal import Synchronization

/// A swift-metrics backend that keeps everything in memory and shows it in Prometheus' text format.
///
/// Names: dots and whatever else Prometheus does not take become `_`; counters end in `_total`, timers are histograms
/// in seconds and end in `_seconds`. Recording costs one or two relaxed atomic operations; the lock is taken when a
/// metric object is made, destroyed or scraped.
public final class PrometheusMetricsFactory: MetricsFactory {
    private let configuration: PrometheusConfiguration
    private let families: Mutex<MetricFamilies>

    public init(_ configuration: PrometheusConfiguration = PrometheusConfiguration()) {
        var configuration = configuration
        configuration.timerBounds = Self.usable(configuration.timerBounds)
        configuration.recorderBounds = Self.usable(configuration.recorderBounds)
        self.configuration = configuration
        families = Mutex(MetricFamilies(configuration))
    }

    private static func usable(_ bounds: [Double]) -> [Double] {
        Set(bounds.filter(\.isFinite)).sorted()
    }

    /// Everything recorded so far in text format 0.0.4, content type ``contentType``; metrics and series in the order
    /// of their names.
    public func scrape() -> [UInt8] {
        let snapshot = families.withLock { $0.sorted() }
        var text = PrometheusText()
        for family in snapshot { text.append(family) }
        return text.bytes
    }

    /// The media type of ``scrape()``.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let series = families.withLock { $0.series(.counter, label, dimensions) }
        if case .counter(let handler) = series { return handler }
        return CounterSeries()
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        let series = families.withLock { $0.series(.floatingPointCounter, label, dimensions) }
        if case .floatingPointCounter(let handler) = series { return handler }
        return FloatingPointCounterSeries()
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        makeGauge(label, dimensions)
    }

    /// An aggregating recorder is a histogram, another one a gauge.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? makeHistogram(label, dimensions, .recorder, configuration.recorderBounds) : makeGauge(label, dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        makeHistogram(label, dimensions, .timer, configuration.timerBounds)
    }

    private func makeGauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        let series = families.withLock { $0.series(.gauge, label, dimensions) }
        if case .gauge(let handler) = series { return handler }
        return GaugeSeries()
    }

    private func makeHistogram(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricKind, _ bounds: [Double]
    ) -> HistogramSeries {
        let series = families.withLock { $0.series(kind, label, dimensions) }
        if case .histogram(let handler) = series { return handler }
        return HistogramSeries(bounds: bounds)
    }

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func remove(_ handler: AnyObject) {
        families.withLock { $0.remove(ObjectIdentifier(handler)) }
    }
}
