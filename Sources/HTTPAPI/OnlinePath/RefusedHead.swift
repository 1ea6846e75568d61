import FeatureModel
import Logging
import Metrics
import NIOHTTP1

extension OnlinePath {
    /// The answer to what should have been the head of a request, counted and logged as those of requests are.
    func refusal(of error: HTTPParserError) -> OnlineWireResponse {
        let requestID = RequestIdentity.makeRequestID()
        let logger = RequestIdentity(requestID: requestID, traceParent: nil).annotate(self.logger)
        let problem = Problem(LarderError(refusingHead: error), path: "", requestID: requestID, logger: logger)
        let outcome = RequestOutcome(
            method: "other", route: "unmatched", status: problem.status, problem: problem, duration: nil)
        Counter(label: "larder_http_requests", dimensions: outcome.dimensions).increment()
        outcome.log(to: logger, refusals)
        return OnlineWireResponse(problem)
    }
}

extension LarderError {
    /// Why something is not the head of a request.
    fileprivate init(refusingHead error: HTTPParserError) {
        switch error {
        case .headerOverflow:
            self.init(
                .requestInvalid, "the request's head is too large",
                hint: "a path or a header may have 80 KiB, and a request 256 headers")
        case .invalidMethod, .invalidURL, .invalidConstant, .invalidVersion:
            self.init(
                .requestInvalid, "the request's first line is not that of an HTTP/1.1 request",
                hint: "speak HTTP/1.1, without TLS")
        case .invalidContentLength, .unexpectedContentLength:
            self.init(
                .requestInvalid, "the request's headers do not say clearly how long its body is",
                hint: "send one Content-Length, or Transfer-Encoding: chunked")
        case .invalidEOFState, .closedConnection:
            self.init(.requestInvalid, "the request broke off before the end of its head")
        default:
            self.init(.requestInvalid, "the request's head is not as HTTP/1.1 writes it")
        }
    }
}
