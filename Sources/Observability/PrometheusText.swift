/// Writes metrics in Prometheus' text format, version 0.0.4.
struct PrometheusText {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ family: MetricFamily) {
        append("# HELP \(family.name) ")
        appendEscaped(family.help, quotes: false)
        append("\n# TYPE \(family.name) \(family.kind.typeName)\n")
        for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
            switch series {
            case .counter(let counter): appendSample(family.name, labels, String(counter.value))
            case .floatingPointCounter(let counter): appendSample(family.name, labels, Self.text(counter.value))
            case .gauge(let gauge): appendSample(family.name, labels, Self.text(gauge.value))
            case .histogram(let histogram): appendHistogram(family.name, labels, histogram)
            }
        }
    }

    private mutating func appendHistogram(_ name: String, _ labels: LabelSet, _ histogram: HistogramSeries) {
        let snapshot = histogram.snapshot
        for (index, count) in snapshot.cumulativeCounts.enumerated() {
            let bound = index < histogram.bounds.count ? Self.text(histogram.bounds[index]) : "+Inf"
            appendSample(name + "_bucket", labels, String(count), extra: ("le", bound))
        }
        appendSample(name + "_sum", labels, Self.text(snapshot.sum))
        appendSample(name + "_count", labels, String(snapshot.cumulativeCounts.last ?? 0))
    }

    private mutating func appendSample(
        _ name: String, _ labels: LabelSet, _ value: String, extra: (name: String, value: String)? = nil
    ) {
        append(name)
        var separator = "{"
        for label in labels.labels {
            append("\(separator)\(label.name)=\"")
            appendEscaped(label.value, quotes: true)
            append("\"")
            separator = ","
        }
        if let extra {
            append("\(separator)\(extra.name)=\"\(extra.value)\"")
            separator = ","
        }
        append(separator == "{" ? " \(value)\n" : "} \(value)\n")
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Backslash and line feed are escaped everywhere, quotation marks in label values only.
    private mutating func appendEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\"") where quotes: append("\\\"")
            default: bytes.append(byte)
            }
        }
    }

    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
