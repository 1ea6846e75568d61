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
        raw = RawTable(sourceID: source.id)
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
        try await connection.execute(
            "GRANT SELECT, INSERT, UPDATE (withdrawn_by) ON \(query: raw.table) TO \(identifier: DatabaseRoles.writer)")
        try await update(from: [], on: connection)
        if !source.rowKey.isEmpty {
            let columns = newest.columns.filter { source.rowKey.contains($0.name) }.map { RawTable.column($0.id) }
            try await connection.execute(
                """
                CREATE INDEX ON \(query: raw.table) (\(query: columns.joined(separator: ", ")))
                WHERE withdrawn_by IS NULL
                """)
        }
    }

    /// Adds the columns and the check of every schema version that `knownVersions` lacks, and renews the views.
    public func update(from knownVersions: [Int32], on connection: PostgresConnection) async throws {
        var known = Set(source.versions.filter { knownVersions.contains($0.version) }.flatMap { $0.columns.map(\.id) })
        for version in source.versions where !knownVersions.contains(version.version) {
            for column in version.columns where known.insert(column.id).inserted {
                try await connection.execute(
                    "ALTER TABLE \(query: raw.table) ADD COLUMN \(query: RawTable.column(column.id)) \(query: column.type.sqlType)"
                )
            }
            try await VersionCheck.add(
                to: raw.table, version: version.version,
                required: version.columns.filter { !$0.isNullable }.map { RawTable.column($0.id) },
                vectors: version.columns.compactMap { column in
                    if case .vector(let dimension) = column.type {
                        (RawTable.column(column.id), dimension)
                    } else {
                        nil
                    }
                },
                on: connection)
        }
        try await createViews(on: connection)
    }

    private var newest: SourceVersion {
        source.versions[source.versions.count - 1]
    }

    private func createViews(on connection: PostgresConnection) async throws {
        let columns = newest.columns.map { column -> PostgresQuery in
            "r.\(query: RawTable.column(column.id)) AS \(identifier: column.name)"
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

/// The last line of a schema version: what PostgreSQL itself refuses in rows of that version.
enum VersionCheck {
    static func add(
        to table: PostgresQuery, version: Int32, required: [PostgresQuery], vectors: [(PostgresQuery, Int)],
        on connection: PostgresConnection
    ) async throws {
        let conditions =
            required.map { "\(query: $0) IS NOT NULL" as PostgresQuery }
            + vectors.map { column, dimension -> PostgresQuery in
                "coalesce(array_length(\(query: column), 1) = \(literal: Int64(dimension)), true)"
            }
        guard !conditions.isEmpty else { return }
        // NOT VALID and then VALIDATE would only matter for rows of this version, of which there is none yet.
        try await connection.execute(
            """
            ALTER TABLE \(query: table) ADD CONSTRAINT \(identifier: "version_\(version)")
            CHECK (schema_version <> \(literal: Int64(version)) OR is_deleted
                   OR (\(query: conditions.joined(separator: " AND ")))) NOT VALID
            """)
    }
}
