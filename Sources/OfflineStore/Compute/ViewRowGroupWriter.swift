public import FeatureDefinitions
public import FeatureModel
public import PointInTime
public import PostgresClient
import Registry

/// Writes the rows of several pushes into a generation of a feature view: one transaction, three round trips.
///
/// Each push that carries an idempotency key is a write of its own, with its own ledger row. The others are one write.
public struct ViewRowGroupWriter: Sendable {
    /// How long one statement may take: longer than a change of the table's definition may keep it waiting.
    private static let statementTimeout: Duration = .seconds(30)

    /// A ledger row to be.
    public struct Write: Sendable {
        public let id: Int64
        public var rowCount: Int64
        public let idempotencyKey: IdempotencyKey?

        public init(id: Int64, rowCount: Int64, idempotencyKey: IdempotencyKey?) {
            self.id = id
            self.rowCount = rowCount
            self.idempotencyKey = idempotencyKey
        }
    }

    /// What a group needs to know before it writes, as of one statement.
    public struct Start: Sendable {
        /// The newest revision of the project; nil where there is no such project.
        public let projectRevision: Int64?
        /// PostgreSQL's clock, for the arrival of rows and for what is the future.
        public let now: Timestamp
        /// The row of `larder.incarnation`.
        public let incarnationID: Int32
        /// As many as were asked for, ascending.
        public let writeIDs: [Int64]
        /// The first of `maximumRowCount` sequences, all later than those of any write that has been answered.
        public let firstSequence: Int64
        /// The digests of those of the idempotency keys asked for that an earlier write into the generation carries.
        public let knownKeys: Set<[UInt8]>
    }

    /// Rows that a group may have.
    public static let maximumRowCount = Int(SequenceBlocks.blockSize)

    private let view: RegisteredFeatureView
    private let version: ViewVersion
    private let table: OfflineTable
    private let schema: ViewSchema

    /// - Parameter version: that the rows are written under; they go into its generation.
    /// - Throws: `schema_version_mismatch` when the version's generation is gone.
    public init(view: RegisteredFeatureView, version: ViewVersion) throws(LarderError) {
        guard let schema = view.schema(version: version.version) else {
            throw LarderError(
                .schemaVersionMismatch,
                "generation \(version.generation) of feature view \"\(view.name)\" was dropped")
        }
        self.view = view
        self.version = version
        self.schema = schema
        table = OfflineTable(view: view, generation: version.generation)
    }

    /// Asks and reserves what a group needs, in one statement outside of its transaction.
    /// - Parameters:
    ///   - writeCount: how many write ids are needed.
    ///   - idempotencyKeys: the digests of those that the group's pushes carry.
    public func begin(
        projectID: Int64, writeCount: Int, idempotencyKeys: [[UInt8]], on connection: PostgresConnection
    ) async throws -> Start {
        let rows = try await connection.query(
            """
            SELECT (SELECT p.revision FROM larder.project p WHERE p.id = \(projectID)) AS revision,
                   clock_timestamp() AS now,
                   (\(query: Incarnation.idQuery)) AS incarnation_id,
                   ARRAY(SELECT nextval('larder.write_id') FROM generate_series(1, \(Int64(writeCount)))) AS write_ids,
                   nextval('larder.row_block') AS first_sequence,
                   \(query: knownKeys(among: idempotencyKeys)) AS known_keys
            """, timeout: Self.statementTimeout)
        guard let row = rows.first else { throw PostgresError(.decoding, "a group of pushes found no row") }
        let writeIDs = try row.decode("write_ids", as: [Int64].self).sorted()
        guard writeIDs.count == writeCount else { throw PostgresError(.decoding, "nextval gave too few rows") }
        let known = try row.decode("incarnation_id", as: Int32?.self)
        let incarnationID: Int32
        if let known { incarnationID = known } else { incarnationID = try await Incarnation.current(on: connection).id }
        return Start(
            projectRevision: try row.decode("revision", as: Int64?.self),
            now: Timestamp(
                microsecondsSince1970: try row.decode("now", as: PostgresTimestamp.self).microsecondsSince1970),
            incarnationID: incarnationID, writeIDs: writeIDs,
            firstSequence: try row.decode("first_sequence", as: Int64.self),
            knownKeys: Set(try row.decode("known_keys", as: [[UInt8]].self)))
    }

    private func knownKeys(among keys: [[UInt8]]) -> PostgresQuery {
        guard !keys.isEmpty else { return "ARRAY[]::bytea[]" }
        return """
            ARRAY(SELECT w.idempotency_key FROM larder.write w
                  WHERE w.feature_view_id = \(view.id) AND w.generation = \(version.generation)
                    AND w.idempotency_key IS NOT NULL AND w.idempotency_key = ANY (\(keys)))
            """
    }

    /// Writes rows and ledger rows and commits, or nothing.
    /// - Parameters:
    ///   - rows: at least one, with sequences and arrivals; their features are those of the version, in its order.
    ///   - writeIDs: of the write that each row belongs to.
    ///   - writes: each once.
    /// - Throws: `PostgresError`, with SQLSTATE 23505 on `write_view_idempotency` when another write has come first with
    ///   one of the idempotency keys.
    public func commit(
        _ rows: HistoryBatch, writeIDs: [Int64], writes: [Write], actor: String, start: Start,
        on connection: PostgresConnection
    ) async throws(PostgresError) {
        precondition(writeIDs.count == rows.rowCount, "\(writeIDs.count) write ids for \(rows.rowCount) rows")
        precondition(rows.rowCount <= Self.maximumRowCount, "\(rows.rowCount) rows are more than a group may have")
        var encoder = OfflineRowEncoder(table: table, schema: schema)
        for row in rows.rowsByKey {
            try encoder.append(rows, row: row, sequence: rows.sequences[row], writeID: writeIDs[row])
        }
        try await connection.copyIn(
            encoder.copy, encoder.take(),
            then: ledgerRows(of: writes, actor: actor, incarnationID: start.incarnationID),
            timeout: Self.statementTimeout)
    }

    /// The last statement, so that its clock is the arrival of the writes.
    private func ledgerRows(of writes: [Write], actor: String, incarnationID: Int32) -> PostgresQuery {
        // In one order everywhere: of two groups with the same keys one waits for the other, and not each for the other.
        let ordered = writes.sorted { left, right in
            (left.idempotencyKey?.digest ?? []).lexicographicallyPrecedes(right.idempotencyKey?.digest ?? [])
        }
        let values = ordered.map { write -> PostgresQuery in
            let key = Self.literal(write.idempotencyKey?.digest)
            let request = Self.literal(write.idempotencyKey?.requestDigest)
            return """
                (\(literal: write.id), \(literal: Int64(incarnationID)), pg_current_xact_id(), clock_timestamp(),
                 \(literal: actor), \(literal: WriteRecord.Kind.push.rawValue), \(literal: view.id),
                 \(literal: Int64(version.generation)), \(literal: Int64(version.version)), \(query: key),
                 \(query: request), \(literal: write.rowCount), 0)
                """
        }
        return """
            INSERT INTO larder.write (write_id, incarnation_id, transaction_id, arrived_at, actor, kind,
                feature_view_id, generation, schema_version, idempotency_key, request_digest, rows_written,
                rows_withdrawn)
            VALUES \(query: values.joined(separator: ", "))
            """
    }

    private static func literal(_ bytes: [UInt8]?) -> PostgresQuery {
        bytes.map { "\(literal: $0)" as PostgresQuery } ?? "NULL"
    }
}
