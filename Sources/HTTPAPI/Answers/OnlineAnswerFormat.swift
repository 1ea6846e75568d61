import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird

/// What an online request is answered in.
enum OnlineAnswerFormat: Equatable {
    case json
    case arrow

    static let arrowStream = "application/vnd.apache.arrow.stream"

    /// The first of the types in an `Accept` header that there is.
    /// - Returns: nil when the client takes none of them.
    init?(accept: String) {
        if accept == "application/json" || accept == "*/*" {
            self = .json
            return
        }
        for type in Request.acceptedTypes(accept) {
            switch type {
            case Self.arrowStream:
                self = .arrow
                return
            case "application/json", "application/*", "*/*":
                self = .json
                return
            default: continue
            }
        }
        return nil
    }
}

extension Request {
    /// - Throws: `not_acceptable` when the client takes neither JSON nor an Arrow stream.
    func onlineAnswerFormat() throws(LarderError) -> OnlineAnswerFormat {
        guard let accept = headers[.accept] else { return .json }
        if let format = OnlineAnswerFormat(accept: accept) { return format }
        throw LarderError(
            .notAcceptable,
            "the answer is JSON or an Arrow stream, which \"Accept: \(accept.prefix(100))\" does not take",
            hint: "leave Accept out, or say application/json or \(OnlineAnswerFormat.arrowStream)")
    }
}

extension Response {
    static func online(
        _ response: OnlineResponse, _ format: OnlineAnswerFormat, _ dialect: OnlineResponseWriter.Dialect
    ) -> Response {
        switch format {
        case .json: .json(OnlineResponseWriter(dialect: dialect).json(response))
        case .arrow:
            Response(
                status: .ok, headers: [.contentType: OnlineAnswerFormat.arrowStream],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: response.arrowStream())))
        }
    }
}
