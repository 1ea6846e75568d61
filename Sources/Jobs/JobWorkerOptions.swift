import FeatureModel

/// How a worker works.
public struct JobWorkerOptions: Sendable {
    /// Who the worker is, to people: shown with its jobs. It need not be unique.
    public var name: String
    public var kinds: Set<JobKind>
    /// How many jobs are done at a time. Defaults to 1.
    public var concurrency = 1
    /// How long a job may be without a heartbeat before others take it over; they come every third of it. Defaults to 15
    /// seconds.
    public var lease: Duration = .seconds(15)
    /// How often to look for jobs that no announcement told of. Defaults to 5 seconds.
    public var pollInterval: Duration = .seconds(5)
    /// How often jobs that have been kept long enough are removed. Defaults to 10 minutes.
    public var sweepInterval: Duration = .seconds(600)
    /// The pause after an attempt that failed because a server was away, before another is begun. Defaults to 1 second.
    public var retryPause: Duration = .seconds(1)
    /// How long the end of a job may take to be written while the worker shuts down. Defaults to 5 seconds.
    public var shutdownGrace: Duration = .seconds(5)

    public init(name: String, kinds: Set<JobKind>) {
        self.name = name
        self.kinds = kinds
    }
}
