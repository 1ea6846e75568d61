import FeatureDefinitions
import FeatureModel
import Jobs
import Logging
import OnlineStore
import PostgresClient
import Registry

/// Has a Redis that lost its data filled again, by a job: looks every moment whether it holds what was published.
///
/// Any number of servers may look at once, they queue one job.
public struct OnlineStoreRefill: Sendable {
    private static let interval: Duration = .milliseconds(500)

    private let snapshots: ServingSnapshotStore
    private let stores: Stores
    private let clock: ServingClock

    public init(snapshots: ServingSnapshotStore, stores: Stores, clock: ServingClock) {
        self.snapshots = snapshots
        self.stores = stores
        self.clock = clock
    }

    /// Looks until the task is cancelled.
    public func run() async {
        var lastObstacle: ErrorCode?
        while !Task.isCancelled {
            let obstacle = await look()
            if let obstacle, !Task.isCancelled {
                // The first of a row is news; the rest are the same news.
                stores.logger.log(
                    level: obstacle.code == lastObstacle ? .debug : .warning,
                    "could not see whether Redis has to be filled again", metadata: ["error": "\(obstacle)"])
            }
            lastObstacle = obstacle?.code
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// - Returns: what was in the way, of one project at least.
    private func look() async -> LarderError? {
        var obstacle: LarderError?
        let snapshot = try? snapshots.current()
        for served in snapshot.map({ Array($0.projects.values) }) ?? [] {
            do {
                if try await !holdsWhatWasPublished(served) { try await refill(served) }
            } catch {
                obstacle = LarderError(translating: error)
            }
        }
        return obstacle
    }

    /// What this server knows, which may be a moment old, is enough to see that nothing is wrong.
    private func holdsWhatWasPublished(_ served: ServedProject) async throws -> Bool {
        guard let expected = served.onlineState else { return true }
        let control = OnlineStoreControl(redis: stores.redis, installation: served.installation)
        let sentinel = try await control.sentinel(ofProject: served.project.id)
        return try sentinel == OnlineSentinel(expected) && control.runID() == expected.redisRunID
    }

    private func refill(_ served: ServedProject) async throws {
        let project = served.project
        let end: Timestamp? =
            if case .fixed(let time) = clock {
                time.advanced(byMicroseconds: OnlineReader.maximumClockSkewMicroseconds)
            } else {
                nil
            }
        let job = try await stores.writer.withConnection { connection -> Job? in
            let found = try await OnlineStoreComparison(project, redis: stores.redis, on: connection)
            guard let expected = found.expected, !found.isCurrent else { return nil }
            return try await MaterializeJobs(stores: stores).enqueueRefill(
                of: expected.onlineIncarnation, through: end, in: project, on: connection)
        }
        guard let job else { return }
        stores.logger.notice(
            "Redis does not hold what was published, and is filled again",
            metadata: ["project": "\(project.name)", "job": "\(job.id)"])
    }
}
