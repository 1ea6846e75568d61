public import FeatureDefinitions
import FeatureModel
public import PostgresClient

/// What PostgreSQL's statistics say about the rows a generation would be computed from.
public struct SourceStatistics: Sendable, Hashable {
    public let rows: Int64
    /// Distinct combinations of the join keys.
    public let keys: Int64
    /// Bytes of a row's keys.
    public let keyWidth: Int64
    /// Bytes of a row's features.
    public let featureWidth: Int64

    /// Asks the planner; nothing is read.
    ///
    /// - Parameters:
    ///   - features: those whose width is asked for.
    ///   - connection: a session of the source login.
    /// - Returns: nil for a source that cannot be asked, such as one that is only being added.
    public static func estimate(
        _ generation: GenerationState, version: ViewVersion, features: [RegisteredFeature],
        source: RegisteredSource, projectID: Int64, on connection: PostgresConnection
    ) async throws -> SourceStatistics? {
        guard source.kind != .push else { return nil }
        let relation: PostgresQuery =
            switch source.kind {
            case .table, .push: "\(identifier: ProjectSchema.sources(projectID), source.name)"
            case .postgres(let table): "\(identifier: table.schema, table.name)"
            case .query(let sql): "(\(unescaped: sql)\n)"
            }
        let filter: PostgresQuery = generation.filter.map { "WHERE \(query: SourceSQL.expression($0))" } ?? ""
        let from: PostgresQuery = "FROM \(query: relation) AS \(identifier: source.name) \(query: filter)"
        let keys = generation.joinKeys.map { "\(identifier: $0.name)" as PostgresQuery }
        let values = features.map { feature in
            feature.expression.map(SourceSQL.expression) ?? "\(identifier: feature.name)"
        }
        do {
            return try await connection.transaction(isolation: .readCommitted, readOnly: true) { connection in
                try await connection.execute(
                    "SET LOCAL search_path = \(identifier: ProjectSchema.sources(projectID)), public")
                let all = try await plan("SELECT \(query: list(values)) \(query: from)", on: connection)
                let distinct = try await plan("SELECT DISTINCT \(query: list(keys)) \(query: from)", on: connection)
                return SourceStatistics(
                    rows: all.rows, keys: keys.isEmpty ? 1 : distinct.rows, keyWidth: keys.isEmpty ? 0 : distinct.width,
                    featureWidth: values.isEmpty ? 0 : all.width)
            }
        } catch let error as PostgresError where error.code == .server {
            // The source, or a column of it, is only being added.
            return nil
        }
    }

    private static func list(_ columns: [PostgresQuery]) -> PostgresQuery {
        columns.isEmpty ? "1" : columns.joined(separator: ", ")
    }

    private static func plan(
        _ select: PostgresQuery, on connection: PostgresConnection
    ) async throws -> (rows: Int64, width: Int64) {
        let text = try await connection.query("EXPLAIN (FORMAT JSON) \(query: select)").onlyValue(as: String.self)
        guard let rows = number("Plan Rows", in: text), let width = number("Plan Width", in: text) else {
            throw PostgresError(.decoding, "a plan without rows and width")
        }
        return (rows, width)
    }

    /// The first number of that name: the top node's.
    private static func number(_ name: String, in json: String) -> Int64? {
        let parts = json.split(separator: "\"\(name)\": ", maxSplits: 1)
        return parts.count == 2 ? Int64(parts[1].prefix { $0.isNumber }) : nil
    }
}
