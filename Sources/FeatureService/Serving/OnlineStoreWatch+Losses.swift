import FeatureDefinitions
import FeatureModel
import Jobs
import Logging
import OnlineStore
import PostgresClient
import Registry

/// A Redis that does not hold what was published.
extension OnlineStoreWatch {
    private struct Absence {
        let expected: OnlineStoreState
        let publishedEndpoint: String?
        let comparison: OnlineStoreComparison
        /// What fills Redis, where this server was the first to ask.
        let job: Job?
    }

    func lookCloser(_ project: RegisteredProject, _ memory: inout Memory) async throws {
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
            "Redis is being filled again",
            metadata: ["project": "\(project.name)", "job": "\(job.id)"])
    }

    private func absence(of project: RegisteredProject) async throws -> Absence? {
        try await stores.writer.withConnection { connection -> Absence? in
            let found = try await OnlineStoreComparison(project, redis: stores.redis, on: connection)
            guard let expected = found.expected, !found.isCurrent else { return nil }
            if found.isEvicted { try await refuseReads(of: project, found) }
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

    /// What was evicted would be read as if it had never been.
    private func refuseReads(of project: RegisteredProject, _ found: OnlineStoreComparison) async throws {
        try await found.control.removeSentinel(ofProject: project.id)
        stores.logger.error(
            """
            Redis has evicted keys: reads are refused until everything is published again; set its maxmemory-policy to \
            noeviction, and maxmemory high enough
            """,
            metadata: [
                "project": "\(project.name)", "redis": "\(found.control.endpoint)",
                "evicted_keys": "\(found.evictedKeys ?? 0)",
            ])
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
