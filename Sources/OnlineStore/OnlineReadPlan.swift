public import FeatureCodec
public import FeatureModel

/// Features of one view as one request asks for them, ready to be read. A class, because every read goes through its selections,
/// and each part of a value would be counted.
public final class OnlineSelection: Sendable {
    /// Name of the view, for messages.
    public let viewName: String
    let keyPrefix: [UInt8]
    /// Over the view's join keys.
    public let keyEncoder: EntityKeyEncoder
    public let projection: OnlineRowProjection
    public let ttlMicroseconds: Int64?

    public init(
        viewName: String, installation: InstallationID, keySpace: Int64, joinKeys: [JoinKey],
        projection: OnlineRowProjection, ttlMicroseconds: Int64?
    ) {
        self.viewName = viewName
        self.projection = projection
        self.ttlMicroseconds = ttlMicroseconds
        keyPrefix = OnlineKey.entityPrefix(installation, keySpace: keySpace)
        keyEncoder = EntityKeyEncoder(joinKeys: joinKeys)
    }
}

/// Everything about a read that does not depend on the entities.
public struct OnlineReadPlan: Sendable {
    public let selections: [OnlineSelection]
    let sentinelKey: [UInt8]
    /// What the project's sentinel must name.
    let onlineIncarnation: Int64
    /// The registry revision this reader knows.
    let revision: Int64

    public init(
        selections: [OnlineSelection], installation: InstallationID, project: Int64, onlineIncarnation: Int64,
        revision: Int64
    ) {
        self.selections = selections
        self.onlineIncarnation = onlineIncarnation
        self.revision = revision
        sentinelKey = OnlineKey.sentinel(installation, project: project).bytes
    }
}
