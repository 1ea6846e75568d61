import FeatureModel
public import PostgresClient

/// The three roles: the owner (migrates, applies), the writer (moves data, owns nothing) and the source login (reads
/// sources and nothing else).
public struct DatabaseRoles: Sendable {
    /// Sessions that move data run under this role.
    public static let writer = "larder_writer"

    /// The login of `LARDER_POSTGRES_SOURCE_URL`.
    public let sourceLogin: String

    public init(sourceLogin: String) {
        self.sourceLogin = sourceLogin
    }

    /// Creates what is missing and grants what the roles need. Safe to repeat.
    ///
    /// - Throws: `LarderError` `migration_refused` with the SQL an administrator has to run, when the owner may not create
    ///   roles and one is missing.
    public func ensure(on connection: PostgresConnection) async throws {
        try await createMissing(on: connection)
        try await connection.transaction(isolation: .readCommitted) { connection in
            // Of two runs that grant on one object at once PostgreSQL lets one fail ("tuple concurrently updated").
            try await connection.execute("LOCK TABLE larder.installation IN SHARE ROW EXCLUSIVE MODE")
            for statement in try await grants(on: connection) {
                try await connection.execute(statement)
            }
        }
    }

    /// Refuses a source login that could change what Larder keeps: expressions and queries of definitions run as it. One that
    /// does not exist yet passes.
    ///
    /// - Parameter connection: of the owner's login, under any role.
    /// - Throws: `LarderError` `configuration_invalid`.
    public func checkSourceLogin(on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT r.rolname = session_user AS is_owner, r.rolsuper AS is_superuser, r.rolcreaterole AS may_make_roles,
                pg_has_role(r.oid, session_user, 'MEMBER') AS is_owners_member,
                EXISTS (
                    SELECT FROM pg_roles w WHERE w.rolname = \(Self.writer) AND pg_has_role(r.oid, w.oid, 'MEMBER')
                ) AS is_writers_member,
                EXISTS (
                    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname IN ('larder', 'larder_data') AND c.relkind IN ('r', 'p')
                      AND has_schema_privilege(r.oid, n.oid, 'USAGE')
                      AND (has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                           OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE'))
                ) AS may_write
            FROM pg_roles r WHERE r.rolname = \(sourceLogin)
            """)
        guard let row = rows.first else { return }
        let faults = [
            ("is_owner", "is the login of LARDER_POSTGRES_URL"), ("is_superuser", "is a superuser"),
            ("may_make_roles", "may make roles, and so become any other"),
            ("is_owners_member", "may act as the login of LARDER_POSTGRES_URL"),
            ("is_writers_member", "may act as \"\(Self.writer)\""), ("may_write", "may write to Larder's tables"),
        ]
        for (column, fault) in faults {
            guard try row.decode(column, as: Bool.self) else { continue }
            throw LarderError(
                .configurationInvalid, "the login \"\(sourceLogin)\" of LARDER_POSTGRES_SOURCE_URL \(fault)",
                hint: """
                    name one that reads sources and nothing else, as expressions and queries of definitions run as it; make it with \
                    CREATE ROLE, as a provider's console may make it a member of an administrator's role
                    """)
        }
    }

    private func createMissing(on connection: PostgresConnection) async throws {
        var missing: [String] = []
        for role in [Self.writer, sourceLogin] {
            let rows = try await connection.query("SELECT 1 AS one FROM pg_roles WHERE rolname = \(role)")
            if rows.isEmpty { missing.append(role) }
        }
        for role in missing { try await create(role, on: connection) }
        let member = try await connection.query(
            "SELECT pg_has_role(current_user, \(Self.writer), 'MEMBER') AS member")
        if try member.first?.decode("member", as: Bool.self) != true {
            try await connection.execute("GRANT \(identifier: Self.writer) TO CURRENT_USER")
        }
    }

    private func create(_ role: String, on connection: PostgresConnection) async throws {
        let attribute = role == sourceLogin ? "LOGIN" : "NOLOGIN"
        do {
            try await connection.execute("CREATE ROLE \(identifier: role) \(unescaped: attribute) NOINHERIT")
        } catch {
            // Another runner may have been faster.
            if error.sqlState == .duplicateObject || error.sqlState == .uniqueViolation { return }
            guard error.sqlState == .insufficientPrivilege else { throw error }
            throw LarderError(
                .migrationRefused, "role \"\(role)\" does not exist and this login may not create it",
                hint: """
                    let an administrator run: CREATE ROLE "\(role)" \(attribute) NOINHERIT; and for the owner \
                    GRANT "\(Self.writer)" TO the login of LARDER_POSTGRES_URL
                    """)
        }
    }

    private func grants(on connection: PostgresConnection) async throws -> [PostgresQuery] {
        let database =
            try await connection.query("SELECT current_database()::text AS name")
            .first?.decode("name", as: String.self) ?? ""
        let writer: PostgresQuery = "\(identifier: Self.writer)"
        let source: PostgresQuery = "\(identifier: sourceLogin)"
        return [
            "GRANT USAGE ON SCHEMA larder, larder_data TO \(query: writer)",
            "GRANT SELECT ON ALL TABLES IN SCHEMA larder TO \(query: writer)",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA larder TO \(query: writer)",
            "GRANT INSERT ON larder.write, larder.watermark, larder.key_space, larder.online_store, larder.incarnation TO \(query: writer)",
            "GRANT UPDATE ON larder.watermark, larder.key_space, larder.online_store TO \(query: writer)",
            "GRANT INSERT, DELETE, UPDATE (judged_version, codes, reasons) ON larder.quarantine TO \(query: writer)",
            "GRANT INSERT, UPDATE ON larder.measured_rate TO \(query: writer)",
            "GRANT INSERT, UPDATE, DELETE ON larder.job, larder.job_output TO \(query: writer)",
            "GRANT INSERT ON larder.job_input TO \(query: writer)",
            "GRANT INSERT, UPDATE, DELETE ON larder.training_set TO \(query: writer)",
            "GRANT INSERT ON larder.training_set_spine, larder.training_set_generation TO \(query: writer)",
            // Two loads of one source wait for each other by a lock on its row, which asks for a right to change it.
            "GRANT UPDATE (layout_version) ON larder.source_table TO \(query: writer)",
            "GRANT USAGE ON SCHEMA larder_raw TO \(query: source)",
            // Expressions are tried as generated columns of a temporary table, under this login.
            "GRANT CONNECT, TEMPORARY ON DATABASE \(identifier: database) TO \(query: source)",
        ]
    }
}
