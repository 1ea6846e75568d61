public import FeatureDefinitions
import FeatureModel
public import PostgresClient
import Registry

/// DDL of one generation's offline table and of the readable view. Call inside the apply transaction, as owner.
public struct OfflineTableDefinition: Sendable {
    private let view: RegisteredFeatureView
    private let projectID: Int64
    private let offline: OfflineTable

    public init(view: RegisteredFeatureView, generation: Int32, projectID: Int64) {
        self.view = view
        self.projectID = projectID
        offline = OfflineTable(featureViewID: view.id, generation: generation)
    }

    /// Creates the table with the one order as its index, and the readable view.
    public func create(on connection: PostgresConnection) async throws {
        let keys = view.joinKeys.enumerated().map { index, key -> PostgresQuery in
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
            INSERT INTO larder.generation (feature_view_id, number, project_id, layout_version, created_at)
            VALUES (\(view.id), \(offline.generation), \(projectID), \(OfflineTable.layoutVersion), clock_timestamp())
            """)
        try await connection.execute(
            """
            GRANT SELECT, INSERT, UPDATE (withdrawn_by) ON \(query: offline.table)
            TO \(identifier: DatabaseRoles.writer)
            """)
        try await update(from: [], on: connection)
    }

    private var orderColumns: [PostgresQuery] {
        view.joinKeys.indices.map(OfflineTable.keyColumn)
            + ["event_timestamp", "recorded_timestamp", "sequence", "schema_version"]
    }

    /// Adds the columns and the check of every schema version that `knownVersions` lacks, and renews the readable view.
    public func update(from knownVersions: [Int32], on connection: PostgresConnection) async throws {
        let versions = view.versions.filter { $0.generation == offline.generation }
        var known = Set(
            versions.filter { knownVersions.contains($0.version) }.flatMap { $0.features.map(\.schema.id) })
        for version in versions where !knownVersions.contains(version.version) {
            let features = version.features.map(\.schema)
            for feature in features where known.insert(feature.id).inserted {
                try await connection.execute(
                    """
                    ALTER TABLE \(query: offline.table)
                    ADD COLUMN \(query: OfflineTable.featureColumn(feature.id)) \(query: feature.type.sqlType)
                    """)
            }
            try await VersionCheck.add(
                to: offline.table, version: version.version,
                required: features.filter { !$0.isNullable }.map { OfflineTable.featureColumn($0.id) },
                vectors: features.compactMap { feature in
                    guard case .vector(let dimension) = feature.type else { return nil }
                    return (OfflineTable.featureColumn(feature.id), dimension)
                },
                on: connection)
        }
        if offline.generation == view.currentGeneration { try await createReadableView(on: connection) }
    }

    private func createReadableView(on connection: PostgresConnection) async throws {
        guard let newest = view.versions.last(where: { $0.generation == offline.generation }) else { return }
        let keys = view.joinKeys.enumerated().map { index, key -> PostgresQuery in
            "\(query: OfflineTable.keyColumn(index)) AS \(identifier: key.name)"
        }
        let features = newest.features.map { feature -> PostgresQuery in
            "\(query: OfflineTable.featureColumn(feature.schema.id)) AS \(identifier: feature.schema.name)"
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
            (view.joinKeys.indices.map(OfflineTable.keyColumn) + ["event_timestamp", "recorded_timestamp", "sequence"])
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
