import FeatureDefinitions
import FeatureModel
import Metrics
import OnlineStore
public import RedisClient

/// Whether a server can serve, one check for each thing it needs.
public struct ServingReadiness: Sendable {
    public struct Check: Sendable, Equatable {
        public let name: String
        public let isPassed: Bool
        /// What was found, or what is wrong and would help.
        public let detail: String
    }

    private let snapshots: ServingSnapshotStore
    private let redis: RedisClient
    private let clock: ServingClock

    public init(snapshots: ServingSnapshotStore, redis: RedisClient, clock: ServingClock) {
        self.snapshots = snapshots
        self.redis = redis
        self.clock = clock
    }

    /// All checks, in a fixed order. The server is ready when each is passed.
    public func check() async -> [Check] {
        let health = snapshots.health
        var checks = [registry(health), migrations(health), clockSkew(health)]
        checks += await onlineStore()
        return checks
    }

    /// Brings the metrics that tell whether online reads are answered now up to date; call it before they are read.
    public func record() async {
        guard let snapshot = try? snapshots.current() else { return }
        var isAway = false
        for served in snapshot.projects.values {
            guard let plan = served.readPlan([]) else { continue }
            var isUsable = false
            // A Redis that does not answer for one project is not waited for again.
            if !isAway {
                do throws(LarderError) {
                    try await OnlineReader(redis: redis).check(plan)
                    isUsable = served.viewsLeftBehind.isEmpty
                } catch {
                    isAway = error.code == .onlineStoreUnavailable
                }
            }
            Gauge(label: "larder_online_store_usable", dimensions: [("project", served.project.name)])
                .record(isUsable ? 1 : 0)
        }
    }

    /// Returns when reads can be answered, or it shows that something is away which they need; at the latest after `patience`.
    ///
    /// Until then a server that took requests would refuse what another one, which is about to stop, can answer.
    public func waitForFirstAttempts(within patience: Duration = .seconds(5)) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await snapshots.waitForFirstAttempt()
                try? await redis.waitUntilConnected()
            }
            group.addTask { try? await Task.sleep(for: patience) }
            _ = await group.next()
            group.cancelAll()
        }
    }

    private func registry(_ health: ServingSnapshotStore.Health) -> Check {
        switch (health.hasSnapshot, health.failure) {
        case (true, nil): Check(name: "registry", isPassed: true, detail: "current")
        case (true, .some(let failure)):
            Check(name: "registry", isPassed: true, detail: "serving the last known revision: \(failure.message)")
        case (false, let failure):
            Check(name: "registry", isPassed: false, detail: failure?.message ?? "not read yet")
        }
    }

    private func migrations(_ health: ServingSnapshotStore.Health) -> Check {
        guard health.hasSnapshot else { return Check(name: "migrations", isPassed: false, detail: "not known yet") }
        return health.pendingMigrations.isEmpty
            ? Check(name: "migrations", isPassed: true, detail: "none pending")
            : Check(
                name: "migrations", isPassed: false,
                detail: "pending: \(health.pendingMigrations.joined(separator: ", ")); run larder migrate")
    }

    private func clockSkew(_ health: ServingSnapshotStore.Health) -> Check {
        guard clock == .system else { return Check(name: "clock", isPassed: true, detail: "fixed at \(clock.now)") }
        guard health.hasSnapshot else { return Check(name: "clock", isPassed: false, detail: "not known yet") }
        let skew = health.clockSkewMicroseconds
        return Check(
            name: "clock", isPassed: skew.magnitude <= OnlineReader.maximumClockSkewMicroseconds.magnitude,
            detail: "PostgreSQL's clock is \(abs(skew) / 1_000) ms \(skew < 0 ? "behind" : "ahead")")
    }

    private func onlineStore() async -> [Check] {
        var checks: [Check] = []
        let policy: String?
        do {
            policy = try await OnlineStoreControl.maxmemoryPolicy(of: redis)
            checks.append(Check(name: "redis", isPassed: true, detail: "reachable"))
        } catch {
            return [Check(name: "redis", isPassed: false, detail: error.message)]
        }
        checks.append(
            Check(
                name: "maxmemory_policy", isPassed: policy == nil || policy == "noeviction",
                detail: policy.map { $0 == "noeviction" ? $0 : "\($0); set maxmemory-policy noeviction" }
                    ?? "this login may not ask"))
        guard let snapshot = try? snapshots.current() else { return checks }
        for served in snapshot.projects.values.sorted(by: { $0.project.name < $1.project.name }) {
            checks.append(await sentinel(of: served))
        }
        return checks
    }

    private func sentinel(of served: ServedProject) async -> Check {
        let name = "online_data:\(served.project.name)"
        guard let plan = served.readPlan([]) else { return Check(name: name, isPassed: true, detail: "not published") }
        do throws(LarderError) {
            try await OnlineReader(redis: redis).check(plan)
            guard served.viewsLeftBehind.isEmpty else { throw .leftBehind(served.viewsLeftBehind) }
            return Check(name: name, isPassed: true, detail: "as published")
        } catch {
            return Check(name: name, isPassed: false, detail: error.message)
        }
    }
}
