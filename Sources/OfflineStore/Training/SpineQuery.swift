public import FeatureModel
import PointInTime
public import PostgresClient

/// The rows of a spine that PostgreSQL has or makes.
public struct SpineQuery {
    public let fields: [Field]
    private let copy: PostgresCopyOut
    private let isSmallInteger: [Bool]

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
                        hint: "cast it in the query, for example to text or double precision")
                }
                return Field(name: column.name, type: type)
            }
            return SpineQuery(
                fields: fields,
                copy: try await connection.beginCopyOut("COPY (\(query: statement)\n) TO STDOUT (FORMAT binary)"),
                isSmallInteger: columns.map { $0.type == .int2 })
        } catch let error as PostgresError where error.code == .server || error.code == .invalidQuery {
            throw LarderError(.spineInvalid, "the spine's query is refused: \(error.message)", hint: error.hint)
        }
    }

    /// Every key and time at which one of some views changed, in order.
    /// - Parameters:
    ///   - histories: of views with the same join keys under the same names.
    ///   - keys: the names that the keys have in the spine.
    public static func changes(
        of histories: [ViewHistory], keys: [JoinKey], timestampColumn: String, from start: Timestamp,
        through end: Timestamp, on connection: PostgresConnection
    ) async throws -> SpineQuery {
        let names = keys.indices.map(OfflineTable.keyColumn) + ["event_timestamp"]
        let columns = names.joined(separator: ", ")
        let parts = histories.map { history -> PostgresQuery in
            let conditions =
                history.visibility.conditions(on: history.table)
                + EventTimeBounds(start: start, end: end).conditions(on: "t.event_timestamp")
            return """
                SELECT \(query: columns) FROM \(query: history.table.table) t
                WHERE \(query: conditions.joined(separator: " AND "))
                """
        }
        let select: PostgresQuery = """
            SELECT DISTINCT \(query: columns) FROM (\(query: parts.joined(separator: " UNION ALL "))) changes
            ORDER BY \(query: columns)
            """
        return SpineQuery(
            fields: keys.map { Field(name: $0.name, type: $0.storedType, isNullable: false) }
                + [Field(name: timestampColumn, type: .timestamp, isNullable: false)],
            copy: try await connection.beginCopyOut("COPY (\(query: select)) TO STDOUT (FORMAT binary)"),
            isSmallInteger: names.map { _ in false })
    }

    /// The next rows; nil at the end.
    public func next() async throws -> RecordBatch? {
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
