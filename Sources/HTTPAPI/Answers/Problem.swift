import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import Logging
import TextFormats

/// An error as an answer: `application/problem+json` (RFC 9457) with a stable `code`.
struct Problem {
    let error: LarderError
    let status: HTTPResponse.Status
    let requestID: String
    private(set) var headers = HTTPFields()

    /// Errors nobody foresaw are logged; what they say stays here.
    init(_ error: any Error, path: String, requestID: String, logger: Logger) {
        self.requestID = requestID
        switch error {
        case let error as LarderError:
            self.error = error
        case let error as MethodNotAllowed:
            self.error = LarderError(
                .methodNotAllowed, "\(path.abbreviated) does not take \(error.method)",
                hint: "it takes \(error.allowed)")
            headers[.allow] = error.allowed
        case let error as EncodedBody:
            self.error = LarderError(
                .unsupportedMediaType, "the body is encoded as \"\(error.encodings.prefix(100))\"",
                hint: error.hint)
            if error.header == .contentEncoding { headers[.acceptEncoding] = "identity" }
        case let error as HTTPError:
            self.error = LarderError(error, path: path)
            if ![400, 404, 413].contains(error.status.code) {
                logger.error("unexpected HTTP error", metadata: ["error": "\(error)"])
            }
        default:
            let translated = LarderError(translating: error)
            if translated.code == .internalError {
                self.error = LarderError(
                    .internalError, "internal error", hint: "the server's log has it as \(requestID)")
                logger.error("request failed", metadata: ["error": "\(String(reflecting: error))"])
            } else {
                self.error = translated
            }
        }
        status = HTTPResponse.Status(code: self.error.code.httpStatus)
        if status.code == 500, error is LarderError {
            logger.error("request failed", metadata: ["error": "\(error)"])
        }
        if status.code == 503 {
            headers[.retryAfter] = Self.retryAfter(self.error.code)
        }
        // The rest of the body, as long as it may be, is not worth being read.
        if self.error.code == .bodyTooLarge { headers[.connection] = "close" }
        headers[.contentType] = "application/problem+json"
    }

    var response: Response {
        Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body.serialized())))
    }

    /// Seconds after which trying again makes sense.
    private static func retryAfter(_ code: ErrorCode) -> String {
        switch code {
        case .notMaterialized, .onlineStoreRebuilding, .onlineAheadOfClock, .migrationPending: "10"
        default: "1"
        }
    }

    var body: JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", .string("about:blank")),
            .init("title", .string(status.reasonPhrase.isEmpty ? error.code.name : status.reasonPhrase)),
            .init("status", .integer(status.code)), .init("detail", .string(error.message)),
            .init("code", .string(error.code.name)),
        ]
        if let hint = error.hint { members.append(.init("hint", .string(hint))) }
        members += Self.reasons(error)
        members.append(.init("request_id", .string(requestID)))
        return .object(members)
    }

    private static func member(_ error: LarderError) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("code", .string(error.code.name)), .init("detail", .string(error.message)),
        ]
        if let hint = error.hint { members.append(.init("hint", .string(hint))) }
        if let location = error.location {
            members += [
                .init("file", .string(location.file)), .init("line", .integer(location.line)),
                .init("column", .integer(location.column)),
            ]
        }
        return .object(members + reasons(error))
    }

    private static func reasons(_ error: LarderError) -> [JSONValue.Member] {
        let errors = error.errors.map(member) + error.rows.map(\.document)
        var members: [JSONValue.Member] = errors.isEmpty ? [] : [.init("errors", .array(errors))]
        if !error.rows.isEmpty { members.append(.init("violation_count", .integer(error.violationCount))) }
        return members
    }
}

extension LarderError {
    /// What Hummingbird itself refuses.
    fileprivate init(_ error: HTTPError, path: String) {
        switch error.status {
        case .notFound:
            self.init(
                .routeNotFound, "there is nothing at \(path.abbreviated)", hint: "GET /openapi.json lists what there is"
            )
        case .contentTooLarge:
            self.init(.bodyTooLarge, "the request's body is too large")
        case let status where status.kind == .clientError:
            self.init(.requestInvalid, error.body ?? status.reasonPhrase)
        default:
            self.init(.internalError, "internal error")
        }
    }
}

extension String {
    /// Enough of a text that a client made up to recognize it.
    fileprivate var abbreviated: String {
        utf8.count <= 200 ? self : prefix(100) + "..."
    }
}
