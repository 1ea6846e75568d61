import Testing
import TextFormats

/// What comes in the place of a request and is none.
@Suite("Heads that are refused", .timeLimit(.minutes(3)))
struct RefusedHeadTests {
    private func expectProblem(_ answer: RawResponse, _ detail: String) throws {
        #expect(answer.status == 400, "\(detail)")
        #expect(answer.headers["content-type"] == "application/problem+json", "\(detail)")
        #expect(answer.headers["connection"] == "close", "\(detail)")
        let problem = try JSONValue.parse(answer.body)
        #expect(problem["code"] == .string("request_invalid"))
        #expect(problem["status"] == .integer(400))
        guard case .string(let text) = problem["detail"], case .string(let requestID) = problem["request_id"] else {
            Issue.record("\(answer.text)")
            return
        }
        #expect(text.contains(detail), "\(text)")
        #expect(requestID.count == 32 && answer.headers["x-request-id"] == requestID)
    }

    private static let manyHeaders = (0..<300).map { "X-\($0): a\r\n" }.joined()

    private static let heads: [(text: String, detail: String)] = [
        ("NO HTTP AT ALL\r\n\r\n", "first line"), ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}", "first line"),
        ("POST /push HTTP/1.1\r\nContent-Length: x\r\n\r\n", "how long"),
        ("POST /push HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "how long"),
        ("GET / HTTP/1.1\r\nX-Note: \(String(repeating: "a", count: 100_000))\r\n\r\n", "too large"),
        ("GET / HTTP/1.1\r\n\(manyHeaders)\r\n", "too large"),
    ]

    @Test("each is answered as a problem, and the connection ended")
    func refused() async throws {
        try await Fixture.with { fixture in
            for (text, detail) in Self.heads {
                let client = try RawClient(port: fixture.port)
                try await client.send(text)
                try expectProblem(try await client.response(), detail)
                #expect(try await client.ends(within: .seconds(10)), "\(detail)")
            }
        }
    }

    @Test("one that breaks off is told so")
    func brokenOff() async throws {
        try await Fixture.with { fixture in
            let client = try RawClient(port: fixture.port)
            try await client.send("GET /health/live HTTP/1.1\r\nHost:")
            try await client.finishSending()
            try expectProblem(try await client.response(), "broke off")
            #expect(try await client.ends(within: .seconds(10)))
        }
    }

    @Test("what was asked before is answered before", arguments: [false, true])
    func inTurn(isOrdinary: Bool) async throws {
        try await Fixture.with { fixture in
            let online = RawRequest(online: OnlineConnectionTests.temperature)
            let client = try RawClient(port: fixture.port)
            try await client.send((isOrdinary ? online.ordinary : online).bytes + Array("NO HTTP AT ALL\r\n\r\n".utf8))
            #expect(try await client.response().status == 200)
            try expectProblem(try await client.response(), "first line")
            #expect(try await client.ends(within: .seconds(10)))
        }
    }
}
