import FeatureModel
import PointInTime
import PostgresClient

/// The history of one generation of a view, in key order and then in the one order, for a part of a spine.
struct HistoryReader {
    /// Which keys are read.
    enum Keys {
        /// All from the first to the last of the part; the join skips what the spine does not ask for.
        case range
        /// Those of the probe table, which holds the keys of the part.
        case listed(ProbeTable)
    }

    private var stream: StoredRowStream

    /// Opens the rows that can matter to some keys of a spine, by event time.
    /// - Parameter groups: not empty.
    static func open(
        _ history: ViewHistory, spine: SpineIndex, groups: Range<Int>, keys: Keys, on connection: PostgresConnection
    ) async throws -> HistoryReader {
        var conditions = history.visibilityConditions
        if let latest = spine.maximumTimestamp {
            let bound = PostgresTimestamp(bounding: latest.microsecondsSince1970)
            conditions.append("t.event_timestamp <= \(literal: bound)")
        }
        if let earliest = spine.minimumTimestamp.flatMap(history.earliestEventTime) {
            let bound = PostgresTimestamp(microsecondsSince1970: earliest.microsecondsSince1970)
            conditions.append("t.event_timestamp >= \(literal: bound)")
        }
        let columns = StoredRowStream.columns(of: history.schema, in: history.table)
        let select: PostgresQuery
        switch keys {
        case .range:
            conditions += bounds(of: groups, spine, history)
            select = """
                SELECT \(query: columns) FROM \(query: history.table.table) t
                WHERE \(query: conditions.joined(separator: " AND "))
                ORDER BY \(query: order(by: history.keyColumns + ViewHistory.order))
                """
        case .listed(let probes):
            conditions += history.keyColumns.map { "t.\(query: $0) = p.\(query: $0)" }
            select = """
                SELECT \(query: columns) FROM \(query: probes.table) p CROSS JOIN LATERAL (
                    SELECT t.* FROM \(query: history.table.table) t
                    WHERE \(query: conditions.joined(separator: " AND "))
                    ORDER BY \(query: order(by: ViewHistory.order))
                ) t
                """
        }
        return HistoryReader(
            stream: try await StoredRowStream.open(select, schema: history.schema, on: connection))
    }

    private static func order(by columns: [PostgresQuery]) -> PostgresQuery {
        columns.map { "t.\(query: $0)" as PostgresQuery }.joined(separator: ", ")
    }

    /// Between the first and the last key, as rows compare.
    private static func bounds(of groups: Range<Int>, _ spine: SpineIndex, _ history: ViewHistory) -> [PostgresQuery] {
        guard !history.schema.joinKeys.isEmpty else { return [] }
        let names = history.keyColumns.map { "t.\(query: $0)" as PostgresQuery }.joined(separator: ", ")
        let ends = [groups.lowerBound, groups.upperBound - 1].map { group in
            zip(spine.keys(ofGroups: [group]), history.schema.joinKeys)
                .map { column, key in column.keyLiteral(key) }.joined(separator: ", ")
        }
        return [
            "(\(query: names)) >= (\(query: ends[0]))", "(\(query: names)) <= (\(query: ends[1]))",
        ]
    }

    /// The next rows; nil at the end.
    mutating func next() async throws -> HistoryBatch? {
        try await stream.next()?.rows
    }
}
