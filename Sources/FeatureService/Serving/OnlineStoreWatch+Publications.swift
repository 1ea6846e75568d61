import FeatureDefinitions
import FeatureModel
import Jobs
import Logging
import OnlineStore
import PostgresClient
import Registry

/// What a watch has published, by jobs.
extension OnlineStoreWatch {
    /// Has views published again that PostgreSQL has left behind.
    func lookBehind(_ served: ServedProject, _ memory: inout Memory) async throws {
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
            "feature views are being published again", metadata: ["project": "\(project.name)", "job": "\(job.id)"])
    }

    /// Has pushed rows published that Redis did not take when they came.
    func publishPending(of served: ServedProject) async throws {
        let project = served.project
        guard fills, stores.pendingPublications.isAny(ofProject: project.id) else { return }
        let control = OnlineStoreControl(redis: stores.redis, installation: served.installation)
        guard try await control.takesWrites(ofProject: project.id) else { return }
        let known = Set(project.featureViews.filter { !$0.isRemoved && $0.isOnline }.map(\.name))
        let views = stores.pendingPublications.take(ofProject: project.id).intersection(known)
        if views.isEmpty { return }
        var job: Job?
        defer { if job == nil { stores.pendingPublications.add(views, ofProject: project.id) } }
        job = try await stores.writer.withConnection { connection in
            try await MaterializeJobs(stores: stores).enqueuePending(
                of: views.sorted(), through: end, in: project, on: connection)
        }
        guard let job else { return }
        stores.logger.notice(
            "pushed rows that waited are being published",
            metadata: [
                "project": "\(project.name)", "feature_views": "\(views.sorted().joined(separator: ", "))",
                "job": "\(job.id)",
            ])
    }

    func enqueueRefill(
        after loss: MaterializeJobs.OnlineLoss, of project: RegisteredProject, on connection: PostgresConnection
    ) async throws -> Job? {
        try await MaterializeJobs(stores: stores).enqueueRefill(
            after: loss, through: end, in: project, on: connection)
    }

    /// Through when jobs publish, for a clock that stands still; otherwise through now.
    private var end: Timestamp? {
        guard case .fixed(let time) = clock else { return nil }
        return time.advanced(byMicroseconds: OnlineReader.maximumClockSkewMicroseconds)
    }
}
