public import FeatureModel
public import TextFormats

/// A request for the features of some entities.
public struct OnlineRequest: Sendable {
    /// Which features.
    public enum Features: Sendable, Hashable {
        case service(String)
        /// As `view:feature`, `view:*` or `view@2:feature`.
        case references([String])
    }

    /// The values of one key, one for each entity.
    public struct Key: Sendable {
        public let name: String
        public let values: [JSONValue]

        public init(name: String, values: [JSONValue]) {
            self.name = name
            self.values = values
        }
    }

    public var features: Features
    /// In the order in which the answer repeats them.
    public var keys: [Key]
    public var usesFullFeatureNames: Bool
    /// Whether the values come from a command line, where numbers and truth values are text too.
    public var valuesAreText: Bool

    public init(features: Features, keys: [Key], usesFullFeatureNames: Bool = false, valuesAreText: Bool = false) {
        self.features = features
        self.keys = keys
        self.usesFullFeatureNames = usesFullFeatureNames
        self.valuesAreText = valuesAreText
    }
}

extension OnlineRequest {
    private static let members = ["feature_service", "features", "entities", "full_feature_names"]

    /// Reads `{"feature_service": ..., "entities": {...}, "full_feature_names": ...}`, with `"features": [...]` in the
    /// service's place.
    ///
    /// - Parameters:
    ///   - further: members that the caller reads.
    ///   - ignored: members that are allowed and mean nothing.
    /// - Throws: `request_invalid` naming the member.
    public init(
        json: JSONValue, besides further: [String] = [], ignoring ignored: [String] = []
    ) throws(LarderError) {
        guard case .object(let all) = json else {
            throw LarderError(.requestInvalid, "the request is no JSON object", hint: Self.example)
        }
        let known = Self.members + further
        for member in all where !known.contains(member.name) && !ignored.contains(member.name) {
            throw LarderError(
                .requestInvalid, "the request has an unknown member \"\(member.name.prefix(63))\"",
                hint: NameRule.nearest(to: member.name, in: known).map { "did you mean \"\($0)\"?" }
                    ?? "members are \(known.joined(separator: ", "))")
        }
        self.init(
            features: try Self.features(json), keys: try Self.keys(json["entities"]),
            usesFullFeatureNames: try Self.flag(json["full_feature_names"]))
    }

    private static let example = #"{"feature_service": "NAME", "entities": {"KEY": [VALUE, ...]}}"#

    private static func features(_ json: JSONValue) throws(LarderError) -> Features {
        switch (json["feature_service"] ?? .null, json["features"] ?? .null) {
        case (.string(let name), .null): return .service(name)
        case (.null, .array(let values)):
            var references: [String] = []
            for (position, value) in values.enumerated() {
                guard case .string(let reference) = value else {
                    throw LarderError(
                        .requestInvalid, "\"features\" has something else than a string at position \(position)",
                        hint: "write view:feature, view:* or view@2:feature")
                }
                references.append(reference)
            }
            return .references(references)
        case (.null, .null):
            throw LarderError(
                .requestInvalid, "the request says neither \"feature_service\" nor \"features\"", hint: example)
        case (.null, _):
            throw LarderError(.requestInvalid, "\"features\" is no array of strings", hint: example)
        case (_, .null):
            throw LarderError(.requestInvalid, "\"feature_service\" is no string", hint: example)
        default:
            throw LarderError(
                .requestInvalid, "the request says both \"feature_service\" and \"features\"", hint: "say one of them")
        }
    }

    private static func keys(_ json: JSONValue?) throws(LarderError) -> [Key] {
        guard case .object(let members) = json ?? .object([]) else {
            throw LarderError(.requestInvalid, "\"entities\" is no object", hint: example)
        }
        var keys: [Key] = []
        for member in members {
            guard case .array(let values) = member.value else {
                throw LarderError(
                    .requestInvalid, "\"entities\".\"\(member.name.prefix(63))\" is no array",
                    hint: "give one value for each entity: \(example)")
            }
            keys.append(Key(name: member.name, values: values))
        }
        return keys
    }

    private static func flag(_ json: JSONValue?) throws(LarderError) -> Bool {
        switch json ?? .null {
        case .null: return false
        case .bool(let value): return value
        default: throw LarderError(.requestInvalid, "\"full_feature_names\" is neither true nor false")
        }
    }
}
