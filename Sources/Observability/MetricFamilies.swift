/// What a metric was made as.
enum MetricKind: Sendable {
    case counter
    case floatingPointCounter
    case gauge
    case recorder
    case timer

    /// The word of the `# TYPE` line.
    var typeName: String {
        switch self {
        case .counter, .floatingPointCounter: "counter"
        case .gauge: "gauge"
        case .recorder, .timer: "histogram"
        }
    }

    var suffix: String {
        switch self {
        case .counter, .floatingPointCounter: "_total"
        case .gauge, .recorder: ""
        case .timer: "_seconds"
        }
    }

    /// A label that histograms use for their buckets.
    var reservedLabel: String? {
        switch self {
        case .recorder, .timer: "le"
        default: nil
        }
    }
}

/// One series of a metric.
enum MetricSeries: Sendable {
    case counter(CounterSeries)
    case floatingPointCounter(FloatingPointCounterSeries)
    case gauge(GaugeSeries)
    case histogram(HistogramSeries)

    var identifier: ObjectIdentifier {
        switch self {
        case .counter(let handler): ObjectIdentifier(handler)
        case .floatingPointCounter(let handler): ObjectIdentifier(handler)
        case .gauge(let handler): ObjectIdentifier(handler)
        case .histogram(let handler): ObjectIdentifier(handler)
        }
    }
}

/// All series of one metric name.
struct MetricFamily: Sendable {
    let name: String
    let help: String
    let kind: MetricKind
    var series: [LabelSet: MetricSeries] = [:]
}

/// The metrics of a process by name. Bounded; its owner guards it.
struct MetricFamilies {
    private let configuration: PrometheusConfiguration
    private var families: [String: MetricFamily] = [:]
    /// Where each series is, so that it can be destroyed by its handler. Overflow series are not in it: they are shared.
    private var homes: [ObjectIdentifier: (family: String, labels: LabelSet)] = [:]

    private static let overflowLabels = LabelSet([("overflow", "true")])
    private static let overflowName = "metrics_label_overflow_total"
    private static let refusedName = "metrics_refused_total"

    init(_ configuration: PrometheusConfiguration) {
        self.configuration = configuration
    }

    /// The metrics in the order of their names.
    func sorted() -> [MetricFamily] {
        families.values.sorted { $0.name < $1.name }
    }

    /// The series of a metric, made when it is new.
    ///
    /// - Returns: nil when the name is in use by another kind of metric, or there are too many metrics.
    mutating func series(_ kind: MetricKind, _ label: String, _ dimensions: [(String, String)]) -> MetricSeries? {
        let name = MetricName.metric(label, suffix: kind.suffix)
        let labels = LabelSet(dimensions, allowed: configuration.allowedLabels, reserved: kind.reservedLabel)
        if families[name] == nil {
            guard families.count < configuration.maximumMetrics, !Self.isOwn(name) else { return refuse() }
            families[name] = MetricFamily(name: name, help: configuration.help[label] ?? label, kind: kind)
        }
        guard let family = families[name], family.kind == kind else { return refuse() }
        if let known = family.series[labels] { return known }
        if family.series.count < max(1, configuration.maximumSeriesPerMetric) {
            let made = makeSeries(kind)
            families[name]?.series[labels] = made
            homes[made.identifier] = (name, labels)
            return made
        }
        count(Self.overflowName, help: "Label sets beyond the limit, by metric", [("metric", name)])
        if let shared = family.series[Self.overflowLabels] { return shared }
        let shared = makeSeries(kind)
        families[name]?.series[Self.overflowLabels] = shared
        return shared
    }

    mutating func remove(_ identifier: ObjectIdentifier) {
        guard let home = homes.removeValue(forKey: identifier) else { return }
        families[home.family]?.series[home.labels] = nil
        if families[home.family]?.series.isEmpty == true { families[home.family] = nil }
    }

    private func makeSeries(_ kind: MetricKind) -> MetricSeries {
        switch kind {
        case .counter: .counter(CounterSeries())
        case .floatingPointCounter: .floatingPointCounter(FloatingPointCounterSeries())
        case .gauge: .gauge(GaugeSeries())
        case .recorder: .histogram(HistogramSeries(bounds: configuration.recorderBounds))
        case .timer: .histogram(HistogramSeries(bounds: configuration.timerBounds))
        }
    }

    // MARK: Metrics about metrics

    private static func isOwn(_ name: String) -> Bool { name == overflowName || name == refusedName }

    private mutating func refuse() -> MetricSeries? {
        count(Self.refusedName, help: "Metrics beyond the limit, or named like one of another kind", [])
        return nil
    }

    private mutating func count(_ name: String, help: String, _ dimensions: [(String, String)]) {
        let labels = LabelSet(dimensions)
        var family = families[name] ?? MetricFamily(name: name, help: help, kind: .counter)
        if case .counter(let counter) = family.series[labels] {
            counter.increment(by: 1)
            return
        }
        let counter = CounterSeries()
        counter.increment(by: 1)
        family.series[labels] = .counter(counter)
        families[name] = family
    }
}
