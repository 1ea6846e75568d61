public import FeatureModel
public import PointInTime
public import PostgresClient

/// The history of one generation of a view, as training reads it: in key order, then in the one order.
public struct HistoryReader {
    /// Up to this many distinct keys are sent along, so that PostgreSQL seeks them; beyond, the whole table is streamed
    /// and the join skips what the spine does not ask for.
    public static let maximumSoughtKeys = 20_000

    private var stream: StoredRowStream

    /// Opens the history that can matter to a spine: rows up to its newest timestamp.
    /// - Parameter schema: the features to read; its order is that of the batches' feature columns.
    public static func open(
        _ table: OfflineTable, schema: ViewSchema, spine: SpineIndex, maximumSoughtKeys: Int = maximumSoughtKeys,
        on connection: PostgresConnection
    ) async throws -> HistoryReader? {
        guard let newest = spine.maximumTimestamp, spine.distinctKeyCount > 0 else { return nil }
        let bound = PostgresTimestamp(microsecondsSince1970: newest.microsecondsSince1970)
        var conditions: [PostgresQuery] = ["t.event_timestamp <= \(literal: bound)"]
        if !schema.joinKeys.isEmpty, spine.distinctKeyCount <= maximumSoughtKeys {
            conditions.append(try await soughtKeys(spine, schema: schema, on: connection))
        }
        return HistoryReader(
            stream: try await StoredRowStream.open(table, schema: schema, where: conditions, on: connection))
    }

    /// The next rows; nil at the end.
    public mutating func next() async throws -> HistoryBatch? {
        try await stream.next()?.rows
    }

    private static func soughtKeys(
        _ spine: SpineIndex, schema: ViewSchema, on connection: PostgresConnection
    ) async throws -> PostgresQuery {
        let names = schema.joinKeys.indices.map(OfflineTable.keyColumn)
        let arrays = zip(schema.joinKeys, spine.distinctKeyColumns()).map { key, column in column.keyArrayLiteral(key) }
        return """
            (\(query: names.joined(separator: ", "))) IN (SELECT * FROM unnest(\(query: arrays.joined(separator: ", "))))
            """
    }
}
