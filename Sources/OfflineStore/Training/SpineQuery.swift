public import FeatureModel
import PointInTime
public import PostgresClient

/// The rows of a spine that PostgreSQL has or makes.
public struct SpineQuery {
    public let fields: [Field]
    private let copy: PostgresCopyOut
    private let isSmallInteger: [Bool]
    /// The connection of a query that somebody wrote; nil for Larder's own.
    private let asked: PostgresConnection?

    /// A query of the caller's.
    /// - Parameters:
    ///   - sql: one statement.
    ///   - projectID: whose table sources it finds under their own names.
    ///   - connection: under the source login, in a read-only transaction.
    /// - Throws: `spine_invalid` when it is refused, or a column is of a type that Larder does not have.
    public static func open(
        sql: String, projectID: Int64, on connection: PostgresConnection
    ) async throws -> SpineQuery {
        try await connection.execute("SET LOCAL search_path = \(identifier: ProjectSchema.sources(projectID)), public")
        do {
            // Described on its own first: what is one statement by itself stays one in the COPY.
            let statement: PostgresQuery = "\(unescaped: sql)"
            let columns = try await connection.describe(statement).columns
            let fields = try columns.map { column throws(LarderError) -> Field in
                guard let type = ValueType(postgresType: column.type) else {
                    throw LarderError(
                        .spineInvalid, "column \"\(column.name)\" of the spine's query has a type that Larder lacks",
                        hint: column.type == .timestamp
                            ? "say which zone it is of: \(column.name) AT TIME ZONE 'UTC'"
                            : "cast it in the query, for example to text or double precision")
                }
                return Field(name: column.name, type: type)
            }
            return SpineQuery(
                fields: fields,
                copy: try await connection.beginCopyOut("COPY (\(query: statement)\n) TO STDOUT (FORMAT binary)"),
                isSmallInteger: columns.map { $0.type == .int2 }, asked: connection)
        } catch let error as PostgresError where isOfQuery(error) {
            throw refusal(error)
        }
    }

    /// Whether the query is to blame, and neither PostgreSQL nor Larder.
    private static func isOfQuery(_ error: PostgresError) -> Bool {
        [.server, .invalidQuery, .decoding].contains(error.code)
    }

    private static func refusal(_ error: PostgresError) -> LarderError {
        LarderError(.spineInvalid, "the spine's query is refused: \(error.message)", hint: error.hint)
    }

    /// Every key and time at which one of some views changed, in order.
    /// - Parameters:
    ///   - histories: of views with the same join keys under the same names.
    ///   - keys: the names that the keys have in the spine.
    ///   - entities: whose changes, a column without nulls for each key; nil for all.
    public static func changes(
        of histories: [ViewHistory], keys: [JoinKey], entities: [Column]?, timestampColumn: String,
        from start: Timestamp, through end: Timestamp, on connection: PostgresConnection
    ) async throws -> SpineQuery {
        let keyColumns = keys.indices.map(OfflineTable.keyColumn)
        let names = keyColumns + ["event_timestamp"]
        let columns = names.joined(separator: ", ")
        let read = names.map { "t.\(query: $0)" as PostgresQuery }.joined(separator: ", ")
        // Joined, so that PostgreSQL looks few entities up in the index over keys and times.
        let isNamed = keyColumns.map { "t.\(query: $0) = e.\(query: $0)" as PostgresQuery }.joined(separator: " AND ")
        let named: PostgresQuery = entities == nil ? "" : " JOIN entities e ON \(query: isNamed)"
        let parts = histories.map { history -> PostgresQuery in
            let conditions =
                history.visibilityConditions
                + EventTimeBounds(start: start, end: end).conditions(on: "t.event_timestamp")
            return """
                SELECT \(query: read) FROM \(query: history.table.table) t\(query: named)
                WHERE \(query: conditions.joined(separator: " AND "))
                """
        }
        let select: PostgresQuery = """
            \(query: entities.map { list(of: $0, keys) } ?? "")
            SELECT DISTINCT \(query: columns) FROM (\(query: parts.joined(separator: " UNION ALL "))) changes
            ORDER BY \(query: columns)
            """
        return SpineQuery(
            fields: keys.map { Field(name: $0.name, type: $0.storedType, isNullable: false) }
                + [Field(name: timestampColumn, type: .timestamp, isNullable: false)],
            copy: try await connection.beginCopyOut("COPY (\(query: select)) TO STDOUT (FORMAT binary)"),
            isSmallInteger: names.map { _ in false }, asked: nil)
    }

    /// `entities` as a table of a statement.
    private static func list(of entities: [Column], _ keys: [JoinKey]) -> PostgresQuery {
        let arrays = zip(keys, entities).map { key, column in column.keyArrayLiteral(key) }
        let names = keys.indices.map(OfflineTable.keyColumn).joined(separator: ", ")
        return """
            WITH entities (\(query: names)) AS (SELECT * FROM unnest(\(query: arrays.joined(separator: ", "))))
            """
    }

    /// The next rows; nil at the end.
    /// - Throws: `spine_invalid` when a query that was asked for fails on its way.
    public func next() async throws -> RecordBatch? {
        guard let asked else { return try await read() }
        do {
            if let batch = try await read() { return batch }
            // Text is taken as it comes, and a query can change how it does.
            let encoding = try await asked.query("SELECT current_setting('client_encoding') AS encoding")
            guard try encoding.onlyValue(as: String.self) == "UTF8" else {
                throw LarderError(.spineInvalid, "the spine's query changes client_encoding")
            }
            return nil
        } catch let error as PostgresError where Self.isOfQuery(error) {
            throw Self.refusal(error)
        }
    }

    private func read() async throws -> RecordBatch? {
        guard let chunk = try await copy.next() else { return nil }
        var columns = fields.map { Column(type: $0.type) }
        try chunk.forEachRow { row in
            for index in columns.indices {
                guard isSmallInteger[index] else {
                    try columns[index].append(nextOf: &row)
                    continue
                }
                if let value = try row.nextInt16() {
                    columns[index].append(int32: Int32(value))
                } else {
                    columns[index].appendNull()
                }
            }
        }
        return RecordBatch(fields: fields, columns: columns, rowCount: chunk.rowCount)
    }
}
