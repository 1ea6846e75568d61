public import FeatureModel

/// Where raw data is, with its schema versions.
public struct RegisteredSource: RegisteredObject {
    public var id: Int64
    public var name: String
    public var description: String?
    public var kind: SourceKind
    public var timestampColumn: String?
    public var createdTimestampColumn: String?
    public var timeZone: String?
    public var rowKey: [String]
    public var incremental: IncrementalRead?
    public var compatibility: Compatibility
    /// Ascending by version, at least one.
    public var versions: [SourceVersion]
    /// The id the next new column gets; ids are never reused.
    public var nextColumnID: Int32
    public var isRemoved: Bool

    public init(
        id: Int64, name: String, description: String? = nil, kind: SourceKind, timestampColumn: String? = nil,
        createdTimestampColumn: String? = nil, timeZone: String? = nil, rowKey: [String] = [],
        incremental: IncrementalRead? = nil, compatibility: Compatibility = .fullTransitive,
        versions: [SourceVersion], nextColumnID: Int32, isRemoved: Bool = false
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.kind = kind
        self.timestampColumn = timestampColumn
        self.createdTimestampColumn = createdTimestampColumn
        self.timeZone = timeZone
        self.rowKey = rowKey
        self.incremental = incremental
        self.compatibility = compatibility
        self.versions = versions
        self.nextColumnID = nextColumnID
        self.isRemoved = isRemoved
    }

    /// Whether every row's event time is minus infinity.
    public var isStatic: Bool { timestampColumn == nil }

    /// Whether its rows are ingested into Larder.
    public var isTable: Bool { kind == .table }

    /// The newest active version; nil when none is.
    public var activeVersion: SourceVersion? { versions.last { $0.state == .active } }

    public func version(_ number: Int32) -> SourceVersion? { versions.first { $0.version == number } }

    /// The columns of the newest version, and those it no longer has while nothing else has their names: an older generation
    /// of a view may go on computing from them.
    public var visibleColumns: [SourceColumn] {
        guard var columns = versions.last?.columns else { return [] }
        for former in versions.dropLast().reversed().flatMap(\.columns)
        where !columns.contains(where: { $0.id == former.id || $0.name == former.name }) {
            columns.append(former)
        }
        return columns
    }
}

/// One schema version of a source: what a raw row written under it looks like.
public struct SourceVersion: Sendable, Hashable, Codable {
    public var version: Int32
    public var state: VersionState
    /// In definition order.
    public var columns: [SourceColumn]
    public var shapeHash: String

    /// - Parameter keys: the source's timestamp columns and row key, which are part of the shape.
    public init(version: Int32, state: VersionState = .active, columns: [SourceColumn], keys: [String?]) {
        self.version = version
        self.state = state
        self.columns = columns
        var hash = CanonicalHash("source-shape-1")
        hash.add(keys.count)
        for key in keys { hash.add(key) }
        hash.add(columns.count)
        for column in columns {
            hash.add(column.id)
            hash.add(column.name)
            hash.add(column.type.description)
            hash.add(column.isNullable)
        }
        shapeHash = hash.finalize()
    }

    public func column(named name: String) -> SourceColumn? { columns.first { $0.name == name } }

    /// What of a source belongs to the shape of its versions beside the columns.
    static func keys(of source: RegisteredSource) -> [String?] {
        [source.timestampColumn, source.createdTimestampColumn] + source.rowKey
    }
}

/// A column of a source's schema version.
public struct SourceColumn: Sendable, Hashable, Codable {
    /// Unique within the source, never reused.
    public var id: Int32
    public var name: String
    public var type: ValueType
    public var isNullable: Bool

    public init(id: Int32, name: String, type: ValueType, isNullable: Bool) {
        self.id = id
        self.name = name
        self.type = type
        self.isNullable = isNullable
    }
}

extension SourceKind: Codable {
    private enum CodingKeys: String, CodingKey {
        case type
        case table
        case sql
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(String.self, forKey: .type) {
        case "table": self = .table
        case "postgres": self = .postgres(table: try container.decode(QualifiedTableName.self, forKey: .table))
        case "query": self = .query(sql: try container.decode(String.self, forKey: .sql))
        case "push": self = .push
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: container, debugDescription: "unknown source type \"\(other)\"")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .type)
        switch self {
        case .postgres(let table): try container.encode(table, forKey: .table)
        case .query(let sql): try container.encode(sql, forKey: .sql)
        case .table, .push: break
        }
    }
}
