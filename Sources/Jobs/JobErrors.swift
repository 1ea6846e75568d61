import FeatureModel
import PostgresClient

extension LarderError {
    static func jobNotFound(_ id: Int64) -> LarderError {
        LarderError(
            .jobNotFound, "there is no job \(id)",
            hint: "larder jobs list shows those there are; finished ones are removed after a while")
    }

    static func leaseLost(_ lease: JobLease) -> LarderError {
        LarderError(
            .jobLeaseLost, "job \(lease.jobID) is no longer this worker's: it was taken over, or has ended",
            hint: "nothing was written; stop working on it")
    }
}

extension Error {
    /// Whether the same work may succeed a little later, because a server was away, busy, or in no state to do it.
    var isPassing: Bool {
        switch self {
        case let error as PostgresError:
            switch error.code {
            case .connectionLost, .connectionClosed, .commitOutcomeUnknown, .timeout: true
            default: error.isRetryable || error.sqlState?.isConnectionFailure == true || error.obstacle != nil
            }
        case let error as LarderError:
            [.registryUnavailable, .onlineStoreUnavailable].contains(error.code)
        default: false
        }
    }

    /// Whether the lease under which something was to be written is no longer the newest.
    var isLeaseLoss: Bool { (self as? LarderError)?.code == .jobLeaseLost }
}
