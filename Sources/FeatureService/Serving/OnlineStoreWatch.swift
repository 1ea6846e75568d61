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

    // What the extensions use is not private.
    private let snapshots: ServingSnapshotStore
    let stores: Stores
    let clock: ServingClock
    let fills: Bool

    /// - Parameter fills: whether a job is queued; otherwise that is left to whoever runs `larder materialize`.
    public init(snapshots: ServingSnapshotStore, stores: Stores, clock: ServingClock, fills: Bool = true) {
        self.snapshots = snapshots
        self.stores = stores
        self.clock = clock
        self.fills = fills
    }

    /// What was seen so far, by project where it is of one.
    struct Memory {
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
                    try await publishPending(of: served)
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
    /// it looks no further than whether it is the same Redis, which has evicted nothing.
    private func holds(_ expected: OnlineStoreState, of served: ServedProject) async throws -> Bool {
        let control = OnlineStoreControl(redis: stores.redis, installation: served.installation)
        guard try control.runID() == expected.redisRunID,
            try await (control.evictedKeys() ?? 0) <= expected.evictedKeys
        else { return false }
        if !fills { return true }
        return try await control.sentinel(ofProject: served.project.id) == OnlineSentinel(expected)
    }

    private func noteHeld(_ state: OnlineStoreState, of project: RegisteredProject, _ memory: inout Memory) {
        memory.sightings[project.id, default: OnlineStoreSightings()].noteHeld(state)
        guard let since = memory.missingSince.removeValue(forKey: project.id) else { return }
        stores.logger.notice(
            "Redis holds what was published again",
            metadata: ["project": "\(project.name)", "away_ms": "\(since.millisecondsAgo)"])
    }
}

extension ContinuousClock.Instant {
    /// How long ago it was, for logs.
    var millisecondsAgo: Int64 { Int64((ContinuousClock.now - self) / .milliseconds(1)) }
}
