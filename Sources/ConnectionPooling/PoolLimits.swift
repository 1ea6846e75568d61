/// The bounds of a pool.
public struct PoolLimits: Sendable, Hashable {
    /// How many connections may exist, those being opened included.
    public var maximumConnections: Int
    /// How many callers may wait for a connection; one more is refused at once.
    public var maximumWaiters: Int
    /// How long a caller waits for a connection unless it says otherwise.
    public var leaseDeadline: Duration
    /// How long a connection may go unused before it is closed.
    public var idleTimeout: Duration
    /// After how many failed connects in a row the breaker opens: then callers fail at once instead of waiting.
    public var breakerThreshold: Int
    /// How long the breaker stays open before one connect is tried again.
    public var breakerCooldown: Duration
    /// The pause before a failed connect is tried again. It doubles with each failure in a row, up to the cooldown.
    public var retryDelay: Duration

    public init(
        maximumConnections: Int = 8, maximumWaiters: Int = 256, leaseDeadline: Duration = .seconds(10),
        idleTimeout: Duration = .seconds(60), breakerThreshold: Int = 3, breakerCooldown: Duration = .seconds(5),
        retryDelay: Duration = .milliseconds(100)
    ) {
        self.maximumConnections = max(1, maximumConnections)
        self.maximumWaiters = max(0, maximumWaiters)
        self.leaseDeadline = leaseDeadline
        self.idleTimeout = idleTimeout
        self.breakerThreshold = max(1, breakerThreshold)
        self.breakerCooldown = breakerCooldown
        self.retryDelay = retryDelay
    }
}
