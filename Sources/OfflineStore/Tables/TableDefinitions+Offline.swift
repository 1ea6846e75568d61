public import FeatureDefinitions
import FeatureModel
public import PostgresClient
import Registry

/// DDL of one generation's offline table and of the readable view. Call inside the apply transaction, as owner.
public struct OfflineTableDefinition: Sendable {
    private let view: RegisteredFeatureView
    private let generation: GenerationState
    private let projectID: Int64
    private let offline: OfflineTable

    public init(view: RegisteredFeatureView, generation: GenerationState, projectID: Int64) {
        self.view = view
        self.generation = generation
        self.projectID = projectID
        offline = OfflineTable(view: view, generation: generation.number)
    }

    /// Creates the table with the one order as its index, and the readable view.
    public func create(on connection: PostgresConnection) async throws {
        let keys = generation.joinKeys.enumerated().map { index, key -> PostgresQuery in
            "\(query: OfflineTable.keyColumn(index)) \(query: key.storedType.sqlType) NOT NULL,"
        }.joined(separator: " ")
        try await connection.execute(
            """
            CREATE TABLE \(query: offline.table) (
                \(query: keys)
                event_timestamp timestamptz NOT NULL,
                recorded_timestamp timestamptz NOT NULL,
                sequence bigint NOT NULL,
                schema_version integer NOT NULL,
                write_id bigint NOT NULL,
                withdrawn_by bigint,
                ingested_at timestamptz NOT NULL,
                is_deleted boolean NOT NULL
            )
            """)
        let order = orderColumns.joined(separator: ", ")
        try await connection.execute("CREATE INDEX ON \(query: offline.table) (\(query: order))")
        try await connection.execute(
            """
            CREATE INDEX ON \(query: offline.table) USING brin (write_id, event_timestamp timestamptz_minmax_multi_ops)
            WITH (pages_per_range = 32)
            """)
        try await connection.execute(
            "CREATE INDEX ON \(query: offline.table) (withdrawn_by) WHERE withdrawn_by IS NOT NULL")
        try await connection.execute(
            """
            CREATE INDEX \(identifier: offline.tombstoneIndex) ON \(query: offline.table) (write_id) WHERE is_deleted
            """)
        try await connection.execute(
            """
            INSERT INTO larder.generation (feature_view_id, number, project_id, layout_version, created_at)
            VALUES (\(view.id), \(offline.generation), \(projectID), \(OfflineTable.layoutVersion), clock_timestamp())
            """)
        let columns =
            keyColumns + [
                "event_timestamp", "recorded_timestamp", "sequence", "schema_version", "write_id", "ingested_at",
                "is_deleted",
            ]
        // By column: no one but the owner inserts a row as withdrawn.
        try await connection.execute(
            """
            GRANT SELECT, INSERT (\(query: columns.joined(separator: ", "))), UPDATE (withdrawn_by)
            ON \(query: offline.table) TO \(identifier: DatabaseRoles.writer)
            """)
        try await update(from: nil, on: connection)
    }

    private var keyColumns: [PostgresQuery] { generation.joinKeys.indices.map(OfflineTable.keyColumn) }

    private var orderColumns: [PostgresQuery] {
        keyColumns + ["event_timestamp", "recorded_timestamp", "sequence", "schema_version"]
    }

    /// Brings the table to what the view's versions say now: columns, checks, the versions it takes, the readable view.
    /// - Parameter before: the view as the table was last made for; nil for a table just created.
    public func update(from before: RegisteredFeatureView?, on connection: PostgresConnection) async throws {
        let former = before?.versions(ofGeneration: generation.number) ?? []
        let versions = view.versions(ofGeneration: generation.number)
        try await addColumns(former, versions, on: connection)
        let checks = VersionChecks(table: offline.table)
        for version in versions
        where former.first(where: { $0.version == version.version })?.features != version.features {
            try await checks.set(
                version: version.version,
                fields: version.features.map { feature in
                    .init(
                        column: offline.column(feature.schema), type: feature.type,
                        isNullable: feature.schema.isNullable, expectation: feature.expectation)
                },
                on: connection)
        }
        let writable = Self.writable(versions)
        if former.isEmpty || writable != Self.writable(former) {
            try await checks.setWritable(writable, on: connection)
        }
        // The name of a view that is no longer defined may be another one's.
        if generation.number == view.currentGeneration, !view.isRemoved {
            try await createReadableView(on: connection)
        }
    }

    private static func writable(_ versions: [ViewVersion]) -> [Int32] {
        versions.filter { $0.state != .retired }.map(\.version)
    }

    private func addColumns(
        _ former: [ViewVersion], _ versions: [ViewVersion], on connection: PostgresConnection
    ) async throws {
        var known = Set(former.flatMap { $0.features.map { StoredField($0.schema) } })
        for feature in versions.flatMap(\.features) where known.insert(StoredField(feature.schema)).inserted {
            let column = offline.column(feature.schema)
            try await connection.execute(
                "ALTER TABLE \(query: offline.table) ADD COLUMN \(query: column) \(query: feature.type.sqlType)")
            try await connection.execute(
                """
                GRANT INSERT (\(query: column)) ON \(query: offline.table) TO \(identifier: DatabaseRoles.writer)
                """)
        }
    }

    private struct StoredField: Hashable {
        let id: Int32
        let type: ValueType

        init(_ feature: FeatureSchema) {
            id = feature.id
            type = feature.type
        }
    }

    /// Removes the table and what is kept about the generation. Its rows in the ledger stay.
    public func drop(on connection: PostgresConnection) async throws {
        try await connection.execute("DROP TABLE IF EXISTS \(query: offline.table)")
        for table in ["key_space", "watermark"] {
            try await connection.execute(
                """
                DELETE FROM \(identifier: "larder", table)
                WHERE feature_view_id = \(view.id) AND generation = \(offline.generation)
                """)
        }
        try await connection.execute(
            "DELETE FROM larder.generation WHERE feature_view_id = \(view.id) AND number = \(offline.generation)")
    }

    /// Removes what shows the current generation of a feature view under its real names.
    public static func dropReadableView(
        named name: String, projectID: Int64, on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            "DROP VIEW IF EXISTS \(identifier: ProjectSchema.features(projectID), name)")
    }

    private func createReadableView(on connection: PostgresConnection) async throws {
        guard let newest = view.versions(ofGeneration: offline.generation).last else { return }
        let keys = generation.joinKeys.enumerated().map { index, key -> PostgresQuery in
            "t.\(query: OfflineTable.keyColumn(index)) AS \(identifier: key.name)"
        }
        let features = newest.features.map { feature -> PostgresQuery in
            "\(query: offline.reading(feature.schema, of: "t")) AS \(identifier: feature.schema.name)"
        }
        let system: [PostgresQuery] = [
            "event_timestamp AS \"__event_timestamp\"", "recorded_timestamp AS \"__recorded_timestamp\"",
            "is_deleted AS \"__is_deleted\"", "ingested_at AS \"__ingested_at\"",
        ]
        let name: PostgresQuery = "\(identifier: ProjectSchema.features(projectID), view.name)"
        try await connection.execute("DROP VIEW IF EXISTS \(query: name)")
        try await connection.execute(
            """
            CREATE VIEW \(query: name) AS
            SELECT \(query: (keys + system + features).joined(separator: ", "))
            FROM \(query: offline.table) t WHERE t.withdrawn_by IS NULL AND \(query: isNewestVersion)
            """)
        try await connection.execute("GRANT SELECT ON \(query: name) TO \(identifier: DatabaseRoles.writer)")
    }

    /// A backfill of a later version writes a row again beside the one it outranks.
    private var isNewestVersion: PostgresQuery {
        let place =
            (keyColumns + ["event_timestamp", "recorded_timestamp", "sequence"])
            .map { "n.\(query: $0) = t.\(query: $0)" as PostgresQuery }.joined(separator: " AND ")
        return """
            NOT EXISTS (SELECT FROM \(query: offline.table) n
                        WHERE \(query: place) AND n.schema_version > t.schema_version AND n.withdrawn_by IS NULL)
            """
    }

    /// The schema of a project's readable views.
    public static func createSchema(
        projectID: Int64, projectName: String, on connection: PostgresConnection
    ) async throws {
        let schema = ProjectSchema.features(projectID)
        try await connection.execute("CREATE SCHEMA \(identifier: schema)")
        try await connection.execute(
            "COMMENT ON SCHEMA \(identifier: schema) IS \(literal: "Larder: feature views of project \(projectName)")")
        try await connection.execute(
            "GRANT USAGE ON SCHEMA \(identifier: schema) TO \(identifier: DatabaseRoles.writer)")
    }
}
