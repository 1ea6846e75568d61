public import FeatureDefinitions
import FeatureModel
public import PostgresClient
import Registry

/// DDL of raw tables and of the views the source login reads them through. Call inside the apply transaction, as owner.
public struct RawTableDefinition: Sendable {
    private let source: RegisteredSource
    private let projectID: Int64
    private let sourceLogin: String
    private let raw: RawTable

    public init(source: RegisteredSource, projectID: Int64, sourceLogin: String) {
        self.source = source
        self.projectID = projectID
        self.sourceLogin = sourceLogin
        raw = RawTable(source: source)
    }

    /// Creates the table, its indexes and its views.
    public func create(on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            CREATE TABLE \(query: raw.table) (
                sequence bigint NOT NULL,
                write_id bigint NOT NULL,
                withdrawn_by bigint,
                schema_version integer NOT NULL,
                is_deleted boolean NOT NULL
            )
            """)
        try await connection.execute(
            "CREATE INDEX ON \(query: raw.table) USING brin (write_id) WITH (pages_per_range = 32)")
        try await connection.execute(
            "CREATE INDEX ON \(query: raw.table) (withdrawn_by) WHERE withdrawn_by IS NOT NULL")
        try await connection.execute(
            """
            INSERT INTO larder.source_table (source_id, project_id, layout_version, created_at)
            VALUES (\(source.id), \(projectID), \(RawTable.layoutVersion), clock_timestamp())
            """)
        // By column: no one but the owner inserts a row as withdrawn.
        try await connection.execute(
            """
            GRANT SELECT, INSERT (sequence, write_id, schema_version, is_deleted), UPDATE (withdrawn_by)
            ON \(query: raw.table) TO \(identifier: DatabaseRoles.writer)
            """)
        try await update(from: nil, on: connection)
        if !source.rowKey.isEmpty {
            let columns = newest.columns.filter { source.rowKey.contains($0.name) }.map(raw.column)
            try await connection.execute(
                """
                CREATE INDEX ON \(query: raw.table) (\(query: columns.joined(separator: ", ")))
                WHERE withdrawn_by IS NULL
                """)
        }
    }

    /// Brings the table to what the source's versions say now: columns, checks, the versions it takes, the views.
    /// - Parameter before: the source as the table was last made for; nil for a table just created.
    public func update(from before: RegisteredSource?, on connection: PostgresConnection) async throws {
        let former = before?.versions ?? []
        try await addColumns(former, on: connection)
        let checks = VersionChecks(table: raw.table)
        for version in source.versions where !former.contains(where: { $0.version == version.version }) {
            try await checks.set(
                version: version.version,
                fields: version.columns.map { column in
                    .init(
                        column: raw.column(column), type: column.type, isNullable: column.isNullable,
                        mayBeInfinite: false)
                },
                on: connection)
        }
        let writable = Self.writable(source.versions)
        if former.isEmpty || writable != Self.writable(former) {
            try await checks.setWritable(writable, on: connection)
        }
        try await createViews(on: connection)
    }

    private static func writable(_ versions: [SourceVersion]) -> [Int32] {
        versions.filter { $0.state != .retired }.map(\.version)
    }

    private struct StoredField: Hashable {
        let id: Int32
        let type: ValueType

        init(_ column: SourceColumn) {
            id = column.id
            type = column.type
        }
    }

    private func addColumns(_ former: [SourceVersion], on connection: PostgresConnection) async throws {
        var known = Set(former.flatMap { $0.columns.map(StoredField.init) })
        for column in source.versions.flatMap(\.columns) where known.insert(StoredField(column)).inserted {
            let name = raw.column(column)
            try await connection.execute(
                "ALTER TABLE \(query: raw.table) ADD COLUMN \(query: name) \(query: column.type.sqlType)")
            try await connection.execute(
                "GRANT INSERT (\(query: name)) ON \(query: raw.table) TO \(identifier: DatabaseRoles.writer)")
        }
    }

    private var newest: SourceVersion {
        source.versions[source.versions.count - 1]
    }

    private func createViews(on connection: PostgresConnection) async throws {
        let columns = source.visibleColumns.map { column -> PostgresQuery in
            "\(query: raw.reading(column, of: "r")) AS \(identifier: column.name)"
        }.joined(separator: ", ")
        let schema = ProjectSchema.sources(projectID)
        let named: PostgresQuery = "\(identifier: schema, source.name)"
        try await connection.execute("DROP VIEW IF EXISTS \(query: raw.systemView), \(query: named)")
        try await connection.execute(
            """
            CREATE VIEW \(query: raw.systemView) AS
            SELECT \(query: columns), r.sequence AS "__sequence", r.schema_version AS "__schema_version",
                   r.is_deleted AS "__is_deleted", r.withdrawn_by AS "__withdrawn_by",
                   w.arrived_at AS "__arrived_at", w.transaction_id AS "__transaction_id",
                   w.incarnation_id AS "__incarnation_id", withdrawal.transaction_id AS "__withdrawn_in",
                   withdrawal.incarnation_id AS "__withdrawn_incarnation_id"
            FROM \(query: raw.table) r
            JOIN larder.write w ON w.write_id = r.write_id
            LEFT JOIN larder.write withdrawal ON withdrawal.write_id = r.withdrawn_by
            """)
        try await connection.execute(
            """
            CREATE VIEW \(query: named) AS
            SELECT \(query: columns) FROM \(query: raw.table) r WHERE r.withdrawn_by IS NULL AND NOT r.is_deleted
            """)
        try await connection.execute(
            "GRANT SELECT ON \(query: raw.systemView), \(query: named) TO \(identifier: sourceLogin)")
    }

    /// Removes what shows a source's rows under its name.
    public static func dropNamedView(
        of source: RegisteredSource, projectID: Int64, on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            "DROP VIEW IF EXISTS \(identifier: ProjectSchema.sources(projectID), source.name)")
    }

    /// The schema in which queries of the project's sources find its table sources.
    public static func createSchema(
        projectID: Int64, projectName: String, sourceLogin: String, on connection: PostgresConnection
    ) async throws {
        let schema = ProjectSchema.sources(projectID)
        try await connection.execute("CREATE SCHEMA \(identifier: schema)")
        try await connection.execute(
            "COMMENT ON SCHEMA \(identifier: schema) IS \(literal: "Larder: table sources of project \(projectName)")")
        try await connection.execute("GRANT USAGE ON SCHEMA \(identifier: schema) TO \(identifier: sourceLogin)")
    }
}
