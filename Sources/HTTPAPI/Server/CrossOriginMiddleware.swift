import FeatureModel
import HTTPTypes
import Hummingbird

/// Refuses what a browser sends for a page of another origin, unless it can only read: any page may have the browser of whoever
/// looks at it send a request, and this server trusts whoever reaches it. That the page does not see the answer undoes no
/// write.
///
/// What is answered on the event loop does not come by here. That is reads alone, and `OnlinePath.route` leaves heads with
/// these headers to the router, so that a request has one answer whichever way it takes.
struct CrossOriginMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: APIContext, next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard Self.readingMethods.contains(request.method) || !Self.isCrossOrigin(request.head) else {
            throw LarderError(
                .crossOriginRefused, "a browser has sent the request for a page of another origin",
                hint: "send it from a program, without Origin and Sec-Fetch-Site")
        }
        return try await next(request, context)
    }

    private static let readingMethods: Set<HTTPRequest.Method> = [.get, .head, .options]

    private static func isCrossOrigin(_ head: HTTPRequest) -> Bool {
        if let site = head.headerFields[.secFetchSite], site != "same-origin", site != "none" { return true }
        guard let origin = head.headerFields[.origin]?.lowercased() else { return false }
        guard let host = head.authority?.lowercased() else { return true }
        // Whoever is in front may have ended the TLS. An origin is never without a scheme, unless it is "null".
        return origin != "http://\(host)" && origin != "https://\(host)"
    }
}

extension HTTPField.Name {
    static let secFetchSite = named("Sec-Fetch-Site")
}
