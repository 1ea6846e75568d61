internal import Metrics
internal import NIOCore
internal import Synchronization

/// How a client fares, in metrics that are labelled with its name. A command that succeeds is not counted, so that it costs
/// nothing here; a few are timed.
final class RedisMetrics: Sendable {
    /// There before the first failure, so that it can be told from none.
    private static let usualFailures: [RedisError.Code] = [.timeout, .connectionLost, .notConnected, .queueFull]

    private let client: String
    private let connections: Gauge
    private let reconnects: Counter
    private let failedConnects: Counter
    private let duration: Metrics.Timer
    /// By reason, of which there is a fixed set.
    private let failures = Mutex<[String: Counter]>([:])

    init(client: String, maximumConnections: Int) {
        self.client = client
        let dimensions = [("client", client)]
        Gauge(label: "larder_redis_connections_limit", dimensions: dimensions).record(maximumConnections)
        connections = Gauge(label: "larder_redis_connections", dimensions: dimensions)
        connections.record(0)
        reconnects = Counter(label: "larder_redis_reconnects", dimensions: dimensions)
        failedConnects = Counter(label: "larder_redis_connects_failed", dimensions: dimensions)
        duration = Metrics.Timer(label: "larder_redis_command_duration", dimensions: dimensions)
        for code in Self.usualFailures { countFailure(code, ofCommands: 0) }
    }

    func set(connections count: Int) {
        connections.record(count)
    }

    /// A connection was made in the place of one that was lost, or could not be made at first.
    func countReconnect() {
        reconnects.increment()
    }

    func countFailedConnect() {
        failedConnects.increment()
    }

    /// What its own caller gave up is no failure.
    func countFailure(_ code: RedisError.Code, ofCommands count: Int = 1) {
        if code == .cancelled || code == .closed { return }
        failures.withLock { counters in
            let label = code.label
            let counter =
                counters[label]
                ?? Counter(
                    label: "larder_redis_commands_failed", dimensions: [("client", client), ("reason", label)])
            counters[label] = counter
            counter.increment(by: count)
        }
    }

    func record(_ duration: TimeAmount) {
        self.duration.recordNanoseconds(duration.nanoseconds)
    }
}
