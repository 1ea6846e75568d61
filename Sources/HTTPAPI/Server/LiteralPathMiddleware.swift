import HTTPTypes
import Hummingbird

/// Answers that there is nothing at a path with an empty segment, which the router would pass over: a proxy that decides by the
/// path who may do what takes `//v1/projects` for another one than `/v1/projects`.
struct LiteralPathMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: APIContext, next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let segments = request.uri.path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        // Before the first slash there is nothing.
        guard !segments.dropFirst().contains(where: \.isEmpty) else { throw HTTPError(.notFound) }
        return try await next(request, context)
    }
}
