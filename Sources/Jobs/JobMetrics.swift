import Metrics

/// Counts and times attempts at jobs.
enum JobMetrics {
    static func countBegun(_ kind: JobKind) {
        Counter(label: "larder_jobs_begun", dimensions: [("kind", kind.rawValue)]).increment()
    }

    /// - Parameter duration: from the claim until the end was written.
    static func countEnded(_ kind: JobKind, _ outcome: JobOutcome, after duration: Duration) {
        let dimensions = [("kind", kind.rawValue), ("outcome", outcome.name)]
        Counter(label: "larder_jobs_ended", dimensions: dimensions).increment()
        Metrics.Timer(label: "larder_job_duration", dimensions: dimensions).record(duration: duration)
    }
}
