public import FeatureDefinitions
public import FeatureModel
public import PostgresClient
import Registry

/// Loads one batch of rows into a table source, within the caller's transaction.
public struct RawTableWriter {
    private static let maximumBytesPerChunk = 1 << 20

    private let source: RegisteredSource
    private let version: SourceVersion
    private let raw: RawTable
    private let connection: PostgresConnection
    private let settlement: RowKeySettlement?
    /// The table's size before the load.
    private var bytesBefore: Int64 = 0
    /// What the rows carry.
    public let writeID: Int64
    private var sequences = SequenceSupply()
    private var copy: PostgresCopyIn?
    private var encoder = PostgresCopyEncoder()
    private var rowsWritten: Int64 = 0
    /// Of `rowsWritten`, those of COPYs that have ended.
    private var rowsCopied: Int64 = 0

    public struct Result: Sendable, Equatable {
        public let writeID: Int64
        public let rowsWritten: Int64
        /// Rows of earlier loads that a newer one of this load with the same row key replaced.
        public let rowsReplaced: Int64
        /// Of `rowsWritten`, those that do not count: a newer row has the same row key.
        public let rowsOutdated: Int64
    }

    public init(source: RegisteredSource, version: SourceVersion, on connection: PostgresConnection) async throws {
        self.source = source
        self.version = version
        self.connection = connection
        raw = RawTable(source: source)
        settlement = RowKeySettlement(source: source, version: version)
        if let settlement {
            // Two loads at once would each not see the row that the other one replaces.
            try await connection.execute(
                "SELECT FROM larder.source_table WHERE source_id = \(source.id) FOR NO KEY UPDATE")
            bytesBefore = try await settlement.tableBytes(on: connection)
        }
        writeID = try await WriteLedger.reserveWriteID(on: connection)
    }

    /// Appends rows. A COPY may stay open after it; `endCopy()` ends it.
    /// - Parameters:
    ///   - columns: one per column of the schema version, in its order.
    ///   - tombstones: true where the row says that its entity is gone; nil for none.
    public mutating func append(columns: [Column], tombstones: Column?, rowCount: Int) async throws {
        var row = 0
        while row < rowCount {
            if sequences.isEmpty {
                // Drawing sequences needs the connection, which a COPY occupies.
                try await endCopy()
                try await sequences.draw(on: connection)
            }
            let first = sequences.next
            let end = try encode(columns, tombstones, rows: row..<min(rowCount, row + sequences.count), first: first)
            sequences.take(end - row)
            rowsWritten += Int64(end - row)
            row = end
            if encoder.byteCount >= Self.maximumBytesPerChunk { try await send() }
        }
    }

    /// Encodes rows until there are none or a chunk is full.
    /// - Returns: the row after the last one encoded.
    private mutating func encode(
        _ columns: [Column], _ tombstones: Column?, rows: Range<Int>, first: Int64
    ) throws -> Int {
        for row in rows {
            encoder.beginRow(fieldCount: 4 + columns.count)
            encoder.append(int64: first + Int64(row - rows.lowerBound))
            encoder.append(int64: writeID)
            encoder.append(int32: version.version)
            encoder.append(bool: tombstones.map { !$0.isNull(row) && $0.bools[row] } ?? false)
            try encoder.append(columns, row: row)
            if encoder.byteCount >= Self.maximumBytesPerChunk { return row + 1 }
        }
        return rows.upperBound
    }

    private mutating func send() async throws {
        let open = try await openCopy()
        try await open.write(encoder.take())
    }

    private mutating func openCopy() async throws -> PostgresCopyIn {
        if let copy { return copy }
        let columns =
            ["sequence", "write_id", "schema_version", "is_deleted"] + version.columns.map(raw.column)
        let opened = try await connection.beginCopyIn(
            "COPY \(query: raw.table) (\(query: columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)")
        copy = opened
        return opened
    }

    /// Ends the COPY that `append` may have left open, so that the connection takes other statements.
    public mutating func endCopy() async throws {
        guard copy != nil || rowsWritten > rowsCopied else { return }
        encoder.finish()
        let open = try await openCopy()
        try await open.write(encoder.take())
        _ = try await open.finish()
        copy = nil
        encoder = PostgresCopyEncoder()
        rowsCopied = rowsWritten
    }

    /// Settles row keys and records the write.
    /// - Parameter idempotencyKey: a second write with the same digest fails with SQLSTATE 23505 on
    ///   `write_idempotency`.
    public mutating func finish(actor: String, idempotencyKey: IdempotencyKey?) async throws -> Result {
        try await endCopy()
        let incarnation = try await Incarnation.current(on: connection)
        let (replaced, outdated) =
            try await settlement?.settle(writeID: writeID, bytesBefore: bytesBefore, on: connection) ?? (0, 0)
        try await WriteLedger.record(
            WriteRecord(
                kind: .ingest, target: .source(source.id), actor: actor, schemaVersion: version.version,
                idempotencyKey: idempotencyKey),
            id: writeID, incarnation: incarnation, rowsWritten: rowsWritten, rowsWithdrawn: replaced + outdated,
            on: connection)
        return Result(writeID: writeID, rowsWritten: rowsWritten, rowsReplaced: replaced, rowsOutdated: outdated)
    }
}
