import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import TextFormats

/// A request that brings rows: a JSON object, or NDJSON or an Arrow stream with the rest in headers.
struct RowsRequest {
    let rows: RowPayload
    /// Nil where the request names none.
    let schemaVersion: Int32?
    let mode: WriteMode
    let idempotencyKey: String?
    /// The body without its rows, where it is JSON.
    let json: JSONValue?

    private static let members = ["schema_version", "rows", "mode", "idempotency_key"]

    /// - Parameter furtherMembers: of the JSON object, which are the caller's business.
    /// - Throws: `request_invalid`, `unsupported_media_type` or `body_too_large`. That there are too many rows shows when
    ///   they are read.
    init(_ request: Request, limits: ServingLimits, furtherMembers: [String] = []) async throws {
        let (maximumBytes, maximumRows) = (limits.maximumBodyBytes, limits.maximumRows)
        let header = try Headers(request.headers)
        switch request.headers[.contentType].map(Request.mediaType) {
        case "application/x-ndjson", "application/ndjson":
            rows = RowPayload(
                format: .ndjson, bytes: try await request.bytes(maximumBytes: maximumBytes), maximumRows: maximumRows)
            json = nil
        case "application/vnd.apache.arrow.stream":
            rows = RowPayload(
                format: .arrows, bytes: try await request.bytes(maximumBytes: maximumBytes), maximumRows: maximumRows)
            json = nil
        case nil, "application/json":
            let bytes = try await request.bytes(maximumBytes: maximumBytes)
            let (body, array) = try JSONValue.parse(
                bytes, leaving: "rows", limits: TextLimits(maximumLineBytes: maximumBytes))
            try Self.checkMembers(of: body, furtherMembers)
            rows = try RowPayload(array: array, of: bytes, maximumRows: maximumRows)
            json = body
        case let type?:
            throw LarderError(
                .unsupportedMediaType, "the body is of type \"\(type.prefix(100))\"",
                hint: "send application/json, application/x-ndjson or application/vnd.apache.arrow.stream")
        }
        schemaVersion = try Self.only(header.schemaVersion, try Self.version(json), "schema version")
        mode = try Self.only(header.mode, try Self.mode(json), "mode") ?? .allOrNothing
        idempotencyKey = try Self.only(header.idempotencyKey, try Self.key(json), "idempotency key")
    }

    /// What headers say; a JSON body may say it too.
    private struct Headers {
        let schemaVersion: Int32?
        let mode: WriteMode?
        let idempotencyKey: String?

        init(_ headers: HTTPFields) throws(LarderError) {
            schemaVersion = try headers.onlyValue(of: .schemaVersion).map { text throws(LarderError) in
                guard let number = Int32(text) else {
                    throw LarderError(.requestInvalid, "Larder-Schema-Version \"\(text.prefix(63))\" is no number")
                }
                return number
            }
            mode = try headers.onlyValue(of: .writeMode).map(RowsRequest.mode)
            idempotencyKey = try headers.onlyValue(of: .idempotencyKey)
        }
    }

    private static func checkMembers(of body: JSONValue, _ further: [String]) throws(LarderError) {
        guard case .object(let all) = body else {
            throw LarderError(
                .requestInvalid, "the request is no JSON object",
                hint: #"write {"schema_version": 1, "rows": [{...}, ...]}"#)
        }
        let known = members + further
        for member in all where !known.contains(member.name) {
            throw LarderError(
                .requestInvalid, "the request has an unknown member \"\(member.name.prefix(63))\"",
                hint: NameRule.nearest(to: String(member.name.prefix(63)), in: known).map { "did you mean \"\($0)\"?" }
                    ?? "members are \(known.joined(separator: ", "))")
        }
    }

    private static func version(_ json: JSONValue?) throws(LarderError) -> Int32? {
        switch json?["schema_version"] {
        case nil, .null: return nil
        case .number(let digits):
            if let number = Int32(digits) { return number }
            fallthrough
        default:
            throw LarderError(.requestInvalid, "\"schema_version\" is no whole number")
        }
    }

    private static func mode(_ json: JSONValue?) throws(LarderError) -> WriteMode? {
        switch json?["mode"] {
        case nil, .null: return nil
        case .string(let name): return try mode(name)
        default: throw LarderError(.requestInvalid, "\"mode\" is no string")
        }
    }

    private static func mode(_ name: String) throws(LarderError) -> WriteMode {
        guard let mode = WriteMode(rawValue: name) else {
            throw LarderError(
                .requestInvalid, "there is no write mode \"\(name.prefix(63))\"",
                hint: "modes are \(WriteMode.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return mode
    }

    private static func key(_ json: JSONValue?) throws(LarderError) -> String? {
        switch json?["idempotency_key"] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw LarderError(.requestInvalid, "\"idempotency_key\" is no string")
        }
    }

    /// What header or body say; both only where they say the same.
    private static func only<Value: Equatable>(
        _ header: Value?, _ body: Value?, _ what: String
    ) throws(LarderError) -> Value? {
        guard let header else { return body }
        guard let body, body != header else { return header }
        throw LarderError(.requestInvalid, "header and body name a different \(what): \(header) and \(body)")
    }
}

extension RowsRequest {
    /// How far the rows are to go, as header or body say it.
    /// - Throws: `request_invalid`.
    static func destination(_ headers: HTTPFields, _ json: JSONValue?) throws(LarderError) -> WriteDestination {
        let body: WriteDestination?
        switch json?["to"] {
        case nil, .null: body = nil
        case .string(let name): body = try destination(name)
        default: throw LarderError(.requestInvalid, "\"to\" is no string")
        }
        return try only(try headers.onlyValue(of: .writeTo).map(destination), body, "destination") ?? .both
    }

    private static func destination(_ name: String) throws(LarderError) -> WriteDestination {
        guard let destination = WriteDestination(rawValue: name) else {
            throw LarderError(
                .requestInvalid, "rows cannot be written to \"\(name.prefix(63))\"",
                hint: "\"to\" is one of \(WriteDestination.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return destination
    }
}

extension HTTPFields {
    /// The value of a header that means nothing when it is there twice: HTTP would make one value of both.
    /// - Throws: `request_invalid`.
    fileprivate func onlyValue(of name: HTTPField.Name) throws(LarderError) -> String? {
        let values = self[values: name]
        guard values.count <= 1 else {
            throw LarderError(
                .requestInvalid, "the request has \(values.count) \(name.rawName) headers", hint: "send one")
        }
        return values.first
    }
}

extension HTTPField.Name {
    static let writeTo = named("Larder-Write-To")
    static let schemaVersion = named("Larder-Schema-Version")
    static let writeMode = named("Larder-Write-Mode")
    static let idempotencyKey = named("Idempotency-Key")
}
