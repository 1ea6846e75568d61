/// A pinned list of features, resolved when it was applied.
public struct RegisteredFeatureService: RegisteredObject {
    public var id: Int64
    public var name: String
    public var description: String?
    /// In definition order.
    public var references: [ServiceReference]
    public var isRemoved: Bool

    public init(
        id: Int64, name: String, description: String? = nil, references: [ServiceReference], isRemoved: Bool = false
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.references = references
        self.isRemoved = isRemoved
    }
}

/// Features of one version of one view, as a service pins them.
public struct ServiceReference: Sendable, Hashable, Codable {
    public var viewID: Int64
    public var viewName: String
    /// With it the features are always named `alias__feature`.
    public var alias: String?
    public var version: Int32
    /// In output order.
    public var featureIDs: [Int32]
    /// The names of `featureIDs`, as the service asked for them: a former name of a feature stays the one it is read under.
    public var featureNames: [String]
    /// Entity key to request key; keys not named here keep their names.
    public var joinKeyMapping: [String: String]

    public init(
        viewID: Int64, viewName: String, alias: String? = nil, version: Int32, featureIDs: [Int32],
        featureNames: [String], joinKeyMapping: [String: String] = [:]
    ) {
        self.viewID = viewID
        self.viewName = viewName
        self.alias = alias
        self.version = version
        self.featureIDs = featureIDs
        self.featureNames = featureNames
        self.joinKeyMapping = joinKeyMapping
    }
}
