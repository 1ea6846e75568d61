import HTTPTypes
import Testing
import TextFormats

@testable import HTTPAPI

@Suite("Encoded bodies")
struct EncodedBodyTests {
    private static let online = #"{"features":["weather:temp"],"entities":{"origin":["JFK"]}}"#

    @Test("no path takes a body that is encoded, and each says how to send it")
    func everyPath() async throws {
        try await Fixture.with { fixture in
            let client = try RawClient(port: fixture.port)
            let routes = Fixture.routes.filter { $0.method == .post }
            #expect(routes.count > 10)
            for route in routes {
                let path = route.path.replacing("{project}", with: "shop").replacing("{name}", with: "weather")
                    .replacing("{id}", with: "1")
                var request = RawRequest("POST", path, headers: [("Content-Encoding", "gzip")])
                request.body = [0x1F, 0x8B]
                try await client.send(request.bytes)
                let answer = try await client.response()
                #expect(answer.status == 415, "\(path)")
                #expect(answer.headers["accept-encoding"] == "identity", "\(path)")
                let problem = try JSONValue.parse(answer.body)
                #expect(problem["code"] == .string("unsupported_media_type"), "\(path)")
                #expect(problem["detail"] == .string(#"the body is encoded as "gzip""#), "\(path)")
                #expect(problem["hint"] == .string("send it plainly, without Content-Encoding"), "\(path)")
            }
        }
    }

    @Test(
        "what is not identity is named",
        arguments: [("GZIP", "gzip"), ("identity, br", "br"), ("deflate ,gzip", "deflate, gzip")])
    func named(header: String, encodings: String) async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.online(Self.online, headers: ["Content-Encoding": header])
            #expect(answer.status == 415)
            #expect(answer.detail == "the body is encoded as \"\(encodings)\"")
        }
    }

    @Test func `no path takes a Transfer-Encoding but chunked`() async throws {
        try await Fixture.with { fixture in
            let request = RawRequest(online: Self.online)
            let client = try RawClient(port: fixture.port)
            for path in [RawRequest.online, RawRequest.feast, "/push", "/v1/projects/shop/training-sets"] {
                var request = request
                request.path = path
                try await client.send(Self.chunked(request, "GZip, chunked"))
                let answer = try await client.response()
                #expect(answer.status == 415 && answer.headers["accept-encoding"] == nil, "\(path): \(answer)")
                let problem = try JSONValue.parse(answer.body)
                #expect(problem["code"] == .string("unsupported_media_type"), "\(path)")
                #expect(problem["detail"] == .string(#"the body is encoded as "gzip, chunked""#), "\(path)")
                #expect(problem["hint"] == .string("send it with Transfer-Encoding: chunked alone"), "\(path)")
            }
            #expect(fixture.onlineRequests.onEventLoop == 0)
            for bytes in [Self.chunked(request, "Chunked"), Self.chunked(request.ordinary, "Chunked")] {
                try await client.send(bytes)
                let answer = try await client.response()
                #expect(answer.status == 200, "\(answer)")
            }
            #expect(fixture.onlineRequests.onEventLoop == 1)
        }
    }

    private static func chunked(_ request: RawRequest, _ transferEncoding: String) -> [UInt8] {
        let text = String(decoding: request.chunked(7), as: UTF8.self)
        return Array(
            text.replacing("Transfer-Encoding: chunked", with: "Transfer-Encoding: \(transferEncoding)").utf8)
    }

    @Test("a body that is not encoded is taken, whatever the header says of that, and no body needs none")
    func plain() async throws {
        try await Fixture.with { fixture in
            let client = try RawClient(port: fixture.port)
            for header in ["identity", "Identity", "identity, identity", ""] {
                try await client.send(RawRequest(online: Self.online, headers: [("Content-Encoding", header)]).bytes)
                #expect(try await client.response().status == 200, "\(header)")
            }
            let retry = RawRequest("POST", "/v1/projects/shop/jobs/1/retry", headers: [("Content-Encoding", "gzip")])
            try await client.send(retry.bytes)
            #expect(try await client.response().status == 503)
        }
    }
}
