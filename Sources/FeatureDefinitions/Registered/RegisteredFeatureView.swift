public import FeatureModel

/// A named group of features with its schema versions and generations.
public struct RegisteredFeatureView: RegisteredObject {
    public var id: Int64
    public var name: String
    public var description: String?
    public var owner: String?
    public var tags: [String: String]
    /// Nil means never too old.
    public var ttlMicroseconds: Int64?
    public var compatibility: Compatibility
    public var isOnline: Bool
    public var availabilityLagMicroseconds: Int64
    /// The generation that is read where no version is named.
    public var currentGeneration: Int32
    /// The one that was current before the last switch; nil when there was none, or it was dropped.
    public var previousGeneration: Int32?
    /// Those that have not been dropped, ascending by number; at least one unless the view is removed.
    public var generations: [GenerationState]
    /// Ascending by version, at least one; versions of dropped generations included.
    public var versions: [ViewVersion]
    /// The id the next new feature gets; ids are never reused.
    public var nextFeatureID: Int32
    public var isRemoved: Bool

    public init(
        id: Int64, name: String, description: String? = nil, owner: String? = nil, tags: [String: String] = [:],
        ttlMicroseconds: Int64? = nil, compatibility: Compatibility = .fullTransitive, isOnline: Bool = true,
        availabilityLagMicroseconds: Int64 = 0, currentGeneration: Int32, previousGeneration: Int32? = nil,
        generations: [GenerationState], versions: [ViewVersion], nextFeatureID: Int32, isRemoved: Bool = false
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.owner = owner
        self.tags = tags
        self.ttlMicroseconds = ttlMicroseconds
        self.compatibility = compatibility
        self.isOnline = isOnline
        self.availabilityLagMicroseconds = availabilityLagMicroseconds
        self.currentGeneration = currentGeneration
        self.previousGeneration = previousGeneration
        self.generations = generations
        self.versions = versions
        self.nextFeatureID = nextFeatureID
        self.isRemoved = isRemoved
    }
}

extension RegisteredFeatureView {
    /// The newest active version of the current generation; nil when none is.
    public var activeVersion: ViewVersion? { activeVersion(ofGeneration: currentGeneration) }

    /// The newest active version of a generation; nil when none is.
    public func activeVersion(ofGeneration generation: Int32) -> ViewVersion? {
        versions.last { $0.generation == generation && $0.state == .active }
    }

    /// The version that rows of a generation are computed under: the newest active one, else the newest writable one.
    public func writtenVersion(ofGeneration generation: Int32) -> ViewVersion? {
        activeVersion(ofGeneration: generation)
            ?? versions.last { $0.generation == generation && $0.state == .deprecated }
    }

    public func version(_ number: Int32) -> ViewVersion? { versions.first { $0.version == number } }

    /// Nil for a generation that never was, or was dropped.
    public func generation(_ number: Int32) -> GenerationState? { generations.first { $0.number == number } }

    /// The generation that is read where no version is named.
    public var current: GenerationState? { generation(currentGeneration) }

    /// The newest generation that is not being dropped: the one that the tree of definitions describes.
    public var newestGeneration: GenerationState {
        generations.last { $0.state == .live } ?? generations[generations.count - 1]
    }

    /// The number that a definition gives to a generation of its own: one more than any that was ever given.
    public var nextGeneration: Int32 {
        max(newestGeneration.number, versions.map(\.generation).max() ?? 0) + 1
    }

    /// The generation that a later one copies its rows from where nothing computes them; nil where nothing is copied.
    public func predecessor(of generation: GenerationState) -> GenerationState? {
        generations.last {
            $0.number < generation.number && $0.state == .live && $0.joinKeys == generation.joinKeys
        }
    }

    /// The versions of a generation, ascending; their rows may be stored in it whatever their state.
    public func versions(ofGeneration generation: Int32) -> [ViewVersion] {
        versions.filter { $0.generation == generation }
    }

    /// What a row of a version looks like; nil for a version the view never had, or whose generation was dropped.
    public func schema(version number: Int32) -> ViewSchema? {
        guard let version = version(number), let generation = generation(version.generation) else { return nil }
        return ViewSchema(
            version: version.version, joinKeys: generation.joinKeys, features: version.features.map(\.schema))
    }

    /// Every version that rows of a generation may be of.
    public func schemas(ofGeneration generation: Int32) -> [ViewSchema] {
        versions(ofGeneration: generation).compactMap { schema(version: $0.version) }
    }
}

/// One physical home of a view: one offline table, one online key space, with what keys and computes its rows.
public struct GenerationState: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, Codable {
        case live
        /// Being dropped: nothing reads or writes it any more.
        case dropping
    }

    public var number: Int32
    /// Of the newest version in it.
    public var computationHash: String
    /// How its table is laid out.
    public var layoutVersion: Int32
    public var state: State
    /// In definition order; empty for a view without keys.
    public var entityIDs: [Int64]
    public var entityNames: [String]
    /// Of all entities, ordered by name.
    public var joinKeys: [JoinKey]
    public var sourceID: Int64
    public var sourceName: String
    /// A SQL condition over the source's columns.
    public var filter: String?

    public static let currentLayoutVersion: Int32 = 1

    public init(
        number: Int32, computationHash: String, layoutVersion: Int32 = currentLayoutVersion, state: State = .live,
        entityIDs: [Int64], entityNames: [String], joinKeys: [JoinKey], sourceID: Int64, sourceName: String,
        filter: String? = nil
    ) {
        self.number = number
        self.computationHash = computationHash
        self.layoutVersion = layoutVersion
        self.state = state
        self.entityIDs = entityIDs
        self.entityNames = entityNames
        self.joinKeys = joinKeys.orderedByName
        self.sourceID = sourceID
        self.sourceName = sourceName
        self.filter = filter
    }
}

/// One schema version of a view.
public struct ViewVersion: Sendable, Hashable, Codable {
    public var version: Int32
    public var state: VersionState
    public var generation: Int32
    /// In definition order.
    public var features: [RegisteredFeature]
    /// Over the ordered features (id, name, type, nullable, default) and the join keys.
    public var shapeHash: String
    /// Over what computes the features: source, times, filter, expressions.
    public var computationHash: String

    public init(
        version: Int32, state: VersionState = .active, generation: Int32, features: [RegisteredFeature],
        shapeHash: String, computationHash: String
    ) {
        self.version = version
        self.state = state
        self.generation = generation
        self.features = features
        self.shapeHash = shapeHash
        self.computationHash = computationHash
    }

    public func feature(named name: String) -> RegisteredFeature? { features.first { $0.name == name } }

    public func feature(id: Int32) -> RegisteredFeature? { features.first { $0.id == id } }

    static func shapeHash(joinKeys: [JoinKey], features: [RegisteredFeature]) -> String {
        var hash = CanonicalHash("view-shape-1")
        hash.add(joinKeys.count)
        for key in joinKeys.orderedByName {
            hash.add(key.name)
            hash.add(key.type.description)
        }
        hash.add(features.count)
        for feature in features {
            hash.add(feature.id)
            hash.add(feature.name)
            hash.add(feature.schema.type.description)
            hash.add(feature.schema.isNullable)
            hash.add(feature.schema.defaultValue)
        }
        return hash.finalize()
    }

    static func computationHash(source: RegisteredSource, filter: String?, features: [RegisteredFeature]) -> String {
        var hash = CanonicalHash("view-computation-2")
        hash.add(source.id)
        hash.add(source.timestampColumn)
        hash.add(source.createdTimestampColumn)
        hash.add(filter)
        hash.add(features.count)
        for feature in features.sorted(by: { $0.id < $1.id }) {
            hash.add(feature.id)
            hash.add(feature.computation)
        }
        return hash.finalize()
    }
}
