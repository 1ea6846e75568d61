import FeatureDefinitions
public import FeatureModel
public import Logging
public import PostgresClient
public import Registry
import Synchronization

/// Holds the snapshot that a server answers from and keeps it current: at once by `NOTIFY`, and by looking every few
/// seconds should one be lost. While PostgreSQL is away the last snapshot stays.
public final class ServingSnapshotStore: Sendable {
    /// How the store stands with PostgreSQL.
    public struct Health: Sendable {
        /// Whether a snapshot was ever read.
        public fileprivate(set) var hasSnapshot = false
        /// Why PostgreSQL could not be read at the last attempt; nil when it could.
        public fileprivate(set) var failure: LarderError?
        /// How far PostgreSQL's clock is ahead of this machine's, in microseconds.
        public fileprivate(set) var clockSkewMicroseconds: Int64 = 0
        /// Names of migrations that the database lacks.
        public fileprivate(set) var pendingMigrations: [String] = []
    }

    private struct State {
        var snapshot: ServingSnapshot?
        var health = Health()
        /// Since when PostgreSQL could not be read; nil while it can.
        var failingSince: ContinuousClock.Instant?
    }

    private let configuration: PostgresConfiguration?
    private let migrator: Migrator?
    private let pollInterval: Duration
    private let logger: Logger
    private let state: Mutex<State>
    private let changes = Atomic<Int>(0)

    /// - Parameters:
    ///   - configuration: for a connection of its own.
    ///   - migrator: to tell whether the database lacks migrations; nil does not look.
    ///   - pollInterval: between looks when no notification comes. Defaults to `3` seconds.
    public init(
        configuration: PostgresConfiguration, migrator: Migrator?, pollInterval: Duration = .seconds(3), logger: Logger
    ) {
        var configuration = configuration
        configuration.statementTimeout = configuration.statementTimeout ?? .seconds(10)
        self.configuration = configuration
        self.migrator = migrator
        self.pollInterval = pollInterval
        self.logger = logger
        state = Mutex(State())
    }

    /// A store whose snapshot never changes.
    public init(fixed snapshot: ServingSnapshot) {
        configuration = nil
        migrator = nil
        pollInterval = .seconds(3)
        logger = Logger(label: "larder.serving")
        state = Mutex(State())
        publish(snapshot)
    }

    public var health: Health { state.withLock { $0.health } }

    /// Another number after each change of the snapshot: a look that costs nothing, for who keeps what was current.
    public var version: Int { changes.load(ordering: .acquiring) }

    /// - Throws: `not_ready` before the first snapshot.
    public func current() throws(LarderError) -> ServingSnapshot {
        let (snapshot, failure) = state.withLock { ($0.snapshot, $0.health.failure) }
        if let snapshot { return snapshot }
        throw LarderError(
            .notReady,
            failure.map { "the registry has not been read yet: \($0.message)" }
                ?? "the registry has not been read yet",
            hint: failure?.hint ?? "try again in a moment")
    }

    /// Returns when there is a snapshot, or the task is cancelled.
    public func waitForFirstSnapshot() async {
        while !Task.isCancelled, !health.hasSnapshot {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Returns when there is a snapshot or it is known why there is none, or the task is cancelled.
    func waitForFirstAttempt() async {
        while !Task.isCancelled, !health.hasSnapshot, health.failure == nil {
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    // MARK: Keeping current

    /// Keeps the snapshot current until the task is cancelled.
    public func run() async {
        guard let configuration else { return }
        while !Task.isCancelled {
            do {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                do {
                    try await follow(connection)
                } catch {
                    note(error)
                }
                await connection.close()
            } catch {
                note(error)
            }
            // The pause keeps an outage from becoming a storm of attempts.
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Follows the registry until the connection breaks or the task is cancelled.
    private func follow(_ connection: PostgresConnection) async throws {
        // Listening comes first: what is announced after the first reading is not missed.
        let notifications = await connection.notifications()
        try await connection.execute("LISTEN \(identifier: RegistryStore.channel)")
        try await lookForMigrations(on: connection)
        let (looks, trigger) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        trigger.yield()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in notifications { trigger.yield() }
                trigger.finish()
            }
            group.addTask { [pollInterval] in
                while true {
                    try await Task.sleep(for: pollInterval)
                    trigger.yield()
                }
            }
            defer { group.cancelAll() }
            var last: ServingSnapshotReader.Fingerprint?
            for await _ in looks { last = try await refresh(connection, since: last) }
        }
        if !Task.isCancelled { throw PostgresError(.connectionLost, "the connection was lost") }
    }

    private func refresh(
        _ connection: PostgresConnection, since last: ServingSnapshotReader.Fingerprint?
    ) async throws -> ServingSnapshotReader.Fingerprint {
        let reader = ServingSnapshotReader(connection)
        let (fingerprint, skew) = try await reader.look()
        let failingSince = state.withLock { state in
            state.health.clockSkewMicroseconds = skew
            state.health.failure = nil
            defer { state.failingSince = nil }
            return state.failingSince
        }
        if let failingSince {
            logger.notice("PostgreSQL is back", metadata: ["away_ms": "\(failingSince.millisecondsAgo)"])
        }
        if fingerprint != last {
            if last != nil { try await lookForMigrations(on: connection) }
            // A change after the look only makes the snapshot newer than its fingerprint, and the next look read again.
            let snapshot = try await reader.read()
            publish(snapshot)
            let revisions = snapshot.projects.values.map { "\($0.project.name):\($0.project.revision)" }.sorted()
            logger.info("read the registry", metadata: ["revisions": "\(revisions.joined(separator: ","))"])
        }
        return fingerprint
    }

    /// - Throws: `migration_refused` before the first snapshot: a server that has been overtaken by migrations goes on, and none
    ///   begins.
    private func lookForMigrations(on connection: PostgresConnection) async throws {
        var pending: [MigrationFile] = []
        do {
            pending = try await migrator?.pending(on: connection) ?? []
        } catch let error as LarderError where error.code == .migrationRefused && health.hasSnapshot {
            logger.warning("goes on with a database that it does not know", metadata: ["error": "\(error)"])
        }
        let names = pending.map(\.name)
        state.withLock { $0.health.pendingMigrations = names }
    }

    private func publish(_ snapshot: ServingSnapshot) {
        state.withLock { state in
            state.snapshot = snapshot
            state.health.hasSnapshot = true
        }
        changes.add(1, ordering: .releasing)
    }

    private func note(_ error: any Error) {
        guard !Task.isCancelled else { return }
        let failure = LarderError(translating: error)
        let isNews = state.withLock { state in
            state.failingSince = state.failingSince ?? .now
            defer { state.health.failure = failure }
            return state.health.failure?.code != failure.code
        }
        // The first of a row is news; the rest are the same news.
        logger.log(level: isNews ? .warning : .debug, "could not read the registry", metadata: ["error": "\(failure)"])
    }
}
