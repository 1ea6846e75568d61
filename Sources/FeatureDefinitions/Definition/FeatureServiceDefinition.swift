public import FeatureModel

/// A named, pinned list of features that one model consumes.
public struct FeatureServiceDefinition: Sendable, Hashable {
    public var name: String
    public var description: String?
    /// In definition order, at least one.
    public var references: [ServiceReferenceDefinition]
    public var location: SourceLocation

    public init(
        name: String, description: String? = nil, references: [ServiceReferenceDefinition],
        location: SourceLocation
    ) {
        self.name = name
        self.description = description
        self.references = references
        self.location = location
    }
}

/// Features of one view, as one item of a service names them.
public struct ServiceReferenceDefinition: Sendable, Hashable {
    public var viewName: String
    /// Nil pins the newest active version when the service is applied.
    public var version: Int32?
    public var features: FeatureChoice
    /// With it the features are always named `alias__feature`.
    public var alias: String?
    /// Which key of a request stands for a join key of the view; join keys not named here keep their names.
    public var joinKeyMapping: [String: String]
    public var location: SourceLocation

    public init(
        viewName: String, version: Int32? = nil, features: FeatureChoice, alias: String? = nil,
        joinKeyMapping: [String: String] = [:], location: SourceLocation
    ) {
        self.viewName = viewName
        self.version = version
        self.features = features
        self.alias = alias
        self.joinKeyMapping = joinKeyMapping
        self.location = location
    }
}

/// Which features of a view.
public enum FeatureChoice: Sendable, Hashable {
    /// `*`: all of the version, in its order.
    case all
    /// In this order.
    case named([String])
}
