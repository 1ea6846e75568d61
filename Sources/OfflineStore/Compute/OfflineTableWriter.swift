import FeatureModel
import PointInTime
import PostgresClient

/// Appends rows to an offline table and withdraws rows of it, within the caller's transaction.
///
/// Rows are sent in chunks, each a binary COPY of its own, so that withdrawals can go between them on the same connection
/// and memory stays bounded by the chunk.
struct OfflineTableWriter {
    /// A chunk ends when it has this many rows or bytes, whichever comes first.
    private static let maximumRowsPerChunk = 65_536
    private static let maximumBytesPerChunk = 1 << 20

    private let table: OfflineTable
    private let writeID: Int64
    let connection: PostgresConnection

    private var encoder: OfflineRowEncoder
    private var withdrawals: Withdrawals

    private(set) var rowsWritten: Int64 = 0
    private(set) var rowsWithdrawn: Int64 = 0

    init(
        table: OfflineTable, schema: ViewSchema, writeID: Int64, connection: PostgresConnection
    ) {
        self.table = table
        self.writeID = writeID
        self.connection = connection
        encoder = OfflineRowEncoder(table: table, schema: schema)
        withdrawals = Withdrawals(joinKeys: schema.joinKeys)
    }

    /// - Parameter sequence: overrides the batch's, for rows that draw theirs when written.
    mutating func append(_ batch: HistoryBatch, row: Int, sequence: Int64? = nil) async throws {
        try encoder.append(batch, row: row, sequence: sequence ?? batch.sequences[row], writeID: writeID)
        rowsWritten += 1
        if encoder.rowCount >= Self.maximumRowsPerChunk || encoder.byteCount >= Self.maximumBytesPerChunk {
            try await flush()
        }
    }

    /// Makes the stored row stop counting, from this write on.
    mutating func withdraw(_ batch: HistoryBatch, row: Int) async throws {
        withdrawals.append(batch, row: row)
        if withdrawals.count >= Self.maximumRowsPerChunk { try await flush() }
    }

    /// Sends what is pending.
    mutating func flush() async throws {
        if withdrawals.count > 0 {
            rowsWithdrawn += Int64(
                try await connection.execute(withdrawals.update(of: table, writeID: writeID)))
            withdrawals.removeAll()
        }
        guard encoder.rowCount > 0 else { return }
        let copy = try await connection.beginCopyIn(encoder.copy)
        try await copy.write(encoder.take())
        _ = try await copy.finish()
    }
}

/// Rows of an offline table by their place in the one order.
private struct Withdrawals {
    let joinKeys: [JoinKey]
    private var keys: [Column]
    private var eventTimes: [PostgresTimestamp] = []
    private var recordedTimes: [PostgresTimestamp] = []
    private var sequences: [Int64] = []

    init(joinKeys: [JoinKey]) {
        self.joinKeys = joinKeys
        keys = joinKeys.map { Column(type: $0.storedType) }
    }

    var count: Int { sequences.count }

    mutating func append(_ batch: HistoryBatch, row: Int) {
        for index in keys.indices { keys[index].append(from: batch.keyColumns[index], row: row) }
        eventTimes.append(PostgresTimestamp(microsecondsSince1970: batch.eventTimes[row]))
        recordedTimes.append(PostgresTimestamp(microsecondsSince1970: batch.recordedTimes[row]))
        sequences.append(batch.sequences[row])
    }

    mutating func removeAll() {
        self = Withdrawals(joinKeys: joinKeys)
    }

    func update(of table: OfflineTable, writeID: Int64) -> PostgresQuery {
        let names = joinKeys.indices.map(OfflineTable.keyColumn)
        let arrays = keys.map(\.keyArray) + ["\(eventTimes)", "\(recordedTimes)", "\(sequences)"]
        let columns = names + ["event_timestamp", "recorded_timestamp", "sequence"]
        let matches = columns.map { "t.\(query: $0) = d.\(query: $0)" as PostgresQuery }
        return """
            UPDATE \(query: table.table) t SET withdrawn_by = \(writeID)
            FROM unnest(\(query: arrays.joined(separator: ", "))) AS d(\(query: columns.joined(separator: ", ")))
            WHERE \(query: matches.joined(separator: " AND ")) AND t.withdrawn_by IS NULL
            """
    }
}

extension Column {
    /// A key column without nulls, as an array parameter.
    var keyArray: PostgresQuery {
        switch elementType {
        case .int64, .timestamp: "\(int64s)"
        case .int32: "\(int32s.map(Int64.init))"
        case .bool: "\(bools)"
        case .date: "\(int32s.map(PostgresDate.init(daysSince1970:)))"
        case .bytes: "\((0..<count).map { Array(byteRun($0)) })"
        case .string: "\((0..<count).map { String(decoding: byteRun($0), as: UTF8.self) })"
        case .float32: "\(float32s)"
        case .float64: "\(float64s)"
        }
    }
}
