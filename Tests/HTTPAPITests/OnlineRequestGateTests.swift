import Testing

/// Connections some of whose requests are taken before they are decoded: nobody who asks can tell.
@Suite("Requests taken before the decoder", .timeLimit(.minutes(3)))
struct OnlineRequestGateTests {
    private static let online = RawRequest(online: OnlineConnectionTests.temperature)
    private static let feast = RawRequest(online: OnlineConnectionTests.temperature, path: RawRequest.feast)
    private static let ready = RawRequest("GET", "/health/ready")
    /// Their answers name them.
    private static let refused = RawRequest(online: #"{"features":["weather:tmp"]}"#, id: "refused")
    private static let nested = RawRequest(online: String(decoding: online.bytes, as: UTF8.self), id: "nested")

    private static func with(_ request: RawRequest, _ name: String, _ value: String) -> RawRequest {
        var request = request
        request.headers.append((name, value))
        return request
    }

    // MARK: The same answers

    private struct Step {
        let bytes: [UInt8]
        var answers = 1
    }

    private static let steps: [Step] = [
        Step(bytes: online.bytes), Step(bytes: ready.bytes), Step(bytes: feast.bytes),
        Step(bytes: with(online, "Expect", "100-continue").bytes, answers: 2), Step(bytes: online.bytes),
        Step(bytes: refused.bytes), Step(bytes: online.ordinary.bytes), Step(bytes: nested.bytes),
        Step(bytes: with(online, "X-Note", "é").bytes), Step(bytes: online.bytes), Step(bytes: online.chunked(9)),
        Step(bytes: with(feast, "Connection", "keep-alive").bytes),
        Step(bytes: with(online, "X-Request-Id", "r1").bytes),
    ]

    private static let fewSteps: [Step] = [
        Step(bytes: online.bytes), Step(bytes: nested.bytes), Step(bytes: online.chunked(20)),
        Step(bytes: online.bytes),
    ]

    /// What an answer says each time.
    private struct Seen: Equatable {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]

        init(_ answer: RawResponse) {
            status = answer.status
            headers = answer.headers.filter { $0.key != "date" && $0.key != "x-request-id" }
            body = answer.body
        }
    }

    private static func seen(_ client: RawClient, _ count: Int) async throws -> [Seen] {
        try await client.responses(count).map(Seen.init)
    }

    /// The answers when each request waits for the one before.
    private func inTurn(_ steps: [Step], _ fixture: Fixture) async throws -> [Seen] {
        let client = try RawClient(port: fixture.port)
        var answers: [Seen] = []
        for step in steps {
            try await client.send(step.bytes)
            answers += try await Self.seen(client, step.answers)
        }
        return answers
    }

    /// The answers when the bytes come in pieces that end at the cuts.
    private func inPieces(_ steps: [Step], _ cuts: [Int], _ fixture: Fixture) async throws -> [Seen] {
        let client = try RawClient(port: fixture.port)
        let bytes = steps.flatMap(\.bytes)
        var start = 0
        for cut in cuts + [bytes.count] {
            if start > 0 { try await Task.sleep(for: .milliseconds(2)) }
            try await client.send(Array(bytes[start..<cut]))
            start = cut
        }
        return try await Self.seen(client, steps.reduce(0) { $0 + $1.answers })
    }

    @Test("the same requests have the same answers in turn, at once and byte by byte")
    func sameAnswers() async throws {
        try await Fixture.with { fixture in
            let expected = try await inTurn(Self.steps, fixture)
            #expect(expected.filter { $0.status == 200 }.count == Self.steps.count - 2)
            #expect(expected.filter { $0.status >= 400 }.map(\.status) == [404, 400])
            #expect(try await inTurn(Self.steps, fixture) == expected)
            #expect(try await inPieces(Self.steps, [], fixture) == expected)
            let client = try RawClient(port: fixture.port)
            try await client.sendByteByByte(Self.steps.flatMap(\.bytes))
            #expect(try await Self.seen(client, expected.count) == expected)
        }
    }

    @Test("the same requests have the same answers wherever they are cut in two")
    func everyCut() async throws {
        try await Fixture.with { fixture in
            let expected = try await inTurn(Self.fewSteps, fixture)
            #expect(expected.map(\.status) == [200, 400, 200, 200])
            for cut in 1..<Self.fewSteps.flatMap(\.bytes).count {
                let answers = try await inPieces(Self.fewSteps, [cut], fixture)
                try #require(answers == expected, "cut at \(cut)")
            }
        }
    }

    @Test("requests in an order of chance, cut by chance, have the answers that they have alone")
    func randomCuts() async throws {
        try await Fixture.with { fixture in
            var alone: [[Seen]] = []
            for step in Self.steps { alone.append(try await inTurn([step], fixture)) }
            var generator = SeededGenerator(seed: 1)
            for number in 0..<80 {
                let chosen = (0..<12).map { _ in Int.random(in: Self.steps.indices, using: &generator) }
                let steps = chosen.map { Self.steps[$0] }
                var cuts: Set<Int> = []
                var end = 0
                for step in steps {
                    // Where requests are whole pieces, those behind the decoder and those before it follow each other.
                    let isCut = generator.isOneIn(5)
                    if isCut { cuts.insert(end + Int.random(in: 1..<step.bytes.count, using: &generator)) }
                    end += step.bytes.count
                    if !generator.isOneIn(3) { cuts.insert(end) }
                }
                cuts.remove(end)
                let answers = try await inPieces(steps, cuts.sorted(), fixture)
                try #require(answers == chosen.flatMap { alone[$0] }, "\(number): \(chosen), \(cuts.sorted())")
            }
        }
    }

    // MARK: What is taken

    private func withTap(_ body: (Fixture, DecoderTap) async throws -> Void) async throws {
        let tap = DecoderTap()
        var setup = Fixture.Setup()
        setup.tap = tap
        try await Fixture.with(setup) { fixture in try await body(fixture, tap) }
    }

    /// Whether, after a while, an online request does not come to the decoder any more: the last byte of an answer may
    /// be read before the server is done with its request.
    private func isTakenAgain(_ client: RawClient, _ tap: DecoderTap) async throws -> Bool {
        for _ in 0..<200 {
            try await client.send(Self.online.bytes)
            #expect(try await client.response().status == 200)
            if tap.take().isEmpty { return true }
        }
        return false
    }

    /// Pieces that plain requests come in which are for the decoder, one answer each.
    private static let passed: [[[UInt8]]] = [
        [ready.bytes], [RawRequest("PUT", "/health/live").bytes], [online.ordinary.bytes], [refused.bytes],
        [nested.bytes], [feast.ordinary.bytes], [with(online, "Accept", "text/xml").bytes],
        // The body comes by itself, or in two parts.
        [online.headBytes, online.body ?? []], [nested.ordinary.headBytes, nested.body ?? []],
        [Array(online.bytes.dropLast(7)), Array(online.bytes.suffix(7))],
    ]

    @Test("whole online requests are taken before the decoder, also after all others that are plain")
    func taken() async throws {
        try await withTap { fixture, tap in
            let client = try RawClient(port: fixture.port)
            for request in [Self.online, Self.online, Self.feast, Self.with(Self.online, "X-Request-Id", "r1")] {
                try await client.send(request.bytes)
                #expect(try await client.response().status == 200)
                #expect(tap.take().isEmpty)
            }
            for pieces in Self.passed {
                let context: Comment = "\(pieces.map { String(decoding: $0, as: UTF8.self) })"
                var sent = 0
                for piece in pieces {
                    try await client.send(piece)
                    sent += piece.count
                    while tap.count < sent { try await Task.sleep(for: .milliseconds(1)) }
                }
                _ = try await client.response()
                #expect(tap.take() == Array(pieces.joined()), context)
                #expect(try await isTakenAgain(client, tap), context)
            }
            // Those in the queue behind another one are decoded.
            try await client.send(Self.online.bytes + Self.online.bytes)
            #expect(try await client.responses(2).map(\.status) == [200, 200])
            #expect(tap.take() == Self.online.bytes + Self.online.bytes)
            #expect(try await isTakenAgain(client, tap))
        }
    }

    /// Online requests of which it cannot be told where they end, or which are too long to be looked at.
    private static let undelimited: [[UInt8]] = [
        online.chunked(10), with(online, "X-Note", "é").bytes,
        with(online, "X-Note", String(repeating: "a", count: 5_000)).bytes,
        with(online, "Connection", "keep-alive, x").bytes, Array("\r\n".utf8) + online.bytes,
    ]

    @Test("after a request whose end cannot be told everything is decoded")
    func decoded() async throws {
        try await withTap { fixture, tap in
            for bytes in Self.undelimited {
                let context: Comment = "\(String(decoding: bytes, as: UTF8.self))"
                let client = try RawClient(port: fixture.port)
                let before = fixture.onlineRequests.onEventLoop
                for each in [bytes, Self.online.bytes, Self.ready.bytes, Self.online.bytes] {
                    try await client.send(each)
                    #expect(try await client.response().status == 200, context)
                    #expect(tap.take() == each, context)
                }
                #expect(fixture.onlineRequests.onEventLoop == before + 3, context)
            }
        }
    }

    @Test("the last request of a connection is taken too, and answered as such")
    func lastRequest() async throws {
        try await withTap { fixture, tap in
            let client = try RawClient(port: fixture.port)
            try await client.send(Self.with(Self.online, "Connection", "close").bytes)
            let answer = try await client.response()
            #expect(answer.status == 200 && answer.headers["connection"] == "close")
            #expect(try await client.ends(within: .seconds(10)))
            #expect(tap.take().isEmpty)
        }
    }

    // MARK: Two meanings

    /// Fields of a request about whose end readers have disagreed.
    private static let ambiguous: [String] = [
        "Content-Length: 3\r\nContent-Length: 900\r\n", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "Transfer-Encoding: gzip\r\n",
        "Content-Length : 3\r\n", "Content-Length: +3\r\n", "Content-Length: 3\t\r\n", "Content-Length: 3, 3\r\n",
        "Content-Length:\r\n", "X-Note: a\r\n Content-Length: 3\r\n", "Content-Length: 3\nX-Note: a\r\n",
    ]

    @Test("a request that could end at two places is refused, and what may be another one in it is not answered")
    func ambiguity() async throws {
        try await Fixture.with { fixture in
            for fields in Self.ambiguous {
                let context: Comment = "\(fields.debugDescription)"
                let client = try RawClient(port: fixture.port)
                try await client.send(Self.online.bytes)
                #expect(try await client.response().status == 200, context)
                let before = fixture.onlineRequests.onEventLoop
                let head = "POST \(RawRequest.online) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n"
                try await client.send(Array(head.utf8) + Self.online.bytes)
                // A coding that is not chunked is no question of the end alone.
                let refusal = fields.contains("gzip") ? 415 : 400
                #expect(try await client.response().status == refusal, context)
                // It is closed, whatever else it is sent.
                try? await client.send(Self.online.bytes)
                #expect(try await client.ends(within: .seconds(10)), context)
                #expect(fixture.onlineRequests.onEventLoop == before, context)
            }
        }
    }
}
