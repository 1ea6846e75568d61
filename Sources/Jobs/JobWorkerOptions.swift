import FeatureModel

/// How a worker works.
public struct JobWorkerOptions: Sendable {
    /// Who the worker is, to people: shown with its jobs. It need not be unique.
    public var name: String
    public var kinds: Set<JobKind>
    /// Whether only jobs are done that a need has queued (`JobStore.enqueueOnce`). Defaults to false.
    public var onlyKeyed = false
    /// How many jobs are done at a time. Defaults to 1.
    public var concurrency = 1
    /// How long a job may be without a heartbeat before others take it over; they come every third of it. Defaults to 15
    /// seconds.
    public var lease: Duration = .seconds(15)
    /// How often to look for jobs that no announcement told of. Defaults to 5 seconds.
    public var pollInterval: Duration = .seconds(5)
    /// How often jobs that have been kept long enough are removed. Defaults to 10 minutes.
    public var sweepInterval: Duration = .seconds(600)
    /// How long a job waits whose first attempt failed because a server was away; after each further one twice as long.
    /// Defaults to 1 second.
    public var firstRetryPause: Duration = .seconds(1)
    /// What those pauses grow to. Defaults to 60 seconds.
    public var longestRetryPause: Duration = .seconds(60)
    /// How long the end of a job may take to be written while the worker shuts down. Defaults to 5 seconds.
    public var shutdownGrace: Duration = .seconds(5)

    public init(name: String, kinds: Set<JobKind>) {
        self.name = name
        self.kinds = kinds
    }

    /// How long a job waits after an attempt that failed for a passing reason. A random part, up to a fifth, is taken
    /// off, so that jobs that failed together do not come back together.
    ///
    /// - Parameter attempt: which attempt failed, from 1.
    public func retryPause(afterAttempt attempt: Int32) -> Duration {
        // As many doublings lead from a millisecond to more than a minute.
        let doublings = Int(min(max(0, attempt - 1), 16))
        let pause = min(firstRetryPause * (1 << doublings), longestRetryPause)
        return pause * Double.random(in: 0.8...1)
    }
}
