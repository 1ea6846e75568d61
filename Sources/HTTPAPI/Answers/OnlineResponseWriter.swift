import FeatureModel
import FeatureService
import TextFormats

/// Writes answers to online requests as JSON, straight into bytes, in the shape that Feast's clients know.
struct OnlineResponseWriter {
    /// Whose words are used.
    enum Dialect {
        case larder
        /// Feast's four statuses, and a timestamp everywhere.
        case feast(withVersions: Bool)
    }

    let dialect: Dialect

    /// `{"metadata": {"feature_names": [keys..., features...]}, "results": [{"values", "statuses", "event_timestamps"}]}`
    func json(_ response: OnlineResponse) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(256 + 64 * response.entityCount * (response.keys.count + response.features.count))
        out.append(contentsOf: #"{"metadata":{"feature_names":["#.utf8)
        let names = response.keys.map(\.name) + response.features.map(\.name)
        separated(names, into: &out) { JSONText.writeString($0, into: &$1) }
        out.append(UInt8(ascii: "]"))
        if case .feast(withVersions: true) = dialect { appendVersions(response, to: &out) }
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
        separated(key.values, into: &out) { $0.write(into: &$1) }
        out.append(contentsOf: #"],"statuses":["#.utf8)
        separated(key.values, into: &out) { append(.present, to: &$1) }
        out.append(contentsOf: #"],"event_timestamps":["#.utf8)
        separated(key.values, into: &out) { append(nil, to: &$1) }
        out.append(contentsOf: "]}".utf8)
    }

    private func append(_ feature: OnlineResponse.Feature, count: Int, to out: inout [UInt8]) {
        out.append(contentsOf: #"{"values":["#.utf8)
        separated(0..<count, into: &out) { JSONText.write(feature.values, row: $0, into: &$1) }
        out.append(contentsOf: #"],"statuses":["#.utf8)
        separated(feature.statuses, into: &out) { append($0, to: &$1) }
        out.append(contentsOf: #"],"event_timestamps":["#.utf8)
        separated(feature.eventTimes, into: &out) { append($0, to: &$1) }
        out.append(contentsOf: "]}".utf8)
    }

    private func append(_ status: FeatureStatus, to out: inout [UInt8]) {
        var shown = status
        if case .feast = dialect {
            switch status {
            case .defaulted: shown = .present
            case .invalidKey: shown = .notFound
            case .present, .nullValue, .notFound, .outsideMaxAge: break
            }
        }
        out.append(UInt8(ascii: "\""))
        out.append(contentsOf: shown.rawValue.utf8)
        out.append(UInt8(ascii: "\""))
    }

    /// Where there is no event time, or minus infinity: null, or what Feast's clients take for none.
    private func append(_ eventTime: Timestamp?, to out: inout [UInt8]) {
        if let eventTime, eventTime.isFinite {
            JSONText.write(eventTime, into: &out)
        } else if case .feast = dialect {
            out.append(contentsOf: #""1970-01-01T00:00:00Z""#.utf8)
        } else {
            out.append(contentsOf: "null".utf8)
        }
    }

    private func appendVersions(_ response: OnlineResponse, to out: inout [UInt8]) {
        var views: [(name: String, version: Int32)] = []
        for feature in response.features
        where !views.contains(where: { $0.name == feature.viewName && $0.version == feature.schemaVersion }) {
            views.append((feature.viewName, feature.schemaVersion))
        }
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

    private func separated<Element>(
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
