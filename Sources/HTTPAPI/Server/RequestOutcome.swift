import FeatureModel
import HTTPTypes
import Logging

/// How a request ended, in the words that metrics and logs have for it, whichever way it was answered.
struct RequestOutcome {
    /// As it may be a label: one that a client made up is "other".
    let method: String
    /// The path as it is registered, or "unmatched".
    let route: String
    let status: HTTPResponse.Status
    /// Nil for a request that went well.
    let problem: Problem?
    /// Nil for what had no beginning.
    let duration: Duration?

    /// Of `larder_http_requests`.
    var dimensions: [(String, String)] {
        [
            ("method", method), ("route", route), ("status", String(status.code)),
            ("code", problem?.error.code.name ?? ""),
        ]
    }

    func log(to logger: Logger) {
        var metadata: Logger.Metadata = ["method": "\(method)", "route": "\(route)", "status": "\(status.code)"]
        if let duration { metadata["duration_us"] = "\(duration / .microseconds(1))" }
        if let problem {
            metadata["code"] = "\(problem.error.code)"
            metadata["detail"] = "\(problem.error.message)"
        }
        logger.log(level: status.code < 400 ? .debug : .info, "request", metadata: metadata)
    }
}
