public import FeatureModel
public import PostgresClient

/// Makes sure that what a read sees of a past time is all there will ever be.
///
/// A write takes its arrival from the clock in its last statement and commits after it, so a write with an arrival before the
/// time may not be visible yet. While it is not, it holds the lock that inserting into the ledger takes, which it
/// had before it looked at the clock and loses after its commit shows.
public enum AsOfSettlement {
    /// How long a write may take from its stamp to its commit.
    private static let patience: Duration = .seconds(5)
    private static let pause: Duration = .milliseconds(20)

    /// Returns once every write that arrived at `time` or before is visible to snapshots taken from now on.
    /// - Throws: `as_of_not_settled` when the time is ahead of PostgreSQL's clock, or a write hangs between stamp and commit.
    public static func wait(for time: Timestamp, on connection: PostgresConnection) async throws {
        let deadline = ContinuousClock.now + patience
        let bound = PostgresTimestamp(microsecondsSince1970: time.microsecondsSince1970)
        while let wait = try await connection.query(
            """
            SELECT CASE WHEN clock_timestamp() <= \(bound)
                THEN least(extract(epoch FROM \(bound) - clock_timestamp()), 1e9)::float8 END AS wait
            """
        ).onlyValue(as: Double?.self) {
            try await pause(
                until: .seconds(wait) > patience ? ContinuousClock.now : deadline,
                "\(time) lies ahead of PostgreSQL's clock", hint: "choose a time that is past")
        }
        let writers = try await connection.query(
            """
            SELECT coalesce(array_agg(DISTINCT l.virtualtransaction), '{}') AS writers FROM pg_locks l
            WHERE \(query: isLedgerLock)
            """
        ).onlyValue(as: [String].self)
        guard !writers.isEmpty else { return }
        while try await connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_locks l
                           WHERE \(query: isLedgerLock) AND l.virtualtransaction = ANY (\(writers))) AS is_open
            """
        ).onlyValue(as: Bool.self) {
            try await pause(
                until: deadline, "a write that may have arrived by \(time) has not committed yet",
                hint: "try again; pg_stat_activity shows what it waits for")
        }
    }

    private static var isLedgerLock: PostgresQuery {
        """
        l.locktype = 'relation' AND l.relation = 'larder.write'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
        """
    }

    private static func pause(
        until deadline: ContinuousClock.Instant, _ reason: String, hint: String
    ) async throws {
        guard ContinuousClock.now < deadline else {
            throw LarderError(.asOfNotSettled, "as_of is not settled: \(reason)", hint: hint)
        }
        try await Task.sleep(for: pause)
    }
}
