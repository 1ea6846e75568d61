/// Where a Redis server is, who we are to it, and how long anything may take.
///
/// `description` shows the address and never the user or the password.
public struct RedisConfiguration: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Where the server listens.
    public enum Address: Sendable, Equatable {
        case tcp(host: String, port: Int)
        case unixSocket(path: String)
    }

    public let address: Address
    /// The number given to `SELECT`. Defaults to `0`.
    public let database: Int
    let credentials: Credentials?

    /// Shown by `CLIENT LIST`, in logs and in metrics. Printable ASCII without spaces. Defaults to `larder`.
    public var clientName = "larder"
    /// How long opening a connection and its handshake may take each. Defaults to `5` seconds.
    public var connectTimeout: Duration = .seconds(5)
    /// How long a command may wait for its reply, from being queued. Defaults to `5` seconds.
    public var commandTimeout: Duration = .seconds(5)
    /// A connection whose oldest command is older than this is taken for dead and closed. Should be larger than
    /// `commandTimeout`, as closing it fails all its commands. Defaults to `15` seconds.
    public var stallTimeout: Duration = .seconds(15)
    /// How many commands of one connection may wait for replies. Defaults to `65536`.
    public var maximumQueuedCommands = 65_536
    /// The delay after a failed attempt to connect; it doubles up to `maximumReconnectDelay`, with jitter.
    /// Defaults to `50` milliseconds.
    public var initialReconnectDelay: Duration = .milliseconds(50)
    /// Defaults to `5` seconds.
    public var maximumReconnectDelay: Duration = .seconds(5)

    /// - Parameter url: `redis://[user:password@]host[:port][/database]` or
    ///   `redis+unix://[user:password@]/path/of/socket[?db=database]`, user and password percent-encoded where needed.
    /// - Throws: `invalidConfiguration`; the message repeats nothing of the user or password.
    public init(url: String) throws(RedisError) {
        let parsed = try RedisURL(url)
        address = parsed.address
        database = parsed.database
        credentials = parsed.credentials
    }

    public var description: String { url(user: credentials == nil ? "" : "***@") }

    /// Which server and database this is, as a URL with nothing of who we are to it.
    public var endpoint: String { url(user: "") }

    private func url(user: String) -> String {
        switch address {
        case .tcp(let host, let port):
            "redis://\(user)\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
        case .unixSocket(let path): "redis+unix://\(user)\(path)?db=\(database)"
        }
    }

    public var debugDescription: String { description }
}

extension RedisConfiguration {
    /// A user and password. Its description holds neither.
    struct Credentials: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
        /// Nil for the default user.
        let username: String?
        let password: String

        var description: String { "***" }
        var debugDescription: String { "***" }
        var customMirror: Mirror { Mirror(self, children: []) }
    }
}
