public import FeatureDefinitions
import FeatureModel
import PostgresClient

/// Where the rows of a table source are kept.
public struct RawTable: Sendable, Hashable {
    public static let layoutVersion: Int32 = 1

    public let sourceID: Int64
    private let columns: WidenedColumns

    public init(source: RegisteredSource) {
        sourceID = source.id
        columns = WidenedColumns(
            prefix: "c", types: source.versions.flatMap(\.columns).map { ($0.id, $0.type) })
    }

    var name: String { "source_\(sourceID)" }
    var table: PostgresQuery { "\(identifier: "larder_data", name)" }
    /// The table with its system columns, as the source login sees it.
    var systemView: PostgresQuery { "\(identifier: "larder_raw", name)" }

    /// The column that a row of a version has its value in.
    func column(_ column: SourceColumn) -> PostgresQuery {
        columns.stored(id: column.id, type: column.type)
    }

    /// The value as a reader of the column's type sees it in rows of any version.
    func reading(_ column: SourceColumn, of alias: PostgresQuery) -> PostgresQuery {
        columns.reading(id: column.id, type: column.type, of: alias)
    }
}

/// Where the rows of one generation of a feature view are kept.
public struct OfflineTable: Sendable, Hashable {
    public static let layoutVersion: Int32 = 1

    public let featureViewID: Int64
    public let generation: Int32
    private let columns: WidenedColumns

    public init(view: RegisteredFeatureView, generation: Int32) {
        featureViewID = view.id
        self.generation = generation
        columns = WidenedColumns(
            prefix: "f",
            types: view.versions(ofGeneration: generation).flatMap(\.features).map { ($0.id, $0.type) })
    }

    var name: String { "view_\(featureViewID)_g\(generation)" }
    var table: PostgresQuery { "\(identifier: "larder_data", name)" }
    /// As text that PostgreSQL turns into the table's oid.
    var qualifiedName: String { "larder_data.\(name)" }
    /// The index over the rows that are tombstones, which older tables lack.
    var tombstoneIndex: String { "\(name)_tombstones" }
    var qualifiedTombstoneIndex: String { "larder_data.\(tombstoneIndex)" }

    /// `k1`, `k2`, ...: the join keys in name order.
    static func keyColumn(_ index: Int) -> PostgresQuery { "\(identifier: "k\(index + 1)")" }

    /// The column that a row of a version has its value in.
    func column(_ feature: FeatureSchema) -> PostgresQuery {
        columns.stored(id: feature.id, type: feature.type)
    }

    /// The value as a reader of the feature's type sees it in rows of any version.
    func reading(_ feature: FeatureSchema, of alias: PostgresQuery) -> PostgresQuery {
        columns.reading(id: feature.id, type: feature.type, of: alias)
    }
}

/// Names of columns by field id and type. A field that was widened has a column for each of its types, so that nothing
/// written earlier has to be rewritten.
private struct WidenedColumns: Sendable, Hashable {
    private struct Widening: Hashable {
        let narrow: ValueType
        let wide: ValueType
    }

    private let prefix: String
    private var widenings: [Int32: Widening] = [:]

    /// - Parameter types: of every version, ascending by version.
    init(prefix: String, types: [(id: Int32, type: ValueType)]) {
        self.prefix = prefix
        var first: [Int32: ValueType] = [:]
        for (id, type) in types {
            let narrow = first[id] ?? type
            first[id] = narrow
            if narrow != type { widenings[id] = Widening(narrow: narrow, wide: type) }
        }
    }

    func stored(id: Int32, type: ValueType) -> PostgresQuery {
        if let widening = widenings[id], widening.wide == type {
            return "\(identifier: "\(prefix)\(id)_\(type)")"
        }
        return "\(identifier: "\(prefix)\(id)")"
    }

    func reading(id: Int32, type: ValueType, of alias: PostgresQuery) -> PostgresQuery {
        let column = stored(id: id, type: type)
        guard let widening = widenings[id], widening.wide == type else { return "\(query: alias).\(query: column)" }
        let narrow = stored(id: id, type: widening.narrow)
        return "coalesce(\(query: alias).\(query: column), \(query: alias).\(query: narrow)::\(query: type.sqlType))"
    }
}

/// Schemas of a project's readable views.
enum ProjectSchema {
    static func sources(_ projectID: Int64) -> String { "larder_sources_\(projectID)" }
    static func features(_ projectID: Int64) -> String { "larder_features_\(projectID)" }
}
