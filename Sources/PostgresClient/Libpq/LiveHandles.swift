import Synchronization

/// How many libpq objects exist, so that tests can show that none is left.
package enum LiveHandles {
    static let connectionCount = Atomic<Int>(0)
    static let resultCount = Atomic<Int>(0)

    /// Open `PGconn` objects.
    package static var connections: Int { connectionCount.load(ordering: .relaxed) }
    /// `PGresult` objects not yet cleared.
    package static var results: Int { resultCount.load(ordering: .relaxed) }
}
