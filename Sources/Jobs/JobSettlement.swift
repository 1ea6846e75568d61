import FeatureModel
import Logging
import PostgresClient

/// Writes how an attempt ended, and tries again while PostgreSQL is away. Should it stay away, the lease runs out and the job
/// is taken over.
struct JobSettlement: Sendable {
    let worker: JobWorker
    let job: ClaimedJob
    let progress: JobProgress.Snapshot

    private static let firstPause: Duration = .milliseconds(50)
    private static let longestPause: Duration = .seconds(1)

    private var store: JobStore { worker.store }
    private var lease: JobLease { job.lease }

    func settle(
        _ result: Result<String, any Error>, _ stop: JobRun.Stop?, isShuttingDown: Bool
    ) async -> JobOutcome {
        let patience = isShuttingDown ? worker.options.shutdownGrace : worker.options.lease
        do {
            switch result {
            case _ where stop == .leaseLost: throw LarderError.leaseLost(lease)
            case .success(let result): return try await succeed(result, patience)
            case .failure(let error) where error.isLeaseLoss: throw error
            case .failure where stop == .cancelRequested:
                try await persist(patience) { try await store.endCancelled(lease, progress, on: $0) }
                log("cancelled a job")
                return .cancelled
            case .failure where isShuttingDown:
                try await persist(patience) { try await store.release(lease, on: $0) }
                log("gave a job back")
                return .released
            case .failure(let error) where error.isPassing && job.attempt < job.maximumAttempts:
                return try await postpone(error, patience)
            case .failure(let error): return try await fail(error, patience)
            }
        } catch {
            worker.note("the end of a job was not written", error, job)
            return .lost
        }
    }

    private func succeed(_ result: String, _ patience: Duration) async throws -> JobOutcome {
        do {
            try await persist(patience) { try await store.succeed(lease, result: result, progress, on: $0) }
            log("did a job")
            return .succeeded
        } catch let error where !error.isLeaseLoss && !error.isPassing {
            // PostgreSQL does not take the result.
            return try await fail(error, patience)
        }
    }

    private func postpone(_ error: any Error, _ patience: Duration) async throws -> JobOutcome {
        let pause = worker.options.retryPause(afterAttempt: job.attempt)
        let reason = worker.translate(error).message
        worker.logger.warning(
            "a job will be begun again",
            metadata: [
                "job": "\(job.id)", "attempt": "\(job.attempt)", "pause": "\(pause)", "error": "\(error)",
            ])
        try await persist(patience) { try await store.postpone(lease, by: pause, reason: reason, on: $0) }
        return .postponed(pause)
    }

    private func fail(_ error: any Error, _ patience: Duration) async throws -> JobOutcome {
        let failure = worker.translate(error)
        if failure.code == .internalError {
            worker.logger.error(
                "a job failed", metadata: ["job": "\(job.id)", "error": "\(String(reflecting: error))"])
        }
        try await persist(patience) { try await store.fail(lease, failure, progress, on: $0) }
        worker.logger.warning(
            "a job failed",
            metadata: ["job": "\(job.id)", "code": "\(failure.code)", "detail": "\(failure.message)"])
        return .failed
    }

    private func persist(
        _ patience: Duration, _ body: @Sendable (PostgresConnection) async throws -> Void
    ) async throws {
        let deadline = ContinuousClock.now + patience
        var pause = Self.firstPause
        while true {
            do {
                return try await worker.pool.withConnection { try await body($0) }
            } catch let error where error.isPassing && .now + pause < deadline {
                try await Task.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private func log(_ text: String) {
        worker.logger.info("\(text)", metadata: ["job": "\(job.id)"])
    }
}
