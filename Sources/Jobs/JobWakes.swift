import Synchronization

/// Passes on within a worker that there is something to do.
final class JobWakes: Sendable {
    private struct State {
        var looks: [AsyncStream<Void>.Continuation] = []
        var heartbeats: [JobLease: AsyncStream<Void>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// One element now, and one each time it is worth looking for a job.
    func looks() -> AsyncStream<Void> {
        let (stream, continuation) = Self.makeStream()
        continuation.yield()
        state.withLock { $0.looks.append(continuation) }
        return stream
    }

    /// One element each time a heartbeat is due for a job under way.
    func heartbeats(_ lease: JobLease) -> AsyncStream<Void> {
        let (stream, continuation) = Self.makeStream()
        state.withLock { $0.heartbeats[lease] = continuation }
        return stream
    }

    func removeHeartbeats(_ lease: JobLease) {
        state.withLock { $0.heartbeats.removeValue(forKey: lease) }?.finish()
    }

    func look() {
        for continuation in state.withLock({ $0.looks }) { continuation.yield() }
    }

    func beat(_ lease: JobLease) {
        state.withLock { $0.heartbeats[lease] }?.yield()
    }

    func receive(_ message: JobChannel.Message) {
        switch message {
        case .queued: look()
        case .cancelRequested(let id):
            for (lease, continuation) in state.withLock({ $0.heartbeats }) where lease.jobID == id {
                continuation.yield()
            }
        }
    }

    /// What has not been taken up yet is one element.
    private static func makeStream() -> (AsyncStream<Void>, AsyncStream<Void>.Continuation) {
        AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }
}
