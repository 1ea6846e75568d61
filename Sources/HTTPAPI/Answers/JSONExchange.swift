import FeatureModel
import HTTPTypes
import Hummingbird
import TextFormats

extension Response {
    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        json(value.serialized(), status: status)
    }
}

extension Request {
    /// How much of a body makes room for itself before it is there.
    private static let maximumReservedBytes = 1 << 20

    /// The body as JSON.
    /// - Throws: `body_too_large`; `request_invalid` with line and column.
    func json(maximumBytes: Int) async throws -> JSONValue {
        let bytes = try await bytes(maximumBytes: maximumBytes)
        return try JSONValue.parse(bytes, limits: TextLimits(maximumLineBytes: maximumBytes))
    }

    /// The body as it is.
    /// - Throws: `body_too_large`; `request_invalid` when it breaks off.
    func bytes(maximumBytes: Int) async throws -> [UInt8] {
        let tooLarge = LarderError(
            .bodyTooLarge, "the request's body is larger than \(maximumBytes) bytes", hint: "split the request")
        let length = headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length <= maximumBytes else { throw tooLarge }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(max(length, 0), Self.maximumReservedBytes))
        do {
            for try await buffer in body {
                guard bytes.count + buffer.readableBytes <= maximumBytes else { throw tooLarge }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
        } catch let error where !(error is LarderError || error is CancellationError) {
            // What the connection throws here is the client's doing: wrong framing, or it went away.
            throw LarderError(.requestInvalid, "the request's body broke off, or its framing is wrong")
        }
        return bytes
    }

    /// - Throws: `unsupported_media_type` when the client says that the body is something else than JSON.
    func requireJSONBody() throws(LarderError) {
        guard let contentType = headers[.contentType] else { return }
        guard RequestBodyType.isJSON(contentType) else {
            throw LarderError(
                .unsupportedMediaType, "the body is of type \"\(Self.mediaType(contentType).prefix(100))\"",
                hint: "send JSON with Content-Type: application/json")
        }
    }

    /// - Throws: `not_acceptable` when the client takes no JSON.
    func requireJSONIsAcceptable() throws(LarderError) {
        guard let accept = headers[.accept] else { return }
        let types = Self.acceptedTypes(accept)
        guard types.contains("application/json") || types.contains("application/*") || types.contains("*/*") else {
            throw LarderError(
                .notAcceptable, "the answer is JSON, which \"Accept: \(accept.prefix(100))\" does not take",
                hint: "leave Accept out, or say application/json")
        }
    }

    /// The types that an `Accept` header lists, in their order, without those that it refuses with `q=0`. How much it
    /// prefers one to another is not looked at.
    static func acceptedTypes(_ accept: String) -> [String] {
        accept.split(separator: ",").filter { !isRefused($0) }.map { mediaType(String($0)) }
    }

    private static func isRefused(_ range: Substring) -> Bool {
        guard range.utf8.contains(UInt8(ascii: ";")) else { return false }
        return range.split(separator: ";").dropFirst().contains { parameter in
            let text = parameter.filter { $0 != " " && $0 != "\t" }.lowercased()
            return text.hasPrefix("q=") && Double(text.dropFirst(2)) == 0
        }
    }

    static func mediaType(_ header: String) -> String {
        let type = header.split(separator: ";", omittingEmptySubsequences: false).first ?? ""
        return type.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined().lowercased()
    }
}

enum RequestBodyType {
    /// - Parameter contentType: as the header says it.
    static func isJSON(_ contentType: String) -> Bool {
        if contentType == "application/json" { return true }
        let type = Request.mediaType(contentType)
        return type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }
}
