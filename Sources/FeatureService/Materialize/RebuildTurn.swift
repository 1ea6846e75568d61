import FeatureDefinitions
import PostgresClient

/// Rebuilds of one project's online data take turns: a second one would fence the first off, and begin at nothing
/// again.
///
/// This is a courtesy: any login can take such a lock. Who has waited long enough goes on without it, and the fences
/// decide.
enum RebuildTurn {
    /// "reb1" in ASCII: what sets these locks apart from others.
    private static let lockClass: Int32 = 0x7265_6231
    private static let patience: Duration = .seconds(300)
    private static let pause: Duration = .milliseconds(100)

    /// Waits for the turn, which lasts until the connection goes back to its pool or breaks.
    static func take(in project: RegisteredProject, on connection: PostgresConnection) async throws {
        // A transaction that only holds a lock keeps no snapshot, and ends whatever becomes of this task.
        try await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
        let deadline = ContinuousClock.now + patience
        while try await !tryLock(project, connection), ContinuousClock.now < deadline {
            try await Task.sleep(for: pause)
        }
    }

    private static func tryLock(_ project: RegisteredProject, _ connection: PostgresConnection) async throws -> Bool {
        try await connection.query(
            "SELECT pg_try_advisory_xact_lock(\(lockClass), hashint8(\(project.id))) AS is_taken"
        ).onlyValue(as: Bool.self)
    }
}
