public import FeatureModel

/// Where raw data is.
public struct SourceDefinition: Sendable, Hashable {
    public var name: String
    public var description: String?
    public var kind: SourceKind
    /// In definition order, at least one.
    public var columns: [ColumnDefinition]
    /// The event time; nil for static data, whose event time is minus infinity.
    public var timestampColumn: String?
    /// The recorded time.
    public var createdTimestampColumn: String?
    /// IANA name of the zone that text timestamps without an offset are in; nil refuses them.
    public var timeZone: String?
    /// Columns by which a later raw row replaces an earlier one; empty for none.
    public var rowKey: [String]
    public var incremental: IncrementalRead?
    public var compatibility: Compatibility
    public var location: SourceLocation

    public init(
        name: String, description: String? = nil, kind: SourceKind, columns: [ColumnDefinition],
        timestampColumn: String? = nil, createdTimestampColumn: String? = nil, timeZone: String? = nil,
        rowKey: [String] = [], incremental: IncrementalRead? = nil,
        compatibility: Compatibility = .fullTransitive, location: SourceLocation
    ) {
        self.name = name
        self.description = description
        self.kind = kind
        self.columns = columns
        self.timestampColumn = timestampColumn
        self.createdTimestampColumn = createdTimestampColumn
        self.timeZone = timeZone
        self.rowKey = rowKey
        self.incremental = incremental
        self.compatibility = compatibility
        self.location = location
    }

    public var isStatic: Bool { timestampColumn == nil }

    public func column(named name: String) -> ColumnDefinition? {
        columns.first { $0.name == name }
    }
}

/// A column of a source.
public struct ColumnDefinition: Sendable, Hashable {
    public var name: String
    public var type: ValueType
    /// True unless the definition says otherwise; false for timestamp and row key columns.
    public var isNullable: Bool
    public var location: SourceLocation

    public init(name: String, type: ValueType, isNullable: Bool = true, location: SourceLocation) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.location = location
    }
}

/// How raw data comes in.
public enum SourceKind: Sendable, Hashable {
    /// Rows ingested into Larder.
    case table
    /// An existing table of the database the source login opens.
    case postgres(table: QualifiedTableName)
    /// A `SELECT` run under the source login; each `table` source of the project is a view under its own name.
    case query(sql: String)
    /// Rows sent to the views of the source.
    case push

    /// The word `type:` spells it with.
    public var name: String {
        switch self {
        case .table: "table"
        case .postgres: "postgres"
        case .query: "query"
        case .push: "push"
        }
    }

    static let names = ["table", "postgres", "query", "push"]
}

/// A table as `schema.name`; both parts as PostgreSQL stores them, unquoted.
public struct QualifiedTableName: Sendable, Hashable, Codable, CustomStringConvertible {
    public let schema: String
    public let name: String

    public init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    /// Parses `schema.name`; each part is a plain SQL identifier of at most 63 bytes.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy(Self.isIdentifier) else { return nil }
        self.init(schema: String(parts[0]), name: String(parts[1]))
    }

    public var description: String { "\(schema).\(name)" }

    private static func isIdentifier(_ part: Substring) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let first = part.utf8.first, part.utf8.count <= NameRule.maximumBytes else { return false }
        guard letters.contains(first) || first == UInt8(ascii: "_") else { return false }
        return part.utf8.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_") }
    }
}

/// Reading only rows whose `column` is newer than the last run's newest less `overlap`. Deletes are not seen.
public struct IncrementalRead: Sendable, Hashable, Codable {
    /// A timestamp column of the source.
    public var column: String
    public var overlapMicroseconds: Int64

    public init(column: String, overlapMicroseconds: Int64) {
        self.column = column
        self.overlapMicroseconds = overlapMicroseconds
    }
}
