import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import TextFormats

/// A training set as a request asks for it: options as query parameters, the spine as the body.
struct TrainingSetQuery {
    /// What the body is.
    enum Body {
        case spine(FrameFormat)
        /// `{"spine_sql": ...}`, or `{"start": ..., "end": ..., "entities": {...}}`.
        case json
    }

    private static let parameters = [
        "service", "features", "timestamp_column", "timezone", "null", "known_by", "as_of", "ttl", "full_feature_names",
        "include_timestamps", "split", "seed", "name", "job",
    ]
    private static let formats: [(type: String, format: FrameFormat)] = [
        ("application/vnd.apache.arrow.stream", .arrows), ("application/vnd.apache.arrow.file", .arrow),
        ("text/csv", .csv), ("application/x-ndjson", .ndjson), ("application/ndjson", .ndjson),
    ]

    private let request: Request

    /// - Throws: `request_invalid` for a parameter that there is not, with the nearest.
    init(_ request: Request, parameters: [String] = Self.parameters) throws(LarderError) {
        self.request = request
        for (name, _) in request.uri.queryParameters where !parameters.contains(String(name)) {
            throw LarderError(
                .requestInvalid, "there is no query parameter \"\(name.prefix(63))\"",
                hint: NameRule.nearest(to: String(name.prefix(63)), in: parameters).map { "did you mean \"\($0)\"?" }
                    ?? "parameters are \(parameters.joined(separator: ", "))")
        }
    }

    /// - Throws: `unsupported_media_type`.
    var body: Body {
        get throws(LarderError) {
            let type = request.headers[.contentType].map(Request.mediaType) ?? "application/vnd.apache.arrow.stream"
            if type == "application/json" { return .json }
            if let known = Self.formats.first(where: { $0.type == type }) { return .spine(known.format) }
            throw LarderError(
                .unsupportedMediaType, "the body is of type \"\(type.prefix(100))\"",
                hint: "send \(Self.formats.map(\.type).joined(separator: ", ")) or application/json")
        }
    }

    /// With the value of `Content-Type`.
    /// - Throws: `not_acceptable`.
    var answer: (format: FrameFormat, type: String) {
        get throws(LarderError) {
            guard let accept = request.headers[.accept] else { return (.arrows, Self.formats[0].type) }
            for type in Request.acceptedTypes(accept) {
                if let known = Self.formats.first(where: { $0.type == type }) {
                    // Of text without one some clients take the charset to be ISO-8859-1.
                    return (known.format, known.format == .csv ? "\(type); charset=utf-8" : type)
                }
                if ["*/*", "application/*"].contains(type) { return (.arrows, Self.formats[0].type) }
            }
            throw LarderError(
                .notAcceptable, "a training set has none of the types that \"Accept: \(accept.prefix(100))\" takes",
                hint: "say \(Self.formats.map(\.type).joined(separator: ", "))")
        }
    }

    /// - Throws: `request_invalid`.
    func trainingSet(_ resources: TrainingSetResources) throws(LarderError) -> TrainingSetRequest {
        var options = TrainingSetOptions()
        options.timestampColumn = text("timestamp_column") ?? options.timestampColumn
        options.timeZone = text("timezone")
        options.nullSpelling = text("null")
        options.usesFullFeatureNames = try flag("full_feature_names")
        options.includesTimestamps = try flag("include_timestamps")
        if let name = text("known_by") {
            guard let rule = TrainingSetOptions.KnownByOption(rawValue: name) else {
                throw LarderError(
                    .requestInvalid, "there is no rule known_by=\"\(name.prefix(63))\"",
                    hint: TrainingSetOptions.KnownByOption.allCases.map(\.rawValue).joined(separator: ", "))
            }
            options.knownBy = rule
        }
        options.asOf = try time("as_of")
        options.ttlOfView = try TrainingSetText.ttls(all("ttl"))
        if let split = text("split") {
            let seed = try text("seed").map { text throws(LarderError) -> UInt64 in
                guard let number = UInt64(text) else { throw LarderError(.requestInvalid, "seed is no whole number") }
                return number
            }
            options.split = try TrainingSetText.split(split, seed: seed ?? 0)
        }
        let references = all("features")
        guard (text("service") != nil) != !references.isEmpty else {
            throw LarderError(
                .requestInvalid, "a training set needs either a service or features",
                hint: "say ?service=NAME or ?features=view:feature,view:*")
        }
        return TrainingSetRequest(
            features: text("service").map { .service($0) } ?? .references(references), options: options,
            resources: resources, name: text("name"))
    }

    /// Whether a job is to make it, so that nobody waits.
    var isJob: Bool {
        get throws(LarderError) { try flag("job") }
    }

    private func text(_ name: String) -> String? { request.uri.queryParameters[name[...]].map(String.init) }

    /// Values of a parameter that may be there several times, each a list.
    private func all(_ name: String) -> [String] {
        request.uri.queryParameters[values: name[...]].flatMap { $0.split(separator: ",") }.map(String.init)
    }

    private func flag(_ name: String) throws(LarderError) -> Bool {
        switch text(name) {
        case nil, "false": return false
        case "true", "": return true
        case let value?:
            throw LarderError(.requestInvalid, "\(name)=\"\(value.prefix(63))\" is neither true nor false")
        }
    }

    private func time(_ name: String) throws(LarderError) -> Timestamp? {
        guard let text = text(name) else { return nil }
        guard let time = Timestamp(text) else {
            throw LarderError(
                .requestInvalid, "\(name)=\"\(text.prefix(63))\" is no time with an offset",
                hint: "write 2013-01-01T00:00:00Z; a + in a query is written %2B")
        }
        return time
    }
}
