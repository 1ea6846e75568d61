import FeatureModel
import Metrics

/// Counts rows of writes into sources and feature views.
enum WriteMetrics {
    /// Rows of a committed write.
    static func countWritten(_ rows: Int64, into target: WriteTarget) {
        Counter(label: "larder_rows_written", dimensions: [("target", target.kind.rawValue), ("name", target.name)])
            .increment(by: rows)
    }

    /// Reasons for which rows were refused or quarantined, exactly, by their code.
    static func countRejected(_ reasons: [String: Int], of target: WriteTarget) {
        for (code, count) in reasons {
            Counter(
                label: "larder_rows_rejected",
                dimensions: [("target", target.kind.rawValue), ("name", target.name), ("code", code)]
            ).increment(by: count)
        }
    }

    /// Rows that were committed and could not be published at once.
    static func countPending(_ reason: ErrorCode, of target: WriteTarget) {
        Counter(label: "larder_publications_pending", dimensions: [("name", target.name), ("code", reason.name)])
            .increment()
    }

    /// Pushes that were committed together.
    static func recordGroup(rows: Int, pushes: Int, into target: WriteTarget) {
        Recorder(label: "larder_push_group_rows", dimensions: [("name", target.name)]).record(rows)
        Recorder(label: "larder_push_group_pushes", dimensions: [("name", target.name)]).record(pushes)
    }
}
