/// Which of a client's connections are up, and why the others are not. A value; the client guards it.
struct ConnectionDirectory<Connection> {
    private enum Place {
        /// Never tried to the end. Becomes `up` or `down` by the first attempt.
        case untried
        /// Serves commands. Becomes `down` when the connection ends.
        case up(Connection)
        /// Does not serve; attempts go on. Becomes `up` by the next success.
        case down(RedisError)
    }

    enum Readiness {
        /// No attempt has succeeded, and not all have failed.
        case pending
        case ready
        case failed(RedisError)
    }

    private enum Phase {
        case idle
        case running
        case stopped
    }

    private var phase = Phase.idle
    private var places: [Place]
    private var lastGeneration: UInt64 = 0
    /// Since when some are down; nil while none is.
    private var incompleteSince: ContinuousClock.Instant?

    init(count: Int) {
        places = Array(repeating: .untried, count: count)
    }

    /// - Returns: false when it was started before.
    mutating func start() -> Bool {
        guard case .idle = phase else { return false }
        phase = .running
        return true
    }

    mutating func stop() {
        phase = .stopped
        places = Array(repeating: .down(Self.stoppedError), count: places.count)
    }

    /// A number greater than every one given before.
    mutating func makeGeneration() -> UInt64 {
        lastGeneration += 1
        return lastGeneration
    }

    /// - Returns: for how long some were down, when with this one none is any more.
    @discardableResult
    mutating func setUp(
        _ connection: Connection, at index: Int, now: ContinuousClock.Instant = .now
    ) -> Duration? {
        if case .stopped = phase { return nil }
        places[index] = .up(connection)
        guard let since = incompleteSince, connections.count == places.count else { return nil }
        incompleteSince = nil
        return now - since
    }

    mutating func setDown(_ error: RedisError, at index: Int, now: ContinuousClock.Instant = .now) {
        if case .stopped = phase { return }
        places[index] = .down(error)
        incompleteSince = incompleteSince ?? now
    }

    /// The connections that are up.
    var connections: [Connection] {
        places.compactMap { if case .up(let connection) = $0 { connection } else { nil } }
    }

    func connection(at index: Int) -> Connection? {
        if case .up(let connection) = places[index] { connection } else { nil }
    }

    /// The connection at `index`, or else the next one that is up. Fails at once when none is: what cannot be sent
    /// now is not queued for later.
    func pick(from index: Int) -> Result<Connection, RedisError> {
        for offset in places.indices {
            if let connection = connection(at: (index + offset) % places.count) { return .success(connection) }
        }
        switch readiness {
        case .failed(let error) where error.code == .closed: return .failure(error)
        case .failed(let error):
            return .failure(RedisError(.notConnected, "no connection to Redis is up (\(error.message))"))
        default:
            return .failure(RedisError(.notConnected, "no connection to Redis is up yet"))
        }
    }

    var readiness: Readiness {
        var lastError: RedisError?
        for place in places {
            switch place {
            case .up: return .ready
            case .untried: return connections.isEmpty ? .pending : .ready
            case .down(let error): lastError = error
            }
        }
        return .failed(lastError ?? Self.stoppedError)
    }

    private static var stoppedError: RedisError { RedisError(.closed, "the Redis client was stopped") }
}
