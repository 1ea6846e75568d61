public import FeatureModel
public import PointInTime
import PostgresClient

/// Rows that do not count any more, each with what counts now of its key.
public struct WithdrawnBatch: Sendable {
    /// The places that the withdrawn rows have in the one order.
    public let orders: [RowOrder]
    /// Whether any row of the key counts now.
    public let hasWinner: [Bool]
    /// The rows that count now. Where none does, there is the withdrawn row's key and order, without features. Keys
    /// come in any order, and more than once.
    public let winners: HistoryBatch
}

/// Withdrawn rows of an offline table, pulled in batches: however many there are, they are never held all at once.
public struct WithdrawnRows: Sendable {
    /// What withdrawn rows are called where their winners are looked up.
    static let alias: PostgresQuery = "d"

    private let copy: PostgresCopyOut
    private let decoder: HistoryDecoder
    /// Columns that the decoder reads, before the withdrawn row's order.
    private let decodedColumnCount: Int

    /// - Parameters:
    ///   - rows: gives all columns of the withdrawn rows.
    ///   - winner: gives the columns of `StoredRowStream.columns(of:in:)` for the key of `alias`.
    static func open(
        _ rows: PostgresQuery, winner: PostgresQuery, schema: ViewSchema, on connection: PostgresConnection
    ) async throws -> WithdrawnRows {
        let keys = schema.joinKeys.indices.map(OfflineTable.keyColumn)
        let system = StoredRowStream.systemColumns
        let decodedColumnCount = keys.count + system.count + schema.features.count
        // By position: what is computed from a column has no name of its own.
        let names = (1...decodedColumnCount).map { "\(identifier: "w\($0)")" as PostgresQuery }
        let found = names.map { "w.\(query: $0)" as PostgresQuery }
        var columns = keys.map { "\(query: alias).\(query: $0)" as PostgresQuery }
        for (column, name) in zip(found.dropFirst(keys.count), system) {
            columns.append("coalesce(\(query: column), \(query: alias).\(query: name))")
        }
        columns += found.dropFirst(keys.count + system.count)
        for name in system.prefix(4) { columns.append("\(query: alias).\(query: name)") }
        columns.append("\(query: found[keys.count]) IS NOT NULL")
        return WithdrawnRows(
            copy: try await connection.beginCopyOut(
                """
                COPY (
                    SELECT \(query: columns.joined(separator: ", ")) FROM (\(query: rows)) \(query: alias)
                    LEFT JOIN LATERAL (\(query: winner)) w (\(query: names.joined(separator: ", "))) ON TRUE
                ) TO STDOUT (FORMAT binary)
                """),
            decoder: HistoryDecoder(
                keyTypes: schema.joinKeys.map(\.storedType), featureTypes: schema.features.map(\.type)),
            decodedColumnCount: decodedColumnCount)
    }

    public func next() async throws -> WithdrawnBatch? {
        while let chunk = try await copy.next() {
            // It passes over the columns that it does not know.
            let winners = try decoder.decode(chunk)
            guard winners.rowCount > 0 else { continue }
            var orders: [RowOrder] = []
            var hasWinner: [Bool] = []
            try chunk.forEachRow { row in
                for _ in 0..<decodedColumnCount { try row.skip() }
                let eventTime = try row.nextTimestamp().required().microsecondsSince1970
                let recordedTime = try row.nextTimestamp().required().microsecondsSince1970
                orders.append(
                    RowOrder(
                        eventTime: Timestamp(microsecondsSince1970: eventTime),
                        recordedTime: Timestamp(microsecondsSince1970: recordedTime),
                        sequence: try row.nextInt64().required(), schemaVersion: try row.nextInt32().required()))
                hasWinner.append(try row.nextBool().required())
            }
            return WithdrawnBatch(orders: orders, hasWinner: hasWinner, winners: winners)
        }
        return nil
    }
}
