public import PostgresClient

/// How fast the stages of materialization were when they ran last: `larder.measured_rate`.
public enum MeasuredRate {
    /// Runs with fewer rows say more about their beginning and end than about a rate.
    private static let fewestRows: Int64 = 100

    /// Keeps the rate of a run, in place of the one before.
    public static func record(
        featureViewID: Int64, stage: MaterializationStage, rows: Int64, duration: Duration,
        on connection: PostgresConnection
    ) async throws {
        let seconds = duration / .seconds(1)
        guard rows >= fewestRows, seconds > 0 else { return }
        try await connection.execute(
            """
            INSERT INTO larder.measured_rate (feature_view_id, stage, rows, seconds, measured_at)
            VALUES (\(featureViewID), \(stage.rawValue), \(rows), \(seconds), clock_timestamp())
            ON CONFLICT (feature_view_id, stage) DO UPDATE SET
                rows = excluded.rows, seconds = excluded.seconds, measured_at = excluded.measured_at
            """)
    }

    /// Rows per second of the view's last run, or else of any view's.
    /// - Returns: nil when nothing has been measured yet.
    public static func last(
        featureViewID: Int64, stage: MaterializationStage, on connection: PostgresConnection
    ) async throws -> Double? {
        let rows = try await connection.query(
            """
            SELECT rows / seconds AS rate FROM larder.measured_rate WHERE stage = \(stage.rawValue)
            ORDER BY feature_view_id = \(featureViewID) DESC, measured_at DESC LIMIT 1
            """)
        return try rows.first?.decode("rate", as: Double.self)
    }
}
