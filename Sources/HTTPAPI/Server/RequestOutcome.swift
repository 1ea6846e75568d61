import FeatureModel
import HTTPTypes
import Logging
import Observability

/// How a request ended, in the words that metrics and logs have for it, whichever way it was answered.
struct RequestOutcome {
    /// What refused requests have in common: an outage refuses thousands a second that differ in nothing else.
    struct Refusal: Hashable, Sendable {
        /// As it is registered, or "unmatched": there is a fixed set, and another of codes.
        let route: String
        /// Nil where the answer is no problem document.
        let code: ErrorCode?
    }

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

    /// - Parameter refusals: how many of a kind are logged at `info`; asked for nothing else.
    func log(to logger: Logger, _ refusals: LogLimiter<Refusal>) {
        guard status.code >= 400 else { return logger.debug("request", metadata: metadata) }
        refusals.log(
            .info, "request", metadata: metadata, of: Refusal(route: route, code: problem?.error.code), to: logger)
    }

    private var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["method": "\(method)", "route": "\(route)", "status": "\(status.code)"]
        if let duration { metadata["duration_us"] = "\(duration / .microseconds(1))" }
        if let problem {
            metadata["code"] = "\(problem.error.code)"
            metadata["detail"] = "\(problem.error.message)"
        }
        return metadata
    }
}
