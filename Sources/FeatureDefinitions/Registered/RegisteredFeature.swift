public import FeatureModel

/// A feature of one schema version, with what computes and describes it.
public struct RegisteredFeature: Sendable, Hashable {
    public var schema: FeatureSchema
    /// A SQL expression over the source's columns; nil reads the column of the feature's own name.
    public var expression: String?
    public var expectation: Expectation?
    public var description: String?
    /// Former names that still find the feature.
    public var aliases: [String]

    public init(
        schema: FeatureSchema, expression: String? = nil, expectation: Expectation? = nil,
        description: String? = nil, aliases: [String] = []
    ) {
        self.schema = schema
        self.expression = expression
        self.expectation = expectation
        self.description = description
        self.aliases = aliases
    }

    public var id: Int32 { schema.id }
    public var name: String { schema.name }
    public var type: ValueType { schema.type }

    /// What computes the feature. An expression that is a column's name is that column, so that a renamed feature that
    /// goes on reading its column is computed as before.
    public var computation: String { expression ?? name }
}

/// Written flat: the schema's fields beside the others.
extension RegisteredFeature: Codable {
    private enum CodingKeys: String, CodingKey {
        case id
        case name
        case type
        case isNullable
        case defaultValue
        case expression
        case expectation
        case description
        case aliases
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            schema: FeatureSchema(
                id: try container.decode(Int32.self, forKey: .id),
                name: try container.decode(String.self, forKey: .name),
                type: try container.decode(ValueType.self, forKey: .type),
                isNullable: try container.decode(Bool.self, forKey: .isNullable),
                defaultValue: try container.decodeIfPresent(Value.self, forKey: .defaultValue)),
            expression: try container.decodeIfPresent(String.self, forKey: .expression),
            expectation: try container.decodeIfPresent(Expectation.self, forKey: .expectation),
            description: try container.decodeIfPresent(String.self, forKey: .description),
            aliases: try container.decode([String].self, forKey: .aliases))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schema.id, forKey: .id)
        try container.encode(schema.name, forKey: .name)
        try container.encode(schema.type, forKey: .type)
        try container.encode(schema.isNullable, forKey: .isNullable)
        try container.encodeIfPresent(schema.defaultValue, forKey: .defaultValue)
        try container.encodeIfPresent(expression, forKey: .expression)
        try container.encodeIfPresent(expectation, forKey: .expectation)
        try container.encodeIfPresent(description, forKey: .description)
        try container.encode(aliases, forKey: .aliases)
    }
}
