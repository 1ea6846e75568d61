import FeatureService
import Testing
import TextFormats

/// Requests that are answered before their body is there: the rest of it is no request, and does not cost the answer.
@Suite("Bodies beyond the limit", .timeLimit(.minutes(3)))
struct LargeBodyTests {
    private func withLimit(_ body: (Fixture) async throws -> Void) async throws {
        var limits = ServingLimits()
        limits.maximumBodyBytes = 2_000
        try await Fixture.with(limits: limits, body)
    }

    private static func request(bodyBytes: Int) -> RawRequest {
        var request = RawRequest()
        request.body = [UInt8](repeating: UInt8(ascii: " "), count: bodyBytes)
        return request
    }

    private func expectRefused(_ answer: RawResponse) throws {
        #expect(answer.status == 413)
        #expect(answer.headers["connection"] == "close")
        #expect(try JSONValue.parse(answer.body)["code"] == .string("body_too_large"))
    }

    @Test(
        "a client that sends all of its body before it reads gets the answer, then the end", arguments: [false, true])
    func sentWhole(isOrdinary: Bool) async throws {
        try await withLimit { fixture in
            var request = Self.request(bodyBytes: 32 << 20)
            if isOrdinary { request = request.ordinary }
            for bytes in [request.bytes, request.chunked(65_536)] {
                let client = try RawClient(port: fixture.port)
                try await client.send(bytes)
                try expectRefused(try await client.response())
                #expect(try await client.ends(within: .seconds(10)))
            }
        }
    }

    @Test("a client may take its time to send the rest, and nothing behind the answer is a request")
    func sentSlowly() async throws {
        try await withLimit { fixture in
            let request = Self.request(bodyBytes: 40_000)
            let client = try RawClient(port: fixture.port)
            try await client.send(request.headBytes)
            try await client.send(Array(request.body?.prefix(20_000) ?? []))
            // Longer than a connection on which nothing comes is kept.
            for _ in 0..<20 {
                try await client.send(Array(request.body?.prefix(1_000) ?? []))
                try await Task.sleep(for: .milliseconds(100))
            }
            try await client.send(RawRequest("GET", "/health/live").bytes)
            try expectRefused(try await client.response())
            #expect(try await client.ends(within: .seconds(10)))
        }
    }

    @Test("a client that asks for the end of its connection gets the answer too")
    func lastRequest() async throws {
        try await withLimit { fixture in
            var request = Self.request(bodyBytes: 8 << 20)
            request.headers.append(("Connection", "close"))
            let client = try RawClient(port: fixture.port)
            try await client.send(request.bytes)
            try expectRefused(try await client.response())
            #expect(try await client.ends(within: .seconds(10)))
        }
    }

    /// How a body goes wrong after its request has been answered.
    private static let broken: [(framing: (name: String, value: String), rest: String, isFinished: Bool)] = [
        (("Content-Length", "100"), "{", true), (("Transfer-Encoding", "chunked"), "5\r\n{", true),
        (("Transfer-Encoding", "chunked"), "no number\r\n", false),
    ]

    @Test("a body that breaks off after its request was answered has no answer of its own")
    func brokenOff() async throws {
        try await Fixture.with { fixture in
            for (framing, rest, isFinished) in Self.broken {
                let client = try RawClient(port: fixture.port)
                let head = RawRequest("POST", "/nowhere", headers: [framing])
                try await client.send(head.bytes)
                let answer = try await client.response()
                #expect(answer.status == 404 && answer.headers["connection"] == nil, "\(framing)")
                try await client.send(rest)
                if isFinished { try await client.finishSending() }
                #expect(try await client.ends(within: .seconds(10)), "\(framing), \(rest)")
            }
        }
    }
}
