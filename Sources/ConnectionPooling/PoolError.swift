/// Why a pool did not lend a connection.
public enum PoolError: Error {
    /// Every connection is taken and the queue is full.
    case waitersExhausted(limit: Int)
    /// No connection came free in time.
    case leaseDeadlineExceeded
    /// Connecting failed, and no connection is left that could come free.
    case unavailable(any Error)
    /// The pool is shutting down, or has shut down.
    case shutDown
    /// The waiting task was cancelled.
    case cancelled
}
