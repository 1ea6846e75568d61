import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Answers a request by a router: what Hummingbird's own application does around one.
struct RouterAnswer<Responder: HTTPResponder>: Sendable where Responder.Context == APIContext {
    let responder: Responder
    let logger: Logger

    @concurrent
    func write(_ request: Request, _ writer: consuming ResponseWriter, on channel: any Channel) async throws {
        let context = APIContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        var response: Response
        do {
            response = try await responder.respond(to: request, context: context)
        } catch let error as HTTPParserError {
            // What cannot be parsed is answered by who reads the connection.
            throw error
        } catch {
            response = Response(status: .internalServerError)
        }
        response.headers[.date] = String(decoding: HTTPDate.now, as: UTF8.self)
        response.headers[.server] = "larder"
        do {
            try await writer.write(response: response.head, body: response.body)
        } catch is HTTPParserError {
            // The answer has begun: a second one must not follow.
            throw BrokenRequest()
        }
    }

    /// The rest of a request could not be read while it was being answered.
    private struct BrokenRequest: Error {}
}
