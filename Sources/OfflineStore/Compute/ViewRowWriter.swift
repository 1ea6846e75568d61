public import FeatureDefinitions
public import FeatureModel
public import PointInTime
public import PostgresClient
import Registry

/// Writes one batch of rows straight into a generation of a feature view, within the caller's transaction.
public struct ViewRowWriter {
    private let view: RegisteredFeatureView
    private let version: ViewVersion
    private let connection: PostgresConnection
    private var sequences = SequenceBlocks()
    private var rows: OfflineTableWriter
    /// Of the ledger row that `finish` records.
    public let writeID: Int64

    /// - Parameter version: that the rows are written under; they go into its generation.
    /// - Throws: `schema_version_mismatch` when the version's generation is gone.
    public init(view: RegisteredFeatureView, version: ViewVersion, on connection: PostgresConnection) async throws {
        guard let schema = view.schema(version: version.version) else {
            throw LarderError(
                .schemaVersionMismatch,
                "generation \(version.generation) of feature view \"\(view.name)\" was dropped")
        }
        self.view = view
        self.version = version
        self.connection = connection
        writeID = try await WriteLedger.reserveWriteID(on: connection)
        rows = OfflineTableWriter(
            table: OfflineTable(view: view, generation: version.generation), schema: schema, writeID: writeID,
            connection: connection)
    }

    /// PostgreSQL's clock, for the arrival of rows and for what is the future.
    public func now() async throws -> Timestamp {
        let now = try await connection.query("SELECT clock_timestamp() AS now").onlyValue(as: PostgresTimestamp.self)
        return Timestamp(microsecondsSince1970: now.microsecondsSince1970)
    }

    /// Appends rows in their order.
    /// - Parameter batch: its features are those of the version, in its order; its sequences are not looked at.
    /// - Returns: the rows with the sequences they were given.
    public mutating func append(_ batch: HistoryBatch) async throws -> HistoryBatch {
        var drawn: [Int64] = []
        drawn.reserveCapacity(batch.rowCount)
        while drawn.count < batch.rowCount {
            let count = min(batch.rowCount - drawn.count, Int(SequenceBlocks.blockSize))
            let first = try await sequences.reserve(count, on: connection)
            drawn += first..<first + Int64(count)
        }
        for row in 0..<batch.rowCount { try await rows.append(batch, row: row, sequence: drawn[row]) }
        return HistoryBatch(
            keyColumns: batch.keyColumns, eventTimes: batch.eventTimes, recordedTimes: batch.recordedTimes,
            sequences: drawn, schemaVersions: batch.schemaVersions, arrivals: batch.arrivals,
            tombstones: batch.tombstones, features: batch.features)
    }

    /// Sends what is pending, so that the connection takes other statements.
    public mutating func endCopy() async throws { try await rows.flush() }

    /// Sends the last rows and records the write.
    /// - Parameter idempotencyKey: a second write with the same digest into the same generation fails with SQLSTATE 23505
    ///   on `write_view_idempotency`.
    /// - Returns: how many rows were written.
    public mutating func finish(actor: String, idempotencyKey: IdempotencyKey?) async throws -> Int64 {
        try await rows.flush()
        let incarnation = try await Incarnation.current(on: connection)
        try await WriteLedger.record(
            WriteRecord(
                kind: .push, target: .featureView(view.id, generation: version.generation), actor: actor,
                schemaVersion: version.version, idempotencyKey: idempotencyKey),
            id: writeID, incarnation: incarnation, rowsWritten: rows.rowsWritten, rowsWithdrawn: 0, on: connection)
        return rows.rowsWritten
    }
}
