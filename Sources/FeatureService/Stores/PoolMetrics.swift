import Metrics
public import PostgresClient
import Synchronization

/// Tells in metrics how pools of connections stand.
public final class PoolMetrics: Sendable {
    private typealias Refusals = PostgresPoolStatistics.Refusals

    private let pools: [(name: String, pool: PostgresPool)]
    /// What the counters have been told, by pool. Counters only grow, while a pool tells how many there were in all.
    private let told = Mutex<[String: Refusals]>([:])

    /// - Parameter pools: each under a name of its own.
    public init(_ pools: [(name: String, pool: PostgresPool)]) {
        self.pools = pools
    }

    /// Brings the metrics up to date; call it before they are read.
    public func record() {
        told.withLock { told in
            for (name, pool) in pools {
                let statistics = pool.statistics
                record(statistics, of: name)
                count(statistics.refusedCallers, after: told[name] ?? Refusals(), of: name)
                told[name] = statistics.refusedCallers
            }
        }
    }

    private func record(_ statistics: PostgresPoolStatistics, of pool: String) {
        Gauge(label: "larder_pool_connections_limit", dimensions: [("pool", pool)])
            .record(statistics.maximumConnections)
        let connections = [
            ("idle", statistics.idleConnections), ("in_use", statistics.leasedConnections),
            ("connecting", statistics.connectingConnections),
        ]
        for (state, number) in connections {
            Gauge(label: "larder_pool_connections", dimensions: [("pool", pool), ("state", state)]).record(number)
        }
        Gauge(label: "larder_pool_waiting", dimensions: [("pool", pool)]).record(statistics.waitingCallers)
    }

    private func count(_ refusals: Refusals, after before: Refusals, of pool: String) {
        let reasons = [
            ("queue_full", refusals.queueFull - before.queueFull), ("deadline", refusals.deadline - before.deadline),
            ("unavailable", refusals.unavailable - before.unavailable),
        ]
        for (reason, number) in reasons {
            // Also none, so that the series is there before the first one.
            Counter(label: "larder_pool_refused", dimensions: [("pool", pool), ("reason", reason)])
                .increment(by: number)
        }
    }
}
