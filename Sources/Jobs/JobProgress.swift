import Synchronization

/// How far an attempt has come: set by the work from any task, and written to PostgreSQL with every heartbeat.
public final class JobProgress: Sendable {
    /// What is told of it.
    public struct Snapshot: Sendable, Hashable {
        public var rowsDone: Int64 = 0
        /// Nil while nobody knows.
        public var rowsTotal: Int64?
        /// What is being done, in a few words.
        public var note: String?

        public init(rowsDone: Int64 = 0, rowsTotal: Int64? = nil, note: String? = nil) {
            self.rowsDone = rowsDone
            self.rowsTotal = rowsTotal
            self.note = note
        }
    }

    private let state = Mutex(Snapshot())

    public init() {}

    public var snapshot: Snapshot { state.withLock { $0 } }

    /// Changes what is told.
    public func update(_ change: (inout Snapshot) -> Void) {
        state.withLock { change(&$0) }
    }
}
