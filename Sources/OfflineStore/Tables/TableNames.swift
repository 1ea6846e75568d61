import PostgresClient

/// Where the rows of a table source are kept.
public struct RawTable: Sendable, Hashable {
    public static let layoutVersion: Int32 = 1

    public let sourceID: Int64

    public init(sourceID: Int64) {
        self.sourceID = sourceID
    }

    var name: String { "source_\(sourceID)" }
    var table: PostgresQuery { "\(identifier: "larder_data", name)" }
    /// The table with its system columns, as the source login sees it.
    var systemView: PostgresQuery { "\(identifier: "larder_raw", name)" }

    static func column(_ id: Int32) -> PostgresQuery { "\(identifier: "c\(id)")" }
}

/// Where the rows of one generation of a feature view are kept.
public struct OfflineTable: Sendable, Hashable {
    public static let layoutVersion: Int32 = 1

    public let featureViewID: Int64
    public let generation: Int32

    public init(featureViewID: Int64, generation: Int32) {
        self.featureViewID = featureViewID
        self.generation = generation
    }

    var name: String { "view_\(featureViewID)_g\(generation)" }
    var table: PostgresQuery { "\(identifier: "larder_data", name)" }

    /// `k1`, `k2`, ...: the join keys in name order.
    static func keyColumn(_ index: Int) -> PostgresQuery { "\(identifier: "k\(index + 1)")" }
    static func featureColumn(_ id: Int32) -> PostgresQuery { "\(identifier: "f\(id)")" }
}

/// Schemas of a project's readable views.
enum ProjectSchema {
    static func sources(_ projectID: Int64) -> String { "larder_sources_\(projectID)" }
    static func features(_ projectID: Int64) -> String { "larder_features_\(projectID)" }
}
