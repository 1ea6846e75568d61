import FeatureModel
import PointInTime
import PostgresClient

/// Rows of an offline table as a binary COPY takes them.
struct OfflineRowEncoder {
    private let table: OfflineTable
    private let schema: ViewSchema
    private var encoder = PostgresCopyEncoder()
    private(set) var rowCount = 0

    /// - Parameter schema: the version that the rows are written under.
    init(table: OfflineTable, schema: ViewSchema) {
        self.table = table
        self.schema = schema
    }

    var byteCount: Int { encoder.byteCount }

    /// Begins the COPY that takes the rows.
    var copy: PostgresQuery {
        let keys = schema.joinKeys.indices.map(OfflineTable.keyColumn)
        let system: [PostgresQuery] = [
            "event_timestamp", "recorded_timestamp", "sequence", "schema_version", "write_id", "ingested_at",
            "is_deleted",
        ]
        let columns = keys + system + schema.features.map(table.column)
        return """
            COPY \(query: table.table) (\(query: columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)
            """
    }

    /// - Throws: for a value that PostgreSQL's type cannot hold; what has been appended is of no use then.
    mutating func append(
        _ batch: HistoryBatch, row: Int, sequence: Int64, writeID: Int64
    ) throws(PostgresError) {
        encoder.beginRow(fieldCount: batch.keyColumns.count + 7 + schema.features.count)
        try encoder.append(batch.keyColumns, row: row)
        try encoder.append(timestamp: PostgresTimestamp(microsecondsSince1970: batch.eventTimes[row]))
        try encoder.append(timestamp: PostgresTimestamp(microsecondsSince1970: batch.recordedTimes[row]))
        encoder.append(int64: sequence)
        encoder.append(int32: schema.version)
        encoder.append(int64: writeID)
        try encoder.append(timestamp: PostgresTimestamp(microsecondsSince1970: batch.arrivals[row]))
        encoder.append(bool: batch.tombstones[row])
        if batch.tombstones[row] {
            for _ in batch.features { encoder.appendNull() }
        } else {
            try encoder.append(batch.features, row: row)
        }
        rowCount += 1
    }

    /// Hands over the whole stream of the rows appended, and begins another one.
    mutating func take() -> [UInt8] {
        encoder.finish()
        defer {
            encoder = PostgresCopyEncoder()
            rowCount = 0
        }
        return encoder.take()
    }
}
