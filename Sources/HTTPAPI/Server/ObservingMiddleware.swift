import FeatureModel
import HTTPTypes
import Hummingbird
import Logging
import Metrics
import Observability

/// Around everything else: gives each request its id, turns every error into an answer, counts, times and logs.
struct ObservingMiddleware: RouterMiddleware {
    let refusals: LogLimiter<RequestOutcome.Refusal>

    func handle(
        _ request: Request, context: APIContext, next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let identity = RequestIdentity(request.headers)
        var context = context
        context.logger = identity.annotate(context.logger)
        var response: Response
        var problem: Problem?
        do {
            response = try await next(request, context)
        } catch {
            let answer = Problem(error, path: request.uri.path, requestID: identity.requestID, logger: context.logger)
            problem = answer
            response = answer.response
            if request.method == .head { response.body = ResponseBody() }
        }
        response.headers[.requestID] = identity.requestID
        let route = context.endpointPath.map { $0 == "NotFound" ? "unmatched" : $0 } ?? "unmatched"
        let method = Self.methods.contains(request.method.rawValue) ? request.method.rawValue : "other"
        let duration = ContinuousClock.now - start
        let outcome = RequestOutcome(
            method: method, route: route, status: response.status, problem: problem, duration: duration)
        Counter(label: "larder_http_requests", dimensions: outcome.dimensions).increment()
        Metrics.Timer(label: "larder_http_request_duration", dimensions: [("method", method), ("route", route)])
            .record(duration: duration)
        outcome.log(to: context.logger, refusals)
        return response
    }

    /// What a label may say; anything else a client makes up is one word.
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
}

extension HTTPField.Name {
    static let requestID = named("X-Request-Id")
    static let traceParent = named("traceparent")

    static func named(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no name of a header field") }
        return name
    }
}
