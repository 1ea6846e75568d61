import FeatureDefinitions
import FeatureModel
import PostgresClient

/// SQL tried in transactions that are always rolled back.
struct SQLTrial {
    let sources: [RegisteredSource]
    let connection: PostgresConnection

    enum Outcome: Sendable {
        case accepted([PostgresType])
        case refused(PostgresError)
    }

    enum GeneratedColumnOutcome: Sendable {
        /// With the expression as PostgreSQL has stored it, its constants folded.
        case accepted(stored: String)
        case refused(PostgresError)
    }

    /// The column types of a statement over the project's table sources.
    /// - Parameter runs: also asks for the rights to run it, by `EXPLAIN`.
    func describe(_ statement: PostgresQuery, runs: Bool) async throws -> Outcome {
        try await trying { connection in
            for source in sources where source.isTable { try await standIn(for: source, on: connection) }
            let types = try await connection.describe(statement).columns.map(\.type)
            if runs { try await connection.query("EXPLAIN \(query: statement)") }
            return types
        }
    }

    /// The type of an expression over the columns of a source.
    func type(of expression: String, over source: RegisteredSource) async throws -> Outcome {
        try await trying { connection in
            try await standIn(for: source, on: connection)
            let statement: PostgresQuery =
                "SELECT \(query: SourceSQL.expression(expression)) FROM pg_temp.\(identifier: source.name)"
            return try await connection.describe(statement).columns.map(\.type)
        }
    }

    /// Whether PostgreSQL takes the expression as a generated column.
    func generatedColumn(
        of expression: String, over source: RegisteredSource, type: PostgresType
    ) async throws -> GeneratedColumnOutcome {
        var stored = ""
        let outcome = try await trying { connection in
            try await standIn(for: source, on: connection)
            let rows = try await connection.query(
                "SELECT format_type(\(Int64(type.rawValue))::oid, NULL) AS name")
            let name = try rows.first?.decode("name", as: String.self) ?? "text"
            try await connection.execute(
                """
                ALTER TABLE pg_temp.\(identifier: source.name) ADD COLUMN "__trial" \(unescaped: name)
                GENERATED ALWAYS AS \(query: SourceSQL.expression(expression)) STORED
                """)
            stored = try await connection.query(
                """
                SELECT pg_get_expr(adbin, adrelid) AS stored FROM pg_attrdef
                WHERE adrelid = to_regclass(\("pg_temp.\(source.name)"))
                """
            ).onlyValue(as: String.self)
            return []
        }
        if case .refused(let error) = outcome { return .refused(error) }
        return .accepted(stored: stored)
    }

    /// An empty temporary table with the source's columns.
    private func standIn(for source: RegisteredSource, on connection: PostgresConnection) async throws {
        guard let version = source.versions.last else { return }
        let columns = version.columns.map { column -> PostgresQuery in
            "\(identifier: column.name) \(query: column.type.sqlType)"
        }.joined(separator: ", ")
        try await connection.execute(
            "CREATE TEMPORARY TABLE \(identifier: source.name) (\(query: columns)) ON COMMIT DROP")
    }

    private struct RollBack: Error {
        let types: [PostgresType]
    }

    private func trying(
        _ body: (PostgresConnection) async throws -> [PostgresType]
    ) async throws -> Outcome {
        do {
            try await connection.transaction(isolation: .readCommitted) { connection in
                try await connection.execute("SET LOCAL search_path = pg_temp, public")
                // Constants are computed while PostgreSQL parses; a trial that takes long holds up every apply.
                try await connection.execute("SET LOCAL statement_timeout = '10s'")
                throw RollBack(types: try await body(connection))
            }
            return .accepted([])
        } catch let rollBack as RollBack {
            return .accepted(rollBack.types)
        } catch let error as PostgresError
            where error.code == .server && error.sqlState?.isConnectionFailure != true && error.obstacle == nil
        {
            return .refused(error)
        }
    }
}
