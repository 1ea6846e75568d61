import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import HTTPAPI

@Suite("Requests for training sets")
struct TrainingSetQueryTests {
    /// What `Content-Type` of the answer is.
    private func contentType(accepting accept: String) throws -> String {
        let request = Request(
            head: HTTPRequest(
                method: .post, scheme: "http", authority: "localhost", path: "/", headerFields: [.accept: accept]),
            body: RequestBody(buffer: ByteBuffer()))
        return try TrainingSetQuery(request).answer.type
    }

    @Test func `CSV comes with its charset, other types as they were asked for`() throws {
        for accept in ["text/csv", "Text/CSV; charset=iso-8859-1", "text/html, text/csv;q=0.5"] {
            #expect(try contentType(accepting: accept) == "text/csv; charset=utf-8", "\(accept)")
        }
        for accept in ["application/x-ndjson", "application/ndjson", "application/vnd.apache.arrow.file"] {
            #expect(try contentType(accepting: accept) == accept)
        }
    }

    @Test func `a type with q=0 is not acceptable`() throws {
        #expect(try contentType(accepting: "text/csv;q=0, application/x-ndjson") == "application/x-ndjson")
        for accept in ["text/csv;q=0", "*/*; q=0.0"] {
            let error = #expect(throws: LarderError.self) { try contentType(accepting: accept) }
            #expect(error?.code == .notAcceptable, "\(accept)")
        }
    }
}
