/// Names in the shape that Prometheus accepts.
enum MetricName {
    /// `label` with everything but letters, digits and `_` turned into `_`, and `suffix` at its end, once.
    static func metric(_ label: String, suffix: String) -> String {
        let name = sanitized(label)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    /// - Parameter reserved: a name that the exposition uses itself.
    static func label(_ name: String, reserved: String? = nil) -> String {
        let sanitized = sanitized(name)
        // Two leading underscores belong to Prometheus.
        if sanitized.hasPrefix("__") || sanitized == reserved { return "exported_" + sanitized }
        return sanitized
    }

    private static func sanitized(_ name: String) -> String {
        var bytes = name.utf8.map { isNameByte($0) ? $0 : UInt8(ascii: "_") }
        if bytes.first.map({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) ?? true {
            bytes.insert(UInt8(ascii: "_"), at: 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// The labels of one series: sanitized names, sorted by name, each name once.
struct LabelSet: Hashable, Comparable, Sendable {
    struct Label: Hashable, Sendable {
        let name: String
        let value: String
    }

    let labels: [Label]

    /// - Parameters:
    ///   - dimensions: of two with the same name the last one counts.
    ///   - allowed: other names are left out; nil allows all.
    ///   - reserved: a label name that the kind of metric uses itself.
    init(_ dimensions: [(String, String)], allowed: Set<String>? = nil, reserved: String? = nil) {
        var values: [String: String] = [:]
        for (name, value) in dimensions where allowed?.contains(name) ?? true {
            values[MetricName.label(name, reserved: reserved)] = value
        }
        labels = values.map { Label(name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
    }

    static func < (left: LabelSet, right: LabelSet) -> Bool {
        left.labels.lexicographicallyPrecedes(right.labels) { ($0.name, $0.value) < ($1.name, $1.value) }
    }
}
