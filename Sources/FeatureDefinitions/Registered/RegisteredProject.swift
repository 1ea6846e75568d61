public import FeatureModel

/// One revision of a project as the registry stores it: immutable, with ids and versions.
///
/// Lists are ordered by name, then id. Removed objects stay in them, marked; lookups by name pass them over.
public struct RegisteredProject: Sendable, Hashable, Codable {
    public var id: Int64
    public var name: String
    /// From 1; each apply that changes something adds one.
    public var revision: Int64
    public var description: String?
    public var entities: [RegisteredEntity]
    public var sources: [RegisteredSource]
    public var featureViews: [RegisteredFeatureView]
    public var featureServices: [RegisteredFeatureService]

    public init(
        id: Int64, name: String, revision: Int64, description: String? = nil, entities: [RegisteredEntity] = [],
        sources: [RegisteredSource] = [], featureViews: [RegisteredFeatureView] = [],
        featureServices: [RegisteredFeatureService] = []
    ) {
        self.id = id
        self.name = name
        self.revision = revision
        self.description = description
        self.entities = entities
        self.sources = sources
        self.featureViews = featureViews
        self.featureServices = featureServices
    }
}

/// An object of a project that a name finds.
public protocol RegisteredObject: Sendable, Hashable, Codable {
    var id: Int64 { get }
    var name: String { get }
    /// Whether the tree no longer mentions it; its data stays until dropped.
    var isRemoved: Bool { get }
}

extension RegisteredProject {
    /// - Throws: `entity_not_found` with the nearest name.
    public func entity(named name: String) throws(LarderError) -> RegisteredEntity {
        try live(entities, named: name, kind: "entity", .entityNotFound)
    }

    /// - Throws: `source_not_found` with the nearest name.
    public func source(named name: String) throws(LarderError) -> RegisteredSource {
        try live(sources, named: name, kind: "source", .sourceNotFound)
    }

    /// - Throws: `feature_view_not_found` with the nearest name.
    public func featureView(named name: String) throws(LarderError) -> RegisteredFeatureView {
        try live(featureViews, named: name, kind: "feature view", .featureViewNotFound)
    }

    /// - Throws: `feature_service_not_found` with the nearest name.
    public func featureService(named name: String) throws(LarderError) -> RegisteredFeatureService {
        try live(featureServices, named: name, kind: "feature service", .featureServiceNotFound)
    }

    /// Removed ones included.
    public func source(id: Int64) -> RegisteredSource? { sources.first { $0.id == id } }

    /// Removed ones included.
    public func featureView(id: Int64) -> RegisteredFeatureView? { featureViews.first { $0.id == id } }

    private func live<Object: RegisteredObject>(
        _ objects: [Object], named name: String, kind: String, _ code: ErrorCode
    ) throws(LarderError) -> Object {
        if let object = objects.first(where: { $0.name == name && !$0.isRemoved }) { return object }
        let names = objects.filter { !$0.isRemoved }.map(\.name)
        throw LarderError(
            code, "project \"\(self.name)\" has no \(kind) \"\(name.abbreviated)\"",
            hint: nearestHint(name, among: names, kind: "there are"))
    }
}

/// A thing features describe.
public struct RegisteredEntity: RegisteredObject {
    public var id: Int64
    public var name: String
    public var description: String?
    /// Ordered by name.
    public var joinKeys: [JoinKey]
    public var isRemoved: Bool

    public init(id: Int64, name: String, description: String? = nil, joinKeys: [JoinKey], isRemoved: Bool = false) {
        self.id = id
        self.name = name
        self.description = description
        self.joinKeys = joinKeys.orderedByName
        self.isRemoved = isRemoved
    }
}

/// Whether a schema version may be written and read.
public enum VersionState: String, Sendable, Hashable, Codable {
    case active
    /// Accepted with a warning.
    case deprecated
    /// Refused.
    case retired
}

extension [JoinKey] {
    /// The order of composite keys: by name, as UTF-8 bytes.
    var orderedByName: [JoinKey] {
        sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}
