import FeatureModel
import Logging
import PostgresClient

/// One attempt at one job by a worker.
struct JobRun {
    let worker: JobWorker
    let job: ClaimedJob

    private enum Event: Sendable {
        case handled(Result<String, any Error>)
        case stopped(Stop?)
    }

    /// Why the work was stopped before it was done.
    enum Stop: Sendable {
        case cancelRequested
        case leaseLost
    }

    private static let heartbeatsPerLease = 3

    func perform() async -> JobOutcome {
        let began = ContinuousClock.now
        let progress = JobProgress()
        JobMetrics.countBegun(job.kind)
        worker.logger.info(
            "began a job",
            metadata: ["job": "\(job.id)", "kind": "\(job.kind)", "attempt": "\(job.attempt)"])
        let (result, stop) = await work(progress)
        let isShuttingDown = Task.isCancelled
        let settlement = JobSettlement(worker: worker, job: job, progress: progress.snapshot)
        // In a task of its own: how the job ended is written also when this one has been cancelled.
        let outcome = await Task { await settlement.settle(result, stop, isShuttingDown: isShuttingDown) }.value
        JobMetrics.countEnded(job.kind, outcome, after: ContinuousClock.now - began)
        return outcome
    }

    /// Runs the handler while the lease is kept.
    private func work(_ progress: JobProgress) async -> (Result<String, any Error>, Stop?) {
        let heartbeats = worker.wakes.heartbeats(job.lease)
        defer { worker.wakes.removeHeartbeats(job.lease) }
        return await withTaskGroup(of: Event.self) { group in
            group.addTask {
                do {
                    return .handled(.success(try await worker.handler(job, progress)))
                } catch {
                    return .handled(.failure(error))
                }
            }
            group.addTask { .stopped(await keepLease(progress, heartbeats)) }
            group.addTask {
                let interval = worker.options.lease / Self.heartbeatsPerLease
                while (try? await Task.sleep(for: interval)) != nil { worker.wakes.beat(job.lease) }
                return .stopped(nil)
            }
            var result: Result<String, any Error> = .failure(CancellationError())
            var stop: Stop?
            for await event in group {
                switch event {
                case .handled(let handled):
                    result = handled
                    group.cancelAll()
                case .stopped(let reason?):
                    stop = reason
                    group.cancelAll()
                case .stopped(nil): break
                }
            }
            return (result, stop)
        }
    }

    /// Renews the lease until there is a reason to stop; nil when cancelled.
    ///
    /// A lease whose time is over but that nobody took is renewed like any other: only the token decides.
    private func keepLease(_ progress: JobProgress, _ heartbeats: AsyncStream<Void>) async -> Stop? {
        for await _ in heartbeats {
            do {
                let isCancelRequested = try await worker.pool.withConnection { [worker, job] connection in
                    try await worker.store.heartbeat(
                        job.lease, progress.snapshot, for: worker.options.lease, on: connection)
                }
                if isCancelRequested { return .cancelRequested }
            } catch {
                if error.isLeaseLoss { return .leaseLost }
                worker.note("could not renew the lease of a job", error, job)
                try? await Task.sleep(for: min(.seconds(1), worker.options.lease / (2 * Self.heartbeatsPerLease)))
                worker.wakes.beat(job.lease)
            }
        }
        return nil
    }
}
