/// How an attempt at a job ended.
enum JobOutcome: Sendable, Hashable {
    case succeeded
    case failed
    case cancelled
    /// Given back, because the worker stops.
    case released
    /// Failed for a passing reason, to be begun again after a pause.
    case postponed(Duration)
    /// The job was no longer the worker's, or its end could not be written.
    case lost

    /// In metrics.
    var name: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .released: "released"
        case .postponed: "postponed"
        case .lost: "lost"
        }
    }
}
