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
    /// What the rows carry.
    public let writeID: Int64
    private var sequences = SequenceBlocks()
    private var copy: PostgresCopyIn?
    private var encoder = PostgresCopyEncoder()
    private var rowsWritten: Int64 = 0
    /// Of `rowsWritten`, those of COPYs that have ended.
    private var rowsCopied: Int64 = 0

    public struct Result: Sendable, Equatable {
        public let writeID: Int64
        public let rowsWritten: Int64
        /// Rows that a newer one with the same row key replaced, of this load and of earlier ones.
        public let rowsWithdrawn: Int64
    }

    public init(source: RegisteredSource, version: SourceVersion, on connection: PostgresConnection) async throws {
        self.source = source
        self.version = version
        self.connection = connection
        raw = RawTable(source: source)
        if !source.rowKey.isEmpty {
            // Two loads at once would each not see the row that the other one replaces.
            try await connection.execute(
                "SELECT FROM larder.source_table WHERE source_id = \(source.id) FOR NO KEY UPDATE")
        }
        writeID = try await WriteLedger.reserveWriteID(on: connection)
    }

    /// Appends rows.
    /// - Parameters:
    ///   - columns: one per column of the schema version, in its order.
    ///   - tombstones: true where the row says that its entity is gone; nil for none.
    public mutating func append(columns: [Column], tombstones: Column?, rowCount: Int) async throws {
        var start = 0
        while start < rowCount {
            let rows = start..<min(rowCount, start + Int(SequenceBlocks.blockSize))
            let first = try await sequences.reserve(rows.count, on: connection)
            for row in rows {
                encoder.beginRow(fieldCount: 4 + columns.count)
                encoder.append(int64: first + Int64(row - rows.lowerBound))
                encoder.append(int64: writeID)
                encoder.append(int32: version.version)
                encoder.append(bool: tombstones.map { !$0.isNull(row) && $0.bools[row] } ?? false)
                for column in columns { try encoder.append(column, row: row) }
                rowsWritten += 1
                if encoder.byteCount >= Self.maximumBytesPerChunk { try await send() }
            }
            // Reserving the next sequences needs the connection, which a COPY occupies.
            try await endCopy()
            start = rows.upperBound
        }
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
    /// - Parameter idempotencyKey: a second write with the same one fails with SQLSTATE 23505 on `write_idempotency`.
    public mutating func finish(actor: String, idempotencyKey: [UInt8]?) async throws -> Result {
        let incarnation = try await Incarnation.current(on: connection)
        let withdrawn = try await withdrawReplaced()
        try await WriteLedger.record(
            WriteRecord(
                kind: .ingest, target: .source(source.id), actor: actor, schemaVersion: version.version,
                idempotencyKey: idempotencyKey),
            id: writeID, incarnation: incarnation, rowsWritten: rowsWritten, rowsWithdrawn: withdrawn, on: connection)
        return Result(writeID: writeID, rowsWritten: rowsWritten, rowsWithdrawn: withdrawn)
    }

    /// Of the rows with equal row keys only the newest by (recorded time, sequence) goes on counting.
    private func withdrawReplaced() async throws -> Int64 {
        let columns = version.columns.filter { source.rowKey.contains($0.name) }.map(raw.column)
        guard !columns.isEmpty else { return 0 }
        let recorded = version.columns.first { $0.name == source.createdTimestampColumn }.map(raw.column)
        func order(_ alias: PostgresQuery) -> PostgresQuery {
            let time = recorded.map { "coalesce(\(query: alias).\(query: $0), '-infinity'), " as PostgresQuery } ?? ""
            return "(\(query: time)\(query: alias).sequence)"
        }
        func keys(_ alias: PostgresQuery) -> PostgresQuery {
            columns.map { "\(query: alias).\(query: $0)" as PostgresQuery }.joined(separator: ", ")
        }
        return Int64(
            try await connection.execute(
                """
                UPDATE \(query: raw.table) old SET withdrawn_by = \(writeID)
                FROM (
                    SELECT DISTINCT ON (\(query: keys("n"))) n.* FROM \(query: raw.table) n
                    WHERE n.withdrawn_by IS NULL AND (\(query: keys("n"))) IN (
                        SELECT \(query: keys("mine")) FROM \(query: raw.table) mine WHERE mine.write_id = \(writeID))
                    ORDER BY \(query: keys("n")), \(query: orderDescending(recorded))
                ) newest
                WHERE old.withdrawn_by IS NULL AND (\(query: keys("old"))) = (\(query: keys("newest")))
                  AND \(query: order("old")) < \(query: order("newest"))
                """))
    }

    private func orderDescending(_ recorded: PostgresQuery?) -> PostgresQuery {
        recorded.map { "coalesce(n.\(query: $0), '-infinity') DESC, n.sequence DESC" } ?? "n.sequence DESC"
    }
}
