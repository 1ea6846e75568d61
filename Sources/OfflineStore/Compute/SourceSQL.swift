public import FeatureDefinitions
import FeatureModel
import PostgresClient

/// The SQL that computes one feature view from its source.
///
/// The result's columns, in order: the join keys in name order, event time, recorded time, and for table sources
/// sequence, arrival and tombstone flag, then the features in definition order.
public struct SourceSQL: Sendable {
    let view: RegisteredFeatureView
    let generation: GenerationState
    let version: ViewVersion
    let source: RegisteredSource

    /// - Parameters:
    ///   - generation: of the view; its keys, source and filter.
    ///   - version: of the generation; its features.
    public init(
        view: RegisteredFeatureView, generation: GenerationState, version: ViewVersion, source: RegisteredSource
    ) {
        self.view = view
        self.generation = generation
        self.version = version
        self.source = source
    }

    var isTable: Bool { source.isTable }

    /// What the rows are read from, without the source's name as its alias.
    var relation: PostgresQuery {
        switch source.kind {
        case .table, .push: RawTable(source: source).systemView
        case .postgres(let table): "\(identifier: table.schema, table.name)"
        // The line break ends a comment that the query may end with.
        case .query(let sql): "(\(unescaped: sql)\n)"
        }
    }

    static func expression(_ text: String) -> PostgresQuery {
        "(\(unescaped: text)\n)"
    }

    private func expression(of feature: RegisteredFeature) -> PostgresQuery {
        feature.expression.map(Self.expression) ?? "\(identifier: feature.schema.name)"
    }

    var eventTime: PostgresQuery {
        source.timestampColumn.map { "\(identifier: $0)" } ?? "'-infinity'::timestamptz"
    }

    var recordedTime: PostgresQuery {
        source.createdTimestampColumn.map { "coalesce(\(identifier: $0), '-infinity'::timestamptz)" }
            ?? "'-infinity'::timestamptz"
    }

    /// Text compares as UTF-8 bytes, wherever the data came from.
    func keyExpression(_ key: JoinKey) -> PostgresQuery {
        switch key.storedType {
        case .string: "\(identifier: key.name)::text COLLATE \"C\""
        case .int64: "\(identifier: key.name)::bigint"
        default: "\(identifier: key.name)"
        }
    }

    /// The view's own condition, which tombstones pass; nil where it has none.
    var filter: PostgresQuery? {
        generation.filter.map { text -> PostgresQuery in
            let condition = Self.expression(text)
            return isTable ? "(\"__is_deleted\" OR \(query: condition))" : condition
        }
    }

    /// What a row has to pass to be computed.
    /// - Parameters:
    ///   - further: conditions beside the view's own.
    ///   - isFiltered: whether the view's own is among them.
    func conditions(_ further: [PostgresQuery], isFiltered: Bool = true) -> [PostgresQuery] {
        var conditions = further
        if isFiltered, let filter { conditions.append(filter) }
        if isTable, !generation.joinKeys.isEmpty {
            // A tombstone without one of this view's keys names no entity of this view.
            let keys = generation.joinKeys.map { "\(identifier: $0.name)" as PostgresQuery }
            conditions.append(
                "NOT (\"__is_deleted\" AND num_nulls(\(query: keys.joined(separator: ", "))) > 0)")
        }
        return conditions
    }

    /// - Parameters:
    ///   - further: conditions beside the view's own.
    ///   - isOrdered: by (keys, event time, recorded time, sequence).
    func select(where further: [PostgresQuery] = [], isOrdered: Bool = false) -> PostgresQuery {
        let keys = generation.joinKeys.enumerated().map { index, key -> PostgresQuery in
            "\(query: keyExpression(key)) AS \(query: OfflineTable.keyColumn(index))"
        }
        var columns: [PostgresQuery] =
            keys + [
                "\(query: eventTime) AS \"__event_timestamp\"", "\(query: recordedTime) AS \"__recorded_timestamp\"",
            ]
        if isTable { columns += ["\"__sequence\"", "\"__arrived_at\"", "\"__is_deleted\""] }
        columns += version.features.map { feature in
            "\(query: expression(of: feature)) AS \(identifier: "f\(feature.id)")"
        }
        let conditions = conditions(further)
        // Expressions may qualify a column with the source's name.
        var sql: PostgresQuery = """
            SELECT \(query: columns.joined(separator: ", ")) FROM \(query: relation) AS \(identifier: source.name)
            """
        if !conditions.isEmpty { sql += " WHERE \(query: conditions.joined(separator: " AND "))" }
        if isOrdered {
            let order =
                generation.joinKeys.indices.map(OfflineTable.keyColumn)
                + ["\"__event_timestamp\"", "\"__recorded_timestamp\""] + (isTable ? ["\"__sequence\""] : [])
            sql += " ORDER BY \(query: order.joined(separator: ", "))"
        }
        return sql
    }
}
