import FeatureDefinitions
import FeatureModel
import Foundation
import PostgresClient

/// What PostgreSQL has of a project: tables and views with their columns, and the tables' checks.
struct TableCatalog: Equatable {
    /// By schema and name: each column as `name type`.
    private(set) var columns: [String: Set<String>] = [:]
    /// By table: the names of its checks.
    private(set) var checks: [String: Set<String>] = [:]
    /// By table: the versions it takes.
    private(set) var writable: [String: [Int32]] = [:]

    // MARK: What there is

    static func read(of project: RegisteredProject, on connection: PostgresConnection) async throws -> TableCatalog {
        var catalog = TableCatalog()
        let ids = (project.featureViews.map(\.id) + project.sources.map(\.id)).map(\.description).joined(separator: "|")
        let data = "^(view|source)_(\(ids))(_g[0-9]+)?$"
        let columns = try await connection.query(
            """
            SELECT n.nspname || '.' || c.relname AS relation, a.attname || ' ' || format_type(a.atttypid, NULL) AS field
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'v')
              AND (n.nspname IN ('larder_data', 'larder_raw') AND c.relname ~ \(data)
                   OR n.nspname IN (\("larder_sources_\(project.id)"), \("larder_features_\(project.id)")))
            """)
        for row in columns {
            catalog.columns[try row.decode("relation", as: String.self), default: []].insert(
                try row.decode("field", as: String.self))
        }
        let checks = try await connection.query(
            """
            SELECT 'larder_data.' || c.relname AS relation, k.conname::text AS name, pg_get_constraintdef(k.oid) AS text
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'larder_data' AND k.contype = 'c' AND c.relname ~ \(data)
            """)
        for row in checks {
            let relation = try row.decode("relation", as: String.self)
            let name = try row.decode("name", as: String.self)
            if name == "writable_versions" {
                catalog.writable[relation] = versions(in: try row.decode("text", as: String.self))
            } else {
                catalog.checks[relation, default: []].insert(name)
            }
        }
        return catalog
    }

    /// The numbers of `ARRAY[1, 2]`.
    private static func versions(in check: String) -> [Int32] {
        guard let start = check.range(of: "ARRAY["), let end = check[start.upperBound...].firstIndex(of: "]") else {
            return []
        }
        return check[start.upperBound..<end].split(separator: ",").compactMap { number in
            Int32(number.filter(\.isNumber))
        }
    }

    // MARK: What there should be

    static func expected(of project: RegisteredProject) -> TableCatalog {
        var catalog = TableCatalog()
        for source in project.sources where source.isTable { catalog.expect(source, in: project) }
        for view in project.featureViews { catalog.expect(view, in: project) }
        return catalog
    }

    private mutating func expect(_ view: RegisteredFeatureView, in project: RegisteredProject) {
        for generation in view.generations {
            let table = "larder_data.view_\(view.id)_g\(generation.number)"
            let versions = view.versions(ofGeneration: generation.number)
            let keys = zip(1..., generation.joinKeys).map { "k\($0) \(Self.sqlType($1.storedType))" }
            columns[table] = Set(
                keys + [
                    "event_timestamp timestamp with time zone", "recorded_timestamp timestamp with time zone",
                    "sequence bigint", "schema_version integer", "write_id bigint", "withdrawn_by bigint",
                    "ingested_at timestamp with time zone", "is_deleted boolean",
                ] + Self.fields("f", versions.flatMap { $0.features.map { ($0.id, $0.type) } }))
            let conditional = versions.filter { version in
                version.features.contains { feature in
                    !feature.schema.isNullable || feature.expectation != nil || !feature.type.isScalar
                }
            }
            if !conditional.isEmpty { checks[table] = Set(conditional.map { "version_\($0.version)" }) }
            writable[table] = versions.filter { $0.state != .retired }.map(\.version)
        }
        let current = view.currentGeneration
        guard !view.isRemoved, let keys = view.current?.joinKeys, let newest = view.versions(ofGeneration: current).last
        else { return }
        columns["larder_features_\(project.id).\(view.name)"] = Set(
            keys.map { "\($0.name) \(Self.sqlType($0.storedType))" }
                + newest.features.map { "\($0.name) \(Self.sqlType($0.type))" } + [
                    "__event_timestamp timestamp with time zone", "__recorded_timestamp timestamp with time zone",
                    "__is_deleted boolean", "__ingested_at timestamp with time zone",
                ])
    }

    private mutating func expect(_ source: RegisteredSource, in project: RegisteredProject) {
        let table = "larder_data.source_\(source.id)"
        columns[table] = Set(
            [
                "sequence bigint", "write_id bigint", "withdrawn_by bigint", "schema_version integer",
                "is_deleted boolean",
            ] + Self.fields("c", source.versions.flatMap { $0.columns.map { ($0.id, $0.type) } }))
        // Every random source has a column of time, which has to be finite.
        checks[table] = Set(source.versions.map { "version_\($0.version)" })
        writable[table] = source.versions.filter { $0.state != .retired }.map(\.version)
        let visible = source.visibleColumns.map { "\($0.name) \(Self.sqlType($0.type))" }
        let system = [
            "__sequence bigint", "__schema_version integer", "__is_deleted boolean", "__withdrawn_by bigint",
            "__arrived_at timestamp with time zone", "__transaction_id xid8", "__incarnation_id integer",
            "__withdrawn_in xid8", "__withdrawn_incarnation_id integer",
        ]
        columns["larder_raw.source_\(source.id)"] = Set(visible + system)
        if !source.isRemoved {
            columns["larder_sources_\(project.id).\(source.name)"] = Set(visible)
        }
    }

    /// A field has a column for the type it was first of, and one for each it was widened to.
    private static func fields(_ prefix: String, _ types: [(id: Int32, type: ValueType)]) -> [String] {
        var first: [Int32: ValueType] = [:]
        return types.map { id, type in
            let narrow = first[id] ?? type
            first[id] = narrow
            return "\(prefix)\(id)\(narrow == type ? "" : "_\(type)") \(sqlType(type))"
        }
    }

    private static func sqlType(_ type: ValueType) -> String {
        let names = [
            "bool": "boolean", "int32": "integer", "int64": "bigint", "float32": "real", "float64": "double precision",
            "string": "text", "bytes": "bytea", "timestamp": "timestamp with time zone", "date": "date",
            "array<int64>": "bigint[]", "vector<float32, 3>": "real[]",
        ]
        return names[type.description] ?? "an unknown type \(type)"
    }

    /// The differences to what was expected, each a line.
    func differences(from expected: TableCatalog) -> [String] {
        var lines: [String] = []
        for name in Set(columns.keys).union(expected.columns.keys).sorted()
        where columns[name] != expected.columns[name] {
            let (found, meant) = (columns[name] ?? [], expected.columns[name] ?? [])
            lines.append(
                "\(name) has \(found.subtracting(meant).sorted()) and lacks \(meant.subtracting(found).sorted())")
        }
        for name in Set(checks.keys).union(expected.checks.keys).sorted() where checks[name] != expected.checks[name] {
            lines.append("\(name) checks \(checks[name] as Any), expected \(expected.checks[name] as Any)")
        }
        for name in Set(writable.keys).union(expected.writable.keys).sorted()
        where writable[name] != expected.writable[name] {
            lines.append("\(name) takes \(writable[name] as Any), expected \(expected.writable[name] as Any)")
        }
        return lines
    }
}

extension ValueType {
    fileprivate var isScalar: Bool {
        if case .scalar = self { true } else { false }
    }
}
