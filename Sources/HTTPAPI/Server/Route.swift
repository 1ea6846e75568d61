import HTTPTypes
import Hummingbird

/// One operation of the API.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, APIContext) async throws -> Response

    let method: HTTPRequest.Method
    /// With parameters in braces, as OpenAPI writes them.
    let path: String
    let handler: Handler

    init(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        self.method = method
        self.path = path
        self.handler = handler
    }
}

extension Router<APIContext> {
    /// Adds the routes, and to each path an answer for the methods it does not have.
    func add(_ routes: [Route]) {
        for route in routes {
            on(RouterPath(stringLiteral: route.path), method: route.method) { request, context -> Response in
                try request.requirePlainBody()
                return try await route.handler(request, context)
            }
        }
        for (path, routes) in Dictionary(grouping: routes, by: \.path) {
            var allowed = Set(routes.map(\.method))
            if allowed.contains(.get) { allowed.insert(.head) }
            allowed.insert(.options)
            let text = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            on(RouterPath(stringLiteral: path), method: .options) { _, _ in
                Response(status: .noContent, headers: [.allow: text])
            }
            for method in Self.knownMethods where !allowed.contains(method) {
                on(RouterPath(stringLiteral: path), method: method) { _, _ -> Response in
                    throw MethodNotAllowed(method: method.rawValue, allowed: text)
                }
            }
        }
    }

    private static var knownMethods: [HTTPRequest.Method] { [.get, .head, .post, .put, .patch, .delete] }
}

/// The path exists, but not with this method.
struct MethodNotAllowed: Error {
    let method: String
    /// As the `Allow` header lists them.
    let allowed: String
}
