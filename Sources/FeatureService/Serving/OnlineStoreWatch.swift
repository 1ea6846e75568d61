import FeatureDefinitions
import FeatureModel
import Jobs
import Logging
import OnlineStore
import PostgresClient
import Registry

/// Looks every moment whether Redis holds what was published, says when it does not and when it does again, and has one that
/// lost its data filled again, by a job.
///
/// Any number of servers may look at once, they queue one job.
public struct OnlineStoreWatch: Sendable {
    private static let interval: Duration = .milliseconds(500)

    private let snapshots: ServingSnapshotStore
    private let stores: Stores
    private let clock: ServingClock
    private let fills: Bool

    /// - Parameter fills: whether a job is queued; otherwise that is left to whoever runs `larder materialize`.
    public init(snapshots: ServingSnapshotStore, stores: Stores, clock: ServingClock, fills: Bool = true) {
        self.snapshots = snapshots
        self.stores = stores
        self.clock = clock
        self.fills = fills
    }

    /// What was seen so far, by project where it is of one.
    private struct Memory {
        var sightings: [Int64: OnlineStoreSightings] = [:]
        /// Since when Redis does not hold what was published.
        var missingSince: [Int64: ContinuousClock.Instant] = [:]
        /// Of which views were left behind by a promotion or a restore of PostgreSQL.
        var leftBehind: Set<Int64> = []
        var obstacle: (code: ErrorCode, since: ContinuousClock.Instant)?
    }

    /// Looks until the task is cancelled.
    public func run() async {
        var memory = Memory()
        while !Task.isCancelled {
            let obstacle = await look(&memory)
            if !Task.isCancelled { note(obstacle, &memory) }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func note(_ obstacle: LarderError?, _ memory: inout Memory) {
        guard let obstacle else {
            if let since = memory.obstacle?.since {
                stores.logger.notice(
                    "sees again whether Redis holds what was published",
                    metadata: ["away_ms": "\(since.millisecondsAgo)"])
            }
            memory.obstacle = nil
            return
        }
        // The first of a row is news; the rest are the same news.
        stores.logger.log(
            level: obstacle.code == memory.obstacle?.code ? .debug : .warning,
            "could not see whether Redis holds what was published", metadata: ["error": "\(obstacle)"])
        memory.obstacle = (obstacle.code, memory.obstacle?.since ?? .now)
    }

    /// - Returns: what was in the way, of one project at least.
    private func look(_ memory: inout Memory) async -> LarderError? {
        var obstacle: LarderError?
        let snapshot = try? snapshots.current()
        for served in snapshot.map({ Array($0.projects.values) }) ?? [] {
            guard let expected = served.onlineState else { continue }
            do {
                if try await holds(expected, of: served) {
                    noteHeld(expected, of: served.project, &memory)
                    try await lookBehind(served, &memory)
                } else {
                    try await lookCloser(served.project, &memory)
                }
            } catch {
                obstacle = LarderError(translating: error)
            }
        }
        return obstacle
    }

    /// What this server knows, which may be a moment old, is enough to see that nothing is wrong. Where it does not fill Redis,
    /// it looks no further than whether it is the same Redis.
    private func holds(_ expected: OnlineStoreState, of served: ServedProject) async throws -> Bool {
        let control = OnlineStoreControl(redis: stores.redis, installation: served.installation)
        guard fills else { return try control.runID() == expected.redisRunID }
        let sentinel = try await control.sentinel(ofProject: served.project.id)
        return try sentinel == OnlineSentinel(expected) && control.runID() == expected.redisRunID
    }

    private func noteHeld(_ state: OnlineStoreState, of project: RegisteredProject, _ memory: inout Memory) {
        memory.sightings[project.id, default: OnlineStoreSightings()].noteHeld(state)
        guard let since = memory.missingSince.removeValue(forKey: project.id) else { return }
        stores.logger.notice(
            "Redis holds what was published again",
            metadata: ["project": "\(project.name)", "away_ms": "\(since.millisecondsAgo)"])
    }

    /// Has views published again that PostgreSQL has left behind.
    private func lookBehind(_ served: ServedProject, _ memory: inout Memory) async throws {
        let project = served.project
        guard !served.viewsLeftBehind.isEmpty else {
            if memory.leftBehind.remove(project.id) != nil {
                stores.logger.notice(
                    "all feature views are published again", metadata: ["project": "\(project.name)"])
            }
            return
        }
        if memory.leftBehind.insert(project.id).inserted {
            stores.logger.warning(
                """
                PostgreSQL was promoted or restored since these feature views were published; they are not read until they \
                are published again
                """,
                metadata: [
                    "project": "\(project.name)", "feature_views": "\(served.viewsLeftBehind.joined(separator: ", "))",
                ])
        }
        guard fills else { return }
        let job = try await stores.writer.withConnection { connection in
            try await enqueueRefill(
                after: .ofIncarnation(now: try await Incarnation.current(on: connection)), of: project, on: connection)
        }
        guard let job else { return }
        stores.logger.notice(
            "feature views are published again", metadata: ["project": "\(project.name)", "job": "\(job.id)"])
    }

    private struct Absence {
        let expected: OnlineStoreState
        let publishedEndpoint: String?
        let comparison: OnlineStoreComparison
        /// What fills Redis, where this server was the first to ask.
        let job: Job?
    }

    private func lookCloser(_ project: RegisteredProject, _ memory: inout Memory) async throws {
        guard let absence = try await absence(of: project) else { return }
        if memory.missingSince[project.id] == nil {
            memory.missingSince[project.id] = .now
            stores.logger.warning(
                "Redis does not hold what was published", metadata: ["project": "\(project.name)"])
        }
        let verdict = memory.sightings[project.id, default: OnlineStoreSightings()].judge(
            absence.expected, publishedEndpoint: absence.publishedEndpoint, sentinel: absence.comparison.sentinel,
            runID: absence.comparison.runID, endpoint: absence.comparison.control.endpoint, now: .now)
        if let verdict { tell(verdict, absence, of: project) }
        guard let job = absence.job else { return }
        stores.logger.notice(
            "Redis is filled again",
            metadata: ["project": "\(project.name)", "job": "\(job.id)"])
    }

    private func absence(of project: RegisteredProject) async throws -> Absence? {
        try await stores.writer.withConnection { connection -> Absence? in
            let found = try await OnlineStoreComparison(project, redis: stores.redis, on: connection)
            guard let expected = found.expected, !found.isCurrent else { return nil }
            var job: Job?
            if fills {
                job = try await enqueueRefill(
                    after: .ofRedis(onlineIncarnation: expected.onlineIncarnation), of: project, on: connection)
            }
            // For people only: a database that has not been migrated yet lacks it.
            let endpoint = try? await KeySpaceStore().redisEndpoint(ofProject: project.id, on: connection)
            return Absence(expected: expected, publishedEndpoint: endpoint, comparison: found, job: job)
        }
    }

    private func enqueueRefill(
        after loss: MaterializeJobs.OnlineLoss, of project: RegisteredProject, on connection: PostgresConnection
    ) async throws -> Job? {
        let end: Timestamp? =
            if case .fixed(let time) = clock {
                time.advanced(byMicroseconds: OnlineReader.maximumClockSkewMicroseconds)
            } else {
                nil
            }
        return try await MaterializeJobs(stores: stores).enqueueRefill(
            after: loss, through: end, in: project, on: connection)
    }

    /// Says that there are two Redis, where there are: nothing else names them both.
    private func tell(_ verdict: OnlineStoreSightings.Verdict, _ absence: Absence, of project: RegisteredProject) {
        var metadata: Logger.Metadata = [
            "project": "\(project.name)", "redis": "\(absence.comparison.control.endpoint)",
            "run_id": "\(absence.comparison.runID)", "other_redis": "\(absence.publishedEndpoint ?? "unknown")",
            "other_run_id": "\(absence.expected.redisRunID)",
        ]
        switch verdict {
        case .lost: break
        case .elsewhere:
            stores.logger.warning(
                """
                the data was published to a Redis of another address than this server's; if that one is still in use, \
                servers have different settings of LARDER_REDIS_URL and take the data from each other
                """, metadata: metadata)
        case .taken:
            stores.logger.warning(
                """
                the data was published to another Redis than this server's, which has not been restarted: a server \
                or a command has another setting of LARDER_REDIS_URL
                """, metadata: metadata)
        case .contested(let times):
            metadata["times"] = "\(times)"
            stores.logger.error(
                """
                two Redis take turns as the online store: servers or commands have different settings of \
                LARDER_REDIS_URL, and fill one after the other for ever
                """, metadata: metadata)
        }
    }
}

extension ContinuousClock.Instant {
    /// How long ago it was, for logs.
    var millisecondsAgo: Int64 { Int64((ContinuousClock.now - self) / .milliseconds(1)) }
}
