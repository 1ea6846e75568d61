/// What a ``PrometheusMetricsFactory`` exposes, and how much of it.
public struct PrometheusConfiguration: Sendable {
    /// Help text by metric label, as given to swift-metrics. A metric without one shows its label.
    public var help: [String: String] = [:]
    /// Dimensions that become labels; others are left out and their series merge. Nil allows all.
    public var allowedLabels: Set<String>?
    /// Label sets per metric; what comes after shares one series labelled `overflow="true"`, and is counted in
    /// `metrics_label_overflow_total`. Defaults to `500`.
    public var maximumSeriesPerMetric = 500
    /// Metrics by name; what comes after is recorded nowhere and counted in `metrics_refused_total`.
    /// Defaults to `1000`.
    public var maximumMetrics = 1000
    /// Upper bounds of a timer's buckets, in seconds: fine around a millisecond, as online reads are.
    public var timerBounds: [Double] = [
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
    ]
    /// Upper bounds of an aggregating recorder's buckets: sizes and counts.
    public var recorderBounds: [Double] = [
        1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 100_000, 1_000_000,
    ]

    public init() {}
}
