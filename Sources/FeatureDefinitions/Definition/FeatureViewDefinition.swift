public import FeatureModel

/// A named group of features derived from one source.
public struct FeatureViewDefinition: Sendable, Hashable {
    public var name: String
    public var description: String?
    public var owner: String?
    public var tags: [String: String]
    /// Names of entities; empty for a view without keys, which has one row for everyone.
    public var entities: [String]
    public var source: String
    /// Nil means never too old.
    public var ttlMicroseconds: Int64?
    public var compatibility: Compatibility
    /// Whether the view is published to the online store.
    public var isOnline: Bool
    /// Nil keeps the generation there is.
    public var generation: Int32?
    public var availabilityLagMicroseconds: Int64
    /// A SQL condition over the source's columns.
    public var filter: String?
    /// In definition order, at least one.
    public var features: [FeatureDefinition]
    public var location: SourceLocation

    public init(
        name: String, description: String? = nil, owner: String? = nil, tags: [String: String] = [:],
        entities: [String], source: String, ttlMicroseconds: Int64? = nil,
        compatibility: Compatibility = .fullTransitive, isOnline: Bool = true, generation: Int32? = nil,
        availabilityLagMicroseconds: Int64 = 0, filter: String? = nil, features: [FeatureDefinition],
        location: SourceLocation
    ) {
        self.name = name
        self.description = description
        self.owner = owner
        self.tags = tags
        self.entities = entities
        self.source = source
        self.ttlMicroseconds = ttlMicroseconds
        self.compatibility = compatibility
        self.isOnline = isOnline
        self.generation = generation
        self.availabilityLagMicroseconds = availabilityLagMicroseconds
        self.filter = filter
        self.features = features
        self.location = location
    }
}

/// A typed column of a view.
public struct FeatureDefinition: Sendable, Hashable {
    public var name: String
    public var type: ValueType
    public var isNullable: Bool
    public var defaultValue: Value?
    /// A SQL expression over the source's columns; nil reads the column of the feature's own name.
    public var expression: String?
    public var expectation: Expectation?
    public var description: String?
    public var renamedFrom: String?
    public var location: SourceLocation

    public init(
        name: String, type: ValueType, isNullable: Bool = true, defaultValue: Value? = nil,
        expression: String? = nil, expectation: Expectation? = nil, description: String? = nil,
        renamedFrom: String? = nil, location: SourceLocation
    ) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.defaultValue = defaultValue
        self.expression = expression
        self.expectation = expectation
        self.description = description
        self.renamedFrom = renamedFrom
        self.location = location
    }
}
