public import FeatureModel

/// What sort of work a job is; it decides what payload and result say.
public struct JobKind: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    public static let trainingSet = JobKind(rawValue: "training_set")
    public static let materialize = JobKind(rawValue: "materialize")

    public var description: String { rawValue }
}

/// Where a job stands. The last three are final, but `failed` and `cancelled` can be queued again.
public enum JobState: String, Sendable, CaseIterable {
    case queued
    case running
    case succeeded
    case failed
    case cancelled

    public var isFinished: Bool {
        switch self {
        case .queued, .running: false
        case .succeeded, .failed, .cancelled: true
        }
    }
}

/// Why a job failed, as it is stored.
public struct JobFailure: Sendable, Hashable {
    /// The name of an `ErrorCode`, of this version of the program or another.
    public let code: String
    public let message: String
    public let hint: String?
    /// JSON text: the failures behind this one, such as one of each feature view, and the first rows that are to blame.
    public let reasons: String?
    /// How many rows are.
    public let violationCount: Int64?
}

/// A job as it stood when it was read. Times are PostgreSQL's.
public struct Job: Sendable {
    public let id: Int64
    public let projectID: Int64
    public let projectName: String
    public let kind: JobKind
    public let state: JobState
    /// JSON text.
    public let payload: String
    /// JSON text; only of a job that succeeded.
    public let result: String?
    /// Only of a job that failed.
    public let failure: JobFailure?
    public let progress: JobProgress.Snapshot
    public let createdAt: Timestamp
    public let createdBy: String
    /// When the newest attempt began.
    public let startedAt: Timestamp?
    public let finishedAt: Timestamp?
    /// Before then no worker begins a queued job again; nil where it waits for nothing but a worker.
    public let retryAt: Timestamp?
    public let attempts: Int32
    public let maximumAttempts: Int32
    /// Who works on it, or did so last.
    public let worker: String?
    public let lease: JobLease
    /// When others may take a running job over.
    public let leaseExpiresAt: Timestamp?
    /// Whether a running job has been asked to stop.
    public let isCancelRequested: Bool
    /// When a finished job is removed.
    public let expiresAt: Timestamp?
    /// How long the newest attempt has been running, or did.
    public let elapsed: Duration?

    /// Of the newest attempt; nil while there is nothing to tell it from.
    public var rowsPerSecond: Double? {
        guard let elapsed, progress.rowsDone > 0 else { return nil }
        let seconds = elapsed / .seconds(1)
        return seconds > 0 ? Double(progress.rowsDone) / seconds : nil
    }

    /// How much longer a running job takes at its rate so far.
    public var remaining: Duration? {
        guard state == .running, let rate = rowsPerSecond, let total = progress.rowsTotal else { return nil }
        return .seconds(Double(max(0, total - progress.rowsDone)) / rate)
    }
}

/// The right to work on a job, as one claim gave it. Everything written under an older lease is refused.
public struct JobLease: Sendable, Hashable {
    public let jobID: Int64
    /// The fencing token.
    public let token: Int64

    public init(jobID: Int64, token: Int64) {
        self.jobID = jobID
        self.token = token
    }
}

/// A job that a worker has been given to do.
public struct ClaimedJob: Sendable {
    public let lease: JobLease
    public let projectID: Int64
    public let projectName: String
    public let kind: JobKind
    /// JSON text.
    public let payload: String
    public let createdBy: String
    /// Which attempt this is, from 1.
    public let attempt: Int32
    public let maximumAttempts: Int32

    public var id: Int64 { lease.jobID }

    init(_ job: Job) {
        lease = job.lease
        projectID = job.projectID
        projectName = job.projectName
        kind = job.kind
        payload = job.payload
        createdBy = job.createdBy
        attempt = job.attempts
        maximumAttempts = job.maximumAttempts
    }
}

/// A job to be.
public struct NewJob: Sendable {
    public var projectID: Int64
    public var kind: JobKind
    /// JSON text.
    public var payload: String
    public var createdBy: String
    /// How often the job is begun before it fails. Defaults to 15, which with the pauses of `JobWorkerOptions` outlasts a
    /// server that is away for five minutes.
    public var maximumAttempts: Int32 = 15
    /// How long it is kept once it is finished, with its output. Defaults to 7 days.
    public var keptFor: Duration = .seconds(7 * 86_400)

    public init(projectID: Int64, kind: JobKind, payload: String, createdBy: String) {
        self.projectID = projectID
        self.kind = kind
        self.payload = payload
        self.createdBy = createdBy
    }
}
