import FeatureModel
public import PostgresClient
public import Registry

/// What makes a write count once, as the ledger knows it.
public struct IdempotencyKey: Sendable, Hashable {
    /// A second write with the same one into the same target is refused by a unique index.
    public let digest: [UInt8]
    /// Of what the write asks for, which tells it from another one with the same key. Nil where the key tells that
    /// itself.
    public let requestDigest: [UInt8]?

    public init(digest: [UInt8], requestDigest: [UInt8]?) {
        self.digest = digest
        self.requestDigest = requestDigest
    }
}

/// What one committed batch is recorded as.
public struct WriteRecord: Sendable {
    public enum Kind: String, Sendable {
        case ingest
        case materialize
        case push
        case erase
    }

    public enum Target: Sendable {
        case source(Int64)
        case featureView(Int64, generation: Int32)
    }

    public let kind: Kind
    public let target: Target
    public let actor: String
    public let schemaVersion: Int32
    public let idempotencyKey: IdempotencyKey?

    public init(
        kind: Kind, target: Target, actor: String, schemaVersion: Int32, idempotencyKey: IdempotencyKey? = nil
    ) {
        self.kind = kind
        self.target = target
        self.actor = actor
        self.schemaVersion = schemaVersion
        self.idempotencyKey = idempotencyKey
    }
}

/// The ledger of writes: `larder.write`.
public enum WriteLedger {
    /// Reserves the id that the batch's rows carry.
    public static func reserveWriteID(on connection: PostgresConnection) async throws -> Int64 {
        let rows = try await connection.query("SELECT nextval('larder.write_id') AS id")
        guard let row = rows.first else { throw PostgresError(.decoding, "nextval gave no row") }
        return try row.decode("id", as: Int64.self)
    }

    /// Inserts the ledger row: the write's last statement, so that its clock is the write's arrival.
    public static func record(
        _ write: WriteRecord, id: Int64, incarnation: Incarnation, rowsWritten: Int64, rowsWithdrawn: Int64,
        on connection: PostgresConnection
    ) async throws {
        var sourceID: Int64?
        var viewID: Int64?
        var generation: Int32?
        switch write.target {
        case .source(let id): sourceID = id
        case .featureView(let id, let number): (viewID, generation) = (id, number)
        }
        try await connection.execute(
            """
            INSERT INTO larder.write (write_id, incarnation_id, transaction_id, arrived_at, actor, kind, source_id,
                feature_view_id, generation, schema_version, idempotency_key, request_digest, rows_written,
                rows_withdrawn)
            VALUES (\(id), \(incarnation.id), pg_current_xact_id(), clock_timestamp(), \(write.actor),
                \(write.kind.rawValue), \(sourceID), \(viewID), \(generation), \(write.schemaVersion),
                \(write.idempotencyKey?.digest), \(write.idempotencyKey?.requestDigest), \(rowsWritten),
                \(rowsWithdrawn))
            """)
    }
}

extension WriteLedger {
    /// The unique indexes that refuse a second write with the same idempotency key: of sources and of feature views.
    public static let idempotencyConstraints: Set<String> = ["write_idempotency", "write_view_idempotency"]

    /// A write that carries an idempotency key.
    public struct KeyedWrite: Sendable {
        public let id: Int64
        /// Nil where the key tells itself what was asked for, and in writes from before the ledger kept it.
        public let requestDigest: [UInt8]?
    }

    /// The write into a source or a generation that carries an idempotency key; nil when there is none.
    public static func write(
        into target: WriteRecord.Target, withKey digest: [UInt8], on connection: PostgresConnection
    ) async throws -> KeyedWrite? {
        let isTarget: PostgresQuery =
            switch target {
            case .source(let id): "source_id = \(id)"
            case .featureView(let id, let generation): "feature_view_id = \(id) AND generation = \(generation)"
            }
        let rows = try await connection.query(
            """
            SELECT write_id, request_digest FROM larder.write
            WHERE \(query: isTarget) AND idempotency_key = \(digest)
            """)
        guard let row = rows.first else { return nil }
        return KeyedWrite(
            id: try row.decode("write_id", as: Int64.self),
            requestDigest: try row.decode("request_digest", as: [UInt8]?.self))
    }
}

extension WriteLedger {
    /// Selects the ids of writes into a generation that committed since a snapshot. Those of another incarnation than the
    /// snapshot's are not told apart.
    static func writes(into table: OfflineTable, since snapshot: String, _ incarnation: Incarnation) -> PostgresQuery {
        """
        SELECT l.write_id FROM larder.write l
        WHERE l.feature_view_id = \(literal: table.featureViewID) AND l.generation = \(literal: Int64(table.generation))
          AND l.incarnation_id = \(literal: Int64(incarnation.id))
          AND NOT pg_visible_in_snapshot(l.transaction_id, \(literal: snapshot)::pg_snapshot)
        """
    }

    /// How many rows have been written to a target since a snapshot; all of them without one.
    public static func rowsWritten(
        to target: WriteRecord.Target, since snapshot: String?, of incarnation: Incarnation,
        on connection: PostgresConnection
    ) async throws -> Int64 {
        var conditions: [PostgresQuery] =
            switch target {
            case .source(let id): ["l.source_id = \(id)"]
            case .featureView(let id, let generation):
                ["l.feature_view_id = \(id)", "l.generation = \(generation)"]
            }
        if let snapshot {
            conditions.append(
                """
                l.incarnation_id = \(incarnation.id) AND NOT pg_visible_in_snapshot(l.transaction_id, \(snapshot)::text::pg_snapshot)
                """)
        }
        return try await connection.query(
            """
            SELECT coalesce(sum(l.rows_written), 0)::bigint AS rows FROM larder.write l
            WHERE \(query: conditions.joined(separator: " AND "))
            """
        ).onlyValue(as: Int64.self)
    }
}
