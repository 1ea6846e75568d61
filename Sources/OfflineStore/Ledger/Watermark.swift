public import FeatureModel
public import PostgresClient
public import Registry

/// The two steps a view's rows take.
public enum MaterializationStage: String, Sendable {
    /// Raw to offline.
    case offline
    /// Offline to online.
    case online
}

/// How far a stage of a generation has come, by what had committed.
public struct Watermark: Sendable {
    /// Raised by every commit that moves it.
    public let run: Int64
    /// The text of a `pg_snapshot`; nil before the first unbounded run, or when it was taken under another incarnation.
    public let snapshot: String?
    public let horizon: Timestamp?
    /// Whether the next run has to compare with what is stored instead of appending to it.
    public let mustCompare: Bool
    /// The newest schema version whose features every stored row has.
    public let schemaVersion: Int32?
}

/// `larder.watermark`.
public enum WatermarkStore {
    /// The stage's watermark; a snapshot of another incarnation says nothing and reads as nil.
    public static func read(
        _ table: OfflineTable, stage: MaterializationStage, incarnation: Incarnation,
        on connection: PostgresConnection
    ) async throws -> Watermark {
        let rows = try await connection.query(
            """
            SELECT run, incarnation_id, snapshot::text AS snapshot, horizon, must_compare, schema_version
            FROM larder.watermark
            WHERE feature_view_id = \(table.featureViewID) AND generation = \(table.generation)
              AND stage = \(stage.rawValue)
            """)
        guard let row = rows.first else {
            return Watermark(run: 0, snapshot: nil, horizon: nil, mustCompare: false, schemaVersion: nil)
        }
        let found = try row.decode("incarnation_id", as: Int32?.self)
        let isOurs = found == incarnation.id
        return Watermark(
            run: try row.decode("run", as: Int64.self),
            snapshot: isOurs ? try row.decode("snapshot", as: String?.self) : nil,
            horizon: isOurs
                ? try row.decode("horizon", as: PostgresTimestamp?.self).map {
                    Timestamp(microsecondsSince1970: $0.microsecondsSince1970)
                } : nil,
            // Rows written under another incarnation are there, but not told apart by any transaction id.
            mustCompare: try row.decode("must_compare", as: Bool.self) || (found != nil && !isOurs),
            schemaVersion: try row.decode("schema_version", as: Int32?.self))
    }

    /// Has the next run of a view's stage begin anew, in every generation; a run under way loses.
    public static func forget(
        featureViewID: Int64, stage: MaterializationStage, on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            UPDATE larder.watermark SET run = run + 1, incarnation_id = NULL, snapshot = NULL, horizon = NULL,
                updated_at = clock_timestamp()
            WHERE feature_view_id = \(featureViewID) AND stage = \(stage.rawValue)
            """)
    }

    /// Keeps other runs of the stage waiting until the transaction ends.
    ///
    /// A row lock and no advisory one: those are open to every login, so that the SQL of a source could take them.
    static func lock(_ table: OfflineTable, stage: MaterializationStage, on connection: PostgresConnection) async throws
    {
        try await connection.execute(
            """
            INSERT INTO larder.watermark (feature_view_id, generation, stage, run, must_compare, updated_at)
            VALUES (\(table.featureViewID), \(table.generation), \(stage.rawValue), 0, false, clock_timestamp())
            ON CONFLICT DO NOTHING
            """)
        try await connection.execute(
            """
            SELECT FROM larder.watermark
            WHERE feature_view_id = \(table.featureViewID) AND generation = \(table.generation)
              AND stage = \(stage.rawValue)
            FOR UPDATE
            """)
    }

    /// Where a run ends up.
    public struct Position: Sendable {
        let snapshot: String?
        let horizon: Timestamp?
        let mustCompare: Bool
        let schemaVersion: Int32?
    }

    /// Moves the watermark from `previous`, inside the run's transaction.
    /// - Throws: `LarderError` `materialization_conflict` when another run moved it first; nothing is written then.
    static func move(
        _ table: OfflineTable, stage: MaterializationStage, from previous: Watermark, to position: Position,
        incarnation: Incarnation, on connection: PostgresConnection
    ) async throws {
        let incarnationID = position.snapshot == nil ? nil : incarnation.id
        let horizon = position.horizon.map { PostgresTimestamp(microsecondsSince1970: $0.microsecondsSince1970) }
        let changed = try await connection.execute(
            """
            INSERT INTO larder.watermark AS w (feature_view_id, generation, stage, run, incarnation_id, snapshot,
                horizon, must_compare, schema_version, updated_at)
            VALUES (\(table.featureViewID), \(table.generation), \(stage.rawValue), \(previous.run + 1),
                \(incarnationID), \(position.snapshot)::text::pg_snapshot, \(horizon), \(position.mustCompare),
                \(position.schemaVersion), clock_timestamp())
            ON CONFLICT (feature_view_id, generation, stage) DO UPDATE SET
                run = excluded.run, incarnation_id = excluded.incarnation_id, snapshot = excluded.snapshot,
                horizon = excluded.horizon, must_compare = excluded.must_compare,
                schema_version = excluded.schema_version, updated_at = excluded.updated_at
            WHERE w.run = \(previous.run)
            """)
        guard changed == 1 else {
            throw LarderError(
                .materializationConflict, "another materialization of this feature view committed first",
                hint: "run it again; nothing was written twice")
        }
    }
}
