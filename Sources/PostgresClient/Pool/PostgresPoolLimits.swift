internal import ConnectionPooling

/// The bounds of a `PostgresPool`.
public struct PostgresPoolLimits: Sendable, Hashable {
    /// How many connections may exist. Defaults to 8.
    public var maximumConnections = 8
    /// How many callers may wait for a connection; one more fails with `poolExhausted`. Defaults to 256.
    public var maximumWaiters = 256
    /// How long a caller waits for a connection before it fails with `poolDeadline`. Defaults to 10 seconds.
    public var leaseDeadline: Duration = .seconds(10)
    /// How long a connection may go unused before it is closed. Defaults to 60 seconds.
    public var idleTimeout: Duration = .seconds(60)
    /// After how many failed connects in a row callers fail with `poolUnavailable` at once. Defaults to 3.
    public var breakerThreshold = 3
    /// How long they do so before one connect is tried again. Defaults to 5 seconds.
    public var breakerCooldown: Duration = .seconds(5)
    /// The pause before a failed connect is tried again; it doubles each time. Defaults to 100 milliseconds.
    public var retryDelay: Duration = .milliseconds(100)

    public init() {}

    var poolLimits: PoolLimits {
        PoolLimits(
            maximumConnections: maximumConnections, maximumWaiters: maximumWaiters, leaseDeadline: leaseDeadline,
            idleTimeout: idleTimeout, breakerThreshold: breakerThreshold, breakerCooldown: breakerCooldown,
            retryDelay: retryDelay)
    }
}

/// How a pool stands, for gauges and health checks.
public struct PostgresPoolStatistics: Sendable, Hashable {
    /// How many callers have got no connection since the pool began, by what they were told.
    public struct Refusals: Sendable, Hashable {
        /// `poolExhausted`.
        public var queueFull = 0
        /// `poolDeadline`.
        public var deadline = 0
        /// `poolUnavailable`.
        public var unavailable = 0

        public init(queueFull: Int = 0, deadline: Int = 0, unavailable: Int = 0) {
            self.queueFull = queueFull
            self.deadline = deadline
            self.unavailable = unavailable
        }
    }

    /// How many connections may exist.
    public var maximumConnections: Int
    public var idleConnections: Int
    public var leasedConnections: Int
    /// Being opened, or waiting to be tried again.
    public var connectingConnections: Int
    public var waitingCallers: Int
    public var refusedCallers: Refusals
    /// Whether connecting has failed repeatedly and is on hold.
    public var isBreakerOpen: Bool
}
