public import FeatureDefinitions
import FeatureModel
public import PostgresClient

/// Registered projects, by revision. Reading gives one consistent document; writing is optimistic on the revision.
public struct RegistryStore: Sendable {
    /// The channel on which every commit announces `project id:revision`.
    public static let channel = "larder_registry"

    public init() {}

    /// The newest revision of a project; nil when there is none of that name.
    public func project(named name: String, on connection: PostgresConnection) async throws -> RegisteredProject? {
        let rows = try await connection.query(
            """
            SELECT r.contents FROM larder.project p
            JOIN larder.revision r ON r.project_id = p.id AND r.revision = p.revision
            WHERE p.name = \(name)
            """)
        return try rows.first.map { try RegisteredProject(document: try $0.decode("contents", as: String.self)) }
    }

    /// A revision of a project as it was; nil when there is none of that number.
    public func project(
        id: Int64, revision: Int64, on connection: PostgresConnection
    ) async throws -> RegisteredProject? {
        let rows = try await connection.query(
            "SELECT contents FROM larder.revision WHERE project_id = \(id) AND revision = \(revision)")
        return try rows.first.map { try RegisteredProject(document: try $0.decode("contents", as: String.self)) }
    }

    /// The number of a project's newest revision; nil when there is no such project.
    public func revision(ofProject id: Int64, on connection: PostgresConnection) async throws -> Int64? {
        let rows = try await connection.query("SELECT revision FROM larder.project WHERE id = \(id)")
        return try rows.first?.decode("revision", as: Int64.self)
    }

    /// The newest revision of every project, by name.
    public func projects(on connection: PostgresConnection) async throws -> [RegisteredProject] {
        let rows = try await connection.query(
            """
            SELECT r.contents FROM larder.project p
            JOIN larder.revision r ON r.project_id = p.id AND r.revision = p.revision
            ORDER BY p.name
            """)
        return try rows.map { try RegisteredProject(document: try $0.decode("contents", as: String.self)) }
    }

    /// Reserves ids for new objects.
    public func allocateIDs(_ count: Int, on connection: PostgresConnection) async throws -> [Int64] {
        let rows = try await connection.query(
            "SELECT nextval('larder.object_id') AS id FROM generate_series(1, \(Int64(count)))")
        return try rows.map { try $0.decode("id", as: Int64.self) }.sorted()
    }

    /// Who asked for an apply, for the audit.
    public struct Author: Sendable {
        public let actor: String

        public init(actor: String) {
            self.actor = actor
        }
    }

    /// Makes `next` the project's newest revision. Call inside the transaction that changes the tables.
    ///
    /// - Parameters:
    ///   - next: `next.revision` is the revision to create.
    ///   - previous: the revision `next` was planned against; 0 for a new project.
    ///   - changes: JSON for the audit.
    /// - Throws: `LarderError` `revision_conflict` when another apply came first.
    public func commit(
        _ next: RegisteredProject, replacing previous: Int64, changes: String, author: Author,
        on connection: PostgresConnection
    ) async throws {
        let contents = try next.document()
        try await lock(next, at: previous, on: connection)
        try await connection.execute(
            """
            INSERT INTO larder.revision (project_id, revision, contents, contents_sha256, applied_at)
            VALUES (\(next.id), \(next.revision), \(contents)::json, sha256(convert_to(\(contents), 'UTF8')),
                    clock_timestamp())
            """)
        try await connection.execute(
            """
            INSERT INTO larder.apply_audit
                (project_id, revision_before, revision_after, applied_at, actor, login, changes)
            VALUES (\(next.id), \(previous), \(next.revision), clock_timestamp(), \(author.actor), session_user,
                    \(changes)::json)
            """)
        try await connection.execute("UPDATE larder.project SET revision = \(next.revision) WHERE id = \(next.id)")
        try await connection.execute("SELECT pg_notify(\(Self.channel), \("\(next.id):\(next.revision)"))")
    }

    /// Holds the project's row against other applies, from before its tables are changed until the commit.
    public func lock(
        _ next: RegisteredProject, at previous: Int64, on connection: PostgresConnection
    ) async throws {
        if previous == 0 {
            try await connection.execute(
                """
                INSERT INTO larder.project (id, name, revision, created_at)
                VALUES (\(next.id), \(next.name), 0, clock_timestamp()) ON CONFLICT (name) DO NOTHING
                """)
        }
        let rows = try await connection.query(
            "SELECT id, revision FROM larder.project WHERE name = \(next.name) FOR UPDATE")
        let found = try rows.first?.decode("revision", as: Int64.self)
        let id = try rows.first?.decode("id", as: Int64.self)
        guard found == previous, id == next.id else {
            throw LarderError(
                .revisionConflict,
                "project \"\(next.name)\" is at revision \(found ?? 0), this apply was planned against revision \(previous)",
                hint: "plan again and apply")
        }
    }
}
