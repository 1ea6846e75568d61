public import FeatureModel
public import PostgresClient
import Registry

/// Saved training sets: `larder.training_set` and what belongs to it.
public struct TrainingSetStore: Sendable {
    private let projectID: Int64

    public init(projectID: Int64) {
        self.projectID = projectID
    }

    /// What is known of a training set before it is made.
    public struct Beginning: Sendable {
        public var name: String
        public var actor: String
        public var projectRevision: Int64
        public var definitionsHash: String
        public var request: String
        public var asOf: Timestamp
        public var snapshot: String
        public var generations: [OfflineTable]
        /// Of the job that makes it, if one does.
        public var jobID: Int64?

        public init(
            name: String, actor: String, projectRevision: Int64, definitionsHash: String, request: String,
            asOf: Timestamp, snapshot: String, generations: [OfflineTable], jobID: Int64?
        ) {
            self.name = name
            self.actor = actor
            self.projectRevision = projectRevision
            self.definitionsHash = definitionsHash
            self.request = request
            self.asOf = asOf
            self.snapshot = snapshot
            self.generations = generations
            self.jobID = jobID
        }
    }

    /// Inserts what is known before. Call in the transaction that ends with `finish`: until then nobody sees it. What an earlier
    /// attempt of the same job has saved is replaced.
    /// - Throws: `training_set_exists`.
    public func begin(_ beginning: Beginning, on connection: PostgresConnection) async throws -> Int64 {
        let incarnation = try await Incarnation.current(on: connection)
        let asOf = PostgresTimestamp(microsecondsSince1970: beginning.asOf.microsecondsSince1970)
        if let jobID = beginning.jobID {
            try await connection.execute(
                """
                DELETE FROM larder.training_set
                WHERE project_id = \(projectID) AND name = \(beginning.name) AND job_id = \(jobID)
                """)
        }
        let rows = try await connection.query(
            """
            INSERT INTO larder.training_set (project_id, name, created_by, project_revision, definitions_sha256, request,
                                             as_of, incarnation_id, snapshot, job_id)
            VALUES (\(projectID), \(beginning.name), \(beginning.actor), \(beginning.projectRevision),
                    \(beginning.definitionsHash), \(beginning.request)::text::json, \(asOf), \(incarnation.id),
                    \(beginning.snapshot)::text::pg_snapshot, \(beginning.jobID))
            ON CONFLICT (project_id, name) DO NOTHING RETURNING id
            """)
        guard let id = try rows.first?.decode("id", as: Int64.self) else {
            throw LarderError(
                .trainingSetExists, "there is a training set \"\(beginning.name)\" already",
                hint: "choose another name, or delete it: larder training-set delete \(beginning.name)")
        }
        for table in Set(beginning.generations.map { [$0.featureViewID, Int64($0.generation)] }) {
            try await connection.execute(
                """
                INSERT INTO larder.training_set_generation (training_set_id, feature_view_id, generation)
                VALUES (\(id), \(table[0]), \(table[1])::integer)
                """)
        }
        return id
    }

    public func append(
        spine bytes: [UInt8], number: Int32, to id: Int64, on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            "INSERT INTO larder.training_set_spine (training_set_id, number, bytes) VALUES (\(id), \(number), \(bytes))"
        )
    }

    /// Fills in what the training set came to.
    /// - Parameters:
    ///   - columns: JSON text.
    ///   - views: JSON text.
    public func finish(
        _ id: Int64, rowCount: Int64, spineBytes: Int64, contentHash: String, columns: String, views: String,
        on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            UPDATE larder.training_set SET row_count = \(rowCount), spine_bytes = \(spineBytes),
                content_sha256 = \(contentHash), columns = \(columns)::text::json, views = \(views)::text::json
            WHERE id = \(id)
            """)
    }

    /// - Throws: `training_set_not_found` with the nearest name.
    public func record(named name: String, on connection: PostgresConnection) async throws -> TrainingSetRecord {
        let rows = try await connection.query(
            "\(query: Self.select) WHERE project_id = \(projectID) AND name = \(name)")
        if let row = rows.first { return try TrainingSetRecord(row) }
        let names = try await records(on: connection).map(\.name)
        throw LarderError(
            .trainingSetNotFound, "there is no training set \"\(name)\"",
            hint: NameRule.nearest(to: name, in: names).map { "did you mean \"\($0)\"?" }
                ?? "larder training-set list shows those there are")
    }

    /// All of the project, oldest first.
    public func records(on connection: PostgresConnection) async throws -> [TrainingSetRecord] {
        try await connection.query("\(query: Self.select) WHERE project_id = \(projectID) ORDER BY id")
            .map(TrainingSetRecord.init)
    }

    /// A piece of the spine; nil after the last.
    public func spine(
        of id: Int64, number: Int32, on connection: PostgresConnection
    ) async throws -> [UInt8]? {
        try await connection.query(
            "SELECT bytes FROM larder.training_set_spine WHERE training_set_id = \(id) AND number = \(number)"
        ).first?.decode("bytes", as: [UInt8].self)
    }

    /// - Throws: `training_set_not_found`.
    public func delete(named name: String, on connection: PostgresConnection) async throws {
        let record = try await record(named: name, on: connection)
        try await connection.execute("DELETE FROM larder.training_set WHERE id = \(record.id)")
    }

    /// The names of training sets that were read from one of a view's generations.
    public static func names(
        readFrom viewID: Int64, generation: Int32?, on connection: PostgresConnection
    ) async throws -> [String] {
        try await connection.query(
            """
            SELECT DISTINCT s.name FROM larder.training_set s
            JOIN larder.training_set_generation g ON g.training_set_id = s.id
            WHERE g.feature_view_id = \(viewID) AND (\(generation)::integer IS NULL OR g.generation = \(generation))
            ORDER BY s.name
            """
        ).map { try $0.decode("name", as: String.self) }
    }

    /// The names of training sets that were read from some views, by the view's id.
    public static func names(
        readFrom viewIDs: [Int64], on connection: PostgresConnection
    ) async throws -> [Int64: [String]] {
        let rows = try await connection.query(
            """
            SELECT DISTINCT g.feature_view_id, s.name FROM larder.training_set s
            JOIN larder.training_set_generation g ON g.training_set_id = s.id
            WHERE g.feature_view_id = ANY (\(viewIDs))
            ORDER BY s.name
            """)
        var names: [Int64: [String]] = [:]
        for row in rows {
            let viewID = try row.decode("feature_view_id", as: Int64.self)
            names[viewID, default: []].append(try row.decode("name", as: String.self))
        }
        return names
    }

    private static let select: PostgresQuery = """
        SELECT id, name, created_at, created_by, project_revision, definitions_sha256, request::text AS request, as_of,
               snapshot::text AS snapshot, row_count, spine_bytes, content_sha256, columns::text AS columns,
               views::text AS views
        FROM larder.training_set
        """
}

extension TrainingSetRecord {
    fileprivate init(_ row: PostgresRow) throws {
        func time(_ name: String) throws -> Timestamp {
            Timestamp(
                microsecondsSince1970: try row.decode(name, as: PostgresTimestamp.self).microsecondsSince1970)
        }
        self.init(
            id: try row.decode("id"), name: try row.decode("name"), createdAt: try time("created_at"),
            createdBy: try row.decode("created_by"), projectRevision: try row.decode("project_revision"),
            definitionsHash: try row.decode("definitions_sha256"), request: try row.decode("request"),
            asOf: try time("as_of"), snapshot: try row.decode("snapshot"), rowCount: try row.decode("row_count"),
            spineBytes: try row.decode("spine_bytes"), contentHash: try row.decode("content_sha256"),
            columns: try row.decode("columns"), views: try row.decode("views"))
    }
}
