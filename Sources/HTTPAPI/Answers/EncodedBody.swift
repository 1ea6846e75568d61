import HTTPTypes
import Hummingbird

/// A request's body is encoded, which no path takes.
struct EncodedBody: Error {
    /// The header that says so.
    let header: HTTPField.Name
    /// As it lists them.
    let encodings: String

    var hint: String {
        header == .transferEncoding
            ? "send it with Transfer-Encoding: chunked alone" : "send it plainly, without Content-Encoding"
    }
}

extension Request {
    /// - Throws: `EncodedBody` for a body that is compressed, say: its bytes are not those of its `Content-Type`.
    func requirePlainBody() throws(EncodedBody) {
        // Of these codings only the chunks are undone where the connection is read.
        if let header = headers[.transferEncoding] {
            let encodings = Self.encodings(header)
            guard encodings == ["chunked"] else { throw EncodedBody(.transferEncoding, encodings) }
        }
        guard let header = headers[.contentEncoding], mayHaveBody else { return }
        let encodings = Self.encodings(header).filter { $0 != "identity" }
        guard encodings.isEmpty else { throw EncodedBody(.contentEncoding, encodings) }
    }

    private static func encodings(_ header: String) -> [String] {
        header.split(separator: ",").map { mediaType(String($0)) }.filter { !$0.isEmpty }
    }

    private var mayHaveBody: Bool {
        headers[.transferEncoding] != nil || headers[.contentLength].map { $0 != "0" } ?? false
    }
}

extension EncodedBody {
    fileprivate init(_ header: HTTPField.Name, _ encodings: [String]) {
        self.init(header: header, encodings: encodings.joined(separator: ", "))
    }
}
