import HTTPTypes
import Hummingbird

/// A request's body is encoded, which no path takes.
struct EncodedBody: Error {
    /// As `Content-Encoding` lists them.
    let encodings: String
}

extension Request {
    /// - Throws: `EncodedBody` for a body that is compressed, say: its bytes are not those of its `Content-Type`.
    func requirePlainBody() throws(EncodedBody) {
        guard let header = headers[.contentEncoding], mayHaveBody else { return }
        let encodings = header.split(separator: ",").map { Self.mediaType(String($0)) }
            .filter { !$0.isEmpty && $0 != "identity" }
        guard encodings.isEmpty else { throw EncodedBody(encodings: encodings.joined(separator: ", ")) }
    }

    private var mayHaveBody: Bool {
        headers[.transferEncoding] != nil || headers[.contentLength].map { $0 != "0" } ?? false
    }
}
