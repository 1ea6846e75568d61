public import FeatureModel

// How the model's types are written in registry documents. Values carry their type, so that no int64 passes
// through a double and no NaN through a JSON number.

extension ValueType: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let type = ValueType(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "unknown type \"\(text)\"")
        }
        self = type
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension JoinKey: Codable {
    private enum CodingKeys: String, CodingKey {
        case name
        case type
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try container.decode(String.self, forKey: .name),
            type: try container.decode(ValueType.self, forKey: .type))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(type, forKey: .type)
    }
}

extension Expectation: Codable {
    private enum CodingKeys: String, CodingKey {
        case minimum
        case maximum
        case oneOf
        case maximumLength
        case isFinite
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            minimum: try Self.bound(container, .minimum), maximum: try Self.bound(container, .maximum),
            oneOf: try container.decodeIfPresent([Value].self, forKey: .oneOf),
            maximumLength: try container.decodeIfPresent(Int.self, forKey: .maximumLength),
            isFinite: try container.decodeIfPresent(Bool.self, forKey: .isFinite) ?? false)
    }

    private static func bound(
        _ container: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys
    ) throws -> Double? {
        guard let text = try container.decodeIfPresent(String.self, forKey: key) else { return nil }
        guard let bound = Double(text) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container, debugDescription: "\"\(text)\" is no number")
        }
        return bound
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(minimum?.description, forKey: .minimum)
        try container.encodeIfPresent(maximum?.description, forKey: .maximum)
        try container.encodeIfPresent(oneOf, forKey: .oneOf)
        try container.encodeIfPresent(maximumLength, forKey: .maximumLength)
        if isFinite { try container.encode(true, forKey: .isFinite) }
    }
}
