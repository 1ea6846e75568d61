/// Every bound of this module that is not a caller's setting, with its unit and reason.
enum Limits {
    /// How long a cancelled or overdue statement may take to wind down before the connection is given up. A server that
    /// is alive answers a cancel request within milliseconds.
    static let cancelGrace: Duration = .seconds(5)
    /// After what time a cancel request that had no effect is repeated.
    static let cancelRetryInterval: Duration = .milliseconds(250)
    /// How long a rollback may take. A rollback does little work in PostgreSQL; a slower one means a dead peer.
    static let rollbackDeadline: Duration = .seconds(15)
    /// How long a commit may take when no statement timeout is set: long enough for a synchronous standby to catch up.
    static let commitDeadline: Duration = .seconds(120)
    /// How much longer than the server's own statement timeout a client waits for the server to apply it.
    static let statementTimeoutMargin: Duration = .seconds(5)
    /// Cancel requests in flight in this process. `PQcancel` blocks and knows no deadline, so each takes a thread.
    static let concurrentCancelRequests = 16
    /// Notifications held for a consumer that does not keep up; older ones are dropped.
    static let bufferedNotifications = 1_024
    /// The size at which rows of a COPY are handed to the consumer, in bytes.
    static let copyChunkBytes = 256 * 1_024
    /// The most bytes given to libpq before they are flushed to the socket, which is what makes writing wait.
    static let copyWriteSliceBytes = 256 * 1_024
    /// NAMEDATALEN - 1: PostgreSQL cuts longer identifiers silently.
    static let identifierBytes = 63
    /// The protocol counts parameters in 16 bits.
    static let parameters = 65_535
    /// PostgreSQL refuses messages and values from 1 GiB on.
    static let parameterBytes = (1 << 30) - 1
    /// The stack of a connection's thread. Only this module's code runs there.
    static let threadStackBytes = 1 << 20
}
