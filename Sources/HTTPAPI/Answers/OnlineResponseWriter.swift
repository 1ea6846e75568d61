import FeatureModel
import FeatureService
import TextFormats

/// Writes answers to online requests as JSON, straight into bytes, in the shape that Feast's clients know.
struct OnlineResponseWriter {
    /// Whose words are used.
    enum Dialect {
        case larder
        /// Feast's four statuses, a timestamp everywhere, and features that are times in whole seconds since 1970.
        case feast(withVersions: Bool)
    }

    let dialect: Dialect

    /// `{"metadata": {"feature_names": [keys..., features...]}, "results": [{"values", "statuses", "event_timestamps"}]}`
    func json(_ response: OnlineResponse) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(256 + 64 * response.entityCount * (response.keys.count + response.features.count))
        out.append(contentsOf: #"{"metadata":{"feature_names":["#.utf8)
        let names = response.keys.map(\.name) + response.features.map(\.name)
        Self.separated(names, into: &out) { JSONText.writeString($0, into: &$1) }
        out.append(UInt8(ascii: "]"))
        if case .feast(withVersions: true) = dialect {
            Self.appendVersions(response.features.map { ($0.viewName, $0.schemaVersion) }, to: &out)
        }
        out.append(contentsOf: #"},"results":["#.utf8)
        for (index, key) in response.keys.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            append(key, to: &out)
        }
        for (index, feature) in response.features.enumerated() {
            if index > 0 || !response.keys.isEmpty { out.append(UInt8(ascii: ",")) }
            append(feature, count: response.entityCount, to: &out)
        }
        out.append(contentsOf: "]}".utf8)
        return out
    }

    /// A key is always there, with the request's own value.
    private func append(_ key: OnlineRequest.Key, to out: inout [UInt8]) {
        out.append(contentsOf: #"{"values":["#.utf8)
        Self.separated(key.values, into: &out) { $0.write(into: &$1) }
        out.append(contentsOf: #"],"statuses":["#.utf8)
        Self.separated(key.values, into: &out) { append(.present, isNull: false, to: &$1) }
        out.append(contentsOf: #"],"event_timestamps":["#.utf8)
        Self.separated(key.values, into: &out) { append(nil, to: &$1) }
        out.append(contentsOf: "]}".utf8)
    }

    private func append(_ feature: OnlineResponse.Feature, count: Int, to out: inout [UInt8]) {
        out.append(contentsOf: #"{"values":["#.utf8)
        Self.separated(0..<count, into: &out) { append(feature.values, row: $0, to: &$1) }
        out.append(contentsOf: #"],"statuses":["#.utf8)
        Self.separated(feature.statuses.enumerated(), into: &out) { status, out in
            append(status.element, isNull: feature.values.isNull(status.offset), to: &out)
        }
        out.append(contentsOf: #"],"event_timestamps":["#.utf8)
        Self.separated(feature.eventTimes, into: &out) { append($0, to: &$1) }
        out.append(contentsOf: "]}".utf8)
    }

    /// - Parameter isNull: whether the value is.
    private func append(_ status: FeatureStatus, isNull: Bool, to out: inout [UInt8]) {
        var shown = status
        if case .feast = dialect {
            switch status {
            case .defaulted: shown = isNull ? .nullValue : .present
            case .invalidKey: shown = .notFound
            case .present, .nullValue, .notFound, .outsideMaxAge: break
            }
        }
        out.append(UInt8(ascii: "\""))
        out.append(contentsOf: shown.rawValue.utf8)
        out.append(UInt8(ascii: "\""))
    }

    private func append(_ values: Column, row: Int, to out: inout [UInt8]) {
        switch (dialect, values.type) {
        case (.feast, .scalar(.timestamp)) where !values.isNull(row):
            JSONText.write(Self.seconds(values.int64s[row]), into: &out)
        case (.feast, .array(.timestamp)) where !values.isNull(row):
            out.append(UInt8(ascii: "["))
            Self.separated(values.elementRange(row), into: &out) {
                JSONText.write(Self.seconds(values.int64s[$0]), into: &$1)
            }
            out.append(UInt8(ascii: "]"))
        default:
            JSONText.write(values, row: row, into: &out)
        }
    }

    /// Feast has times that are features in seconds, without a fraction.
    private static func seconds(_ microseconds: Int64) -> Int64 { microseconds / 1_000_000 }

    /// Where there is no event time, or minus infinity: null, or what Feast's clients take for none.
    func append(_ eventTime: Timestamp?, to out: inout [UInt8]) {
        if let eventTime, eventTime.isFinite {
            let start = out.count
            JSONText.write(eventTime, into: &out)
            if case .feast = dialect { Self.padFraction(of: &out, from: start) }
        } else if case .feast = dialect {
            out.append(contentsOf: #""1970-01-01T00:00:00Z""#.utf8)
        } else {
            out.append(contentsOf: "null".utf8)
        }
    }

    /// Brings the second's fraction, if there is one, to three or six digits: Python before 3.11 reads no others.
    private static func padFraction(of out: inout [UInt8], from start: Int) {
        guard let point = out[start...].lastIndex(of: UInt8(ascii: ".")) else { return }
        let end = Array("Z\"".utf8)
        let digits = out.count - end.count - point - 1
        out.removeLast(end.count)
        for _ in digits..<(digits <= 3 ? 3 : 6) { out.append(UInt8(ascii: "0")) }
        out.append(contentsOf: end)
    }

    /// Each view and version once, in order of first mention.
    static func appendVersions(_ mentioned: [(name: String, version: Int32)], to out: inout [UInt8]) {
        var views: [(name: String, version: Int32)] = []
        for view in mentioned where !views.contains(where: { $0 == view }) { views.append(view) }
        out.append(contentsOf: #","feature_view_metadata":["#.utf8)
        separated(views, into: &out) { view, out in
            out.append(contentsOf: #"{"name":"#.utf8)
            JSONText.writeString(view.name, into: &out)
            out.append(contentsOf: #","version":"#.utf8)
            JSONText.write(Int64(view.version), into: &out)
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "]"))
    }

    private static func separated<Element>(
        _ elements: some Sequence<Element>, into out: inout [UInt8], _ write: (Element, inout [UInt8]) -> Void
    ) {
        var isFirst = true
        for element in elements {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            write(element, &out)
        }
    }
}
