/// A join key of an entity.
public struct JoinKey: Sendable, Hashable {
    public let name: String
    /// A type for which `ValueType.isKeyType` holds.
    public let type: ValueType

    public init(name: String, type: ValueType) {
        self.name = name
        self.type = type
    }

    /// The type that keys are stored and compared in: int32 and int64 keys of the same value are the same entity.
    public var storedType: ValueType {
        type == .int32 ? .int64 : type
    }
}

/// A feature as one schema version of a view states it.
public struct FeatureSchema: Sendable, Hashable {
    /// Unique within the view, given once, never reused.
    public let id: Int32
    public let name: String
    public let type: ValueType
    public let isNullable: Bool
    /// Fills in where a row of another version does not have the feature.
    public let defaultValue: Value?

    public init(id: Int32, name: String, type: ValueType, isNullable: Bool, defaultValue: Value?) {
        self.id = id
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.defaultValue = defaultValue
    }
}

/// One schema version of a feature view: what a row written under it looks like.
public struct ViewSchema: Sendable, Hashable {
    public let version: Int32
    /// Ordered by name, as UTF-8 bytes.
    public let joinKeys: [JoinKey]
    /// In definition order.
    public let features: [FeatureSchema]

    public init(version: Int32, joinKeys: [JoinKey], features: [FeatureSchema]) {
        self.version = version
        self.joinKeys = joinKeys.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.features = features
    }

    public func feature(named name: String) -> FeatureSchema? {
        features.first { $0.name == name }
    }

    public func feature(id: Int32) -> FeatureSchema? {
        features.first { $0.id == id }
    }
}
