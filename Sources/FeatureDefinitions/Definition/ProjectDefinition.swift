public import FeatureModel

/// What a tree of definition files says, checked: every name it uses exists, every type fits.
///
/// Lists are in the order of the files.
public struct ProjectDefinition: Sendable, Hashable {
    public var name: String
    public var description: String?
    public var entities: [EntityDefinition]
    public var sources: [SourceDefinition]
    public var featureViews: [FeatureViewDefinition]
    public var featureServices: [FeatureServiceDefinition]
    public var location: SourceLocation

    public init(
        name: String, description: String? = nil, entities: [EntityDefinition] = [],
        sources: [SourceDefinition] = [], featureViews: [FeatureViewDefinition] = [],
        featureServices: [FeatureServiceDefinition] = [], location: SourceLocation
    ) {
        self.name = name
        self.description = description
        self.entities = entities
        self.sources = sources
        self.featureViews = featureViews
        self.featureServices = featureServices
        self.location = location
    }
}

/// A thing features describe. Join keys are never null.
public struct EntityDefinition: Sendable, Hashable {
    public var name: String
    public var description: String?
    /// In definition order, at least one.
    public var joinKeys: [JoinKey]
    public var location: SourceLocation

    public init(name: String, description: String? = nil, joinKeys: [JoinKey], location: SourceLocation) {
        self.name = name
        self.description = description
        self.joinKeys = joinKeys
        self.location = location
    }
}

/// The kinds of objects with an id, spelled as in definition files.
public enum ObjectKind: String, Sendable, Hashable, Codable, CaseIterable {
    case project
    case entity
    case source
    case featureView = "feature_view"
    case featureService = "feature_service"
}
