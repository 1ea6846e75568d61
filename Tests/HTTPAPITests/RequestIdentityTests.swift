import HTTPTypes
import Logging
import Testing

@testable import HTTPAPI

@Suite("Request identity")
struct RequestIdentityTests {
    private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private let span = "00f067aa0ba902b7"

    @Test("a valid traceparent is carried into the log, with the request's id")
    func valid() {
        let headers: HTTPFields = [.traceParent: "00-\(trace)-\(span)-01", .requestID: "r1"]
        let logger = RequestIdentity(headers).annotate(Logger(label: "test"))
        #expect(logger[metadataKey: "trace_id"] == .string(trace))
        #expect(logger[metadataKey: "parent_span_id"] == .string(span))
        #expect(logger[metadataKey: "request_id"] == .string("r1"))
    }

    @Test(
        "anything else is no trace",
        arguments: [
            "", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ])
    func invalid(header: String) {
        let logger = RequestIdentity([.traceParent: header]).annotate(Logger(label: "test"))
        #expect(logger[metadataKey: "trace_id"] == nil)
    }

    @Test("an id that is too long or has other characters is replaced", arguments: ["", "a b", "ü", "a\"b"])
    func foreignID(header: String) {
        for text in [header, String(repeating: "x", count: 65)] {
            #expect(RequestIdentity([.requestID: text]).requestID != text)
        }
        let longest = String(repeating: "x", count: 64)
        #expect(RequestIdentity([.requestID: longest]).requestID == longest)
    }
}
