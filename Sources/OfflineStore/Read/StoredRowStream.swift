import FeatureModel
import PointInTime
import PostgresClient

/// The rows of an offline table that count now, in key order and then in the one order.
struct StoredRowStream: RowStream {
    private let copy: PostgresCopyOut
    private var decoder: HistoryDecoder

    /// - Parameters:
    ///   - schema: whose features to read.
    ///   - conditions: further conditions on the table's columns.
    static func open(
        _ table: OfflineTable, schema: ViewSchema, bounds: EventTimeBounds = .none,
        where conditions: [PostgresQuery] = [], on connection: PostgresConnection
    ) async throws -> StoredRowStream {
        let select = select(
            from: table, schema: schema,
            where: ["withdrawn_by IS NULL"] + bounds.conditions(on: "event_timestamp") + conditions)
        let keys = schema.joinKeys.indices.map(OfflineTable.keyColumn)
        let order = keys + ["event_timestamp", "recorded_timestamp", "sequence", "schema_version"]
        return try await open(
            "\(query: select) ORDER BY \(query: order.joined(separator: ", "))", schema: schema, on: connection)
    }

    /// - Parameter select: gives the columns of `columns(of:in:)`.
    static func open(
        _ select: PostgresQuery, schema: ViewSchema, on connection: PostgresConnection
    ) async throws -> StoredRowStream {
        StoredRowStream(
            copy: try await connection.beginCopyOut("COPY (\(query: select)) TO STDOUT (FORMAT binary)"),
            decoder: HistoryDecoder(
                keyTypes: schema.joinKeys.map(\.storedType), featureTypes: schema.features.map(\.type)))
    }

    /// What stands between keys and features: the order, arrival and tombstone flag.
    static let systemColumns: [PostgresQuery] = [
        "event_timestamp", "recorded_timestamp", "sequence", "schema_version", "ingested_at", "is_deleted",
    ]

    /// Keys, system columns, features: what `HistoryDecoder` expects.
    static func columns(of schema: ViewSchema, in table: OfflineTable) -> PostgresQuery {
        let keys = schema.joinKeys.indices.map(OfflineTable.keyColumn)
        let features = schema.features.map { table.reading($0, of: "t") }
        return ((keys + systemColumns).map { "t.\(query: $0)" as PostgresQuery } + features).joined(separator: ", ")
    }

    static func select(
        from table: OfflineTable, schema: ViewSchema, where conditions: [PostgresQuery]
    ) -> PostgresQuery {
        """
        SELECT \(query: columns(of: schema, in: table)) FROM \(query: table.table) t
        WHERE \(query: conditions.joined(separator: " AND "))
        """
    }

    mutating func next() async throws -> SourceBatch? {
        while let chunk = try await copy.next() {
            let batch = try decoder.decode(chunk)
            if batch.rowCount > 0 { return SourceBatch(rows: batch, violations: []) }
        }
        return nil
    }
}
