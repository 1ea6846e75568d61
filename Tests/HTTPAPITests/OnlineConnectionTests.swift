import FeatureService
import TestSupport
import Testing

/// Connections to a server whose requests are answered partly on the event loop and partly by somebody further in.
@Suite("Connections", .timeLimit(.minutes(3)))
struct OnlineConnectionTests {
    static let temperature = #"{"features":["weather:temp"],"entities":{"origin":["JFK"]}}"#

    // MARK: Order

    /// A kind of request.
    private struct Kind {
        let request: RawRequest
        /// Of its answer.
        let status: Int
        /// Whether it is answered on the event loop.
        let isOnEventLoop: Bool
        /// Of the chunks of its body; nil for a body in one piece.
        var chunkBytes: Int?

        func bytes(id: String) -> [UInt8] {
            var request = request
            request.headers.append(("X-Request-Id", id))
            return chunkBytes.map { request.chunked($0) } ?? request.bytes
        }
    }

    private static let kinds: [Kind] = {
        let online = RawRequest(online: temperature)
        let feast = RawRequest(online: temperature, path: RawRequest.feast)
        let arrow = RawRequest(online: temperature, headers: [("Accept", "application/vnd.apache.arrow.stream")])
        let refused = RawRequest(online: #"{"features":["weather:tmp"]}"#)
        let brokenJSON = RawRequest(online: #"{"features":["#)
        return [
            Kind(request: online, status: 200, isOnEventLoop: true),
            Kind(request: online, status: 200, isOnEventLoop: true, chunkBytes: 7),
            Kind(request: feast, status: 200, isOnEventLoop: true),
            Kind(request: arrow, status: 200, isOnEventLoop: true),
            Kind(request: online.ordinary, status: 200, isOnEventLoop: false),
            Kind(request: online.ordinary, status: 200, isOnEventLoop: false, chunkBytes: 11),
            Kind(request: refused, status: 404, isOnEventLoop: false),
            Kind(request: brokenJSON, status: 400, isOnEventLoop: false),
            Kind(request: RawRequest("GET", "/health/live"), status: 200, isOnEventLoop: false),
            Kind(request: RawRequest("GET", "/nowhere"), status: 404, isOnEventLoop: false),
            Kind(request: RawRequest("PUT", "/health/live"), status: 405, isOnEventLoop: false),
        ]
    }()

    @Test("requests that come in one piece are answered in their order", arguments: 0..<3 as Range<UInt64>)
    func pipelining(seed: UInt64) async throws {
        try await Fixture.with { fixture in
            var generator = SeededGenerator(seed: seed)
            let chosen = (0..<80).map { _ in Self.kinds.pick(&generator) }
            var bytes: [UInt8] = []
            for (number, kind) in chosen.enumerated() { bytes += kind.bytes(id: "r\(number)") }
            let client = try RawClient(port: fixture.port)
            try await client.send(bytes)
            for (number, kind) in chosen.enumerated() {
                let answer = try await client.response()
                let context: Comment = "seed \(seed), request \(number): \(kind)"
                #expect(answer.status == kind.status, context)
                #expect(answer.headers["x-request-id"] == "r\(number)", context)
            }
            #expect(fixture.onlineRequests.onEventLoop == chosen.count(where: \.isOnEventLoop))
        }
    }

    @Test("a request may come byte by byte, its body in chunks or not")
    func byteByByte() async throws {
        try await Fixture.with { fixture in
            let request = RawRequest(online: Self.temperature)
            let client = try RawClient(port: fixture.port)
            let pieces = [request.bytes, request.chunked(5), request.ordinary.bytes, request.ordinary.chunked(5)]
            for bytes in pieces {
                try await client.sendByteByByte(bytes)
                let answer = try await client.response()
                #expect(answer.status == 200)
                #expect(answer.text.contains(#"{"values":[39.02],"#))
            }
            #expect(fixture.onlineRequests == .init(onEventLoop: 2, ordinary: 2))
        }
    }

    @Test("connections beside each other do not wait for each other")
    func concurrency() async throws {
        try await Fixture.with { fixture in
            let port = fixture.port
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let client = try RawClient(port: port)
                        for turn in 0..<20 {
                            let request = RawRequest(online: Self.temperature, id: "r\(number)-\(turn)")
                            try await client.send(turn % 5 == 0 ? request.ordinary.bytes : request.bytes)
                            let answer = try await client.response()
                            #expect(answer.status == 200 && answer.headers["x-request-id"] == "r\(number)-\(turn)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(fixture.onlineRequests == .init(onEventLoop: 320, ordinary: 80))
        }
    }

    // MARK: Bodies that are asked for

    @Test("a client that waits to be asked for its body is asked for it at once", arguments: [false, true])
    func expectation(isOrdinary: Bool) async throws {
        try await Fixture.with { fixture in
            var request = RawRequest(online: Self.temperature, headers: [("Expect", "100-continue")])
            if isOrdinary { request = request.ordinary }
            let client = try RawClient(port: fixture.port)
            for _ in 0..<2 {
                try await client.send(request.headBytes)
                #expect(try await client.response().status == 100)
                try await client.send(request.body ?? [])
                let answer = try await client.response()
                #expect(answer.status == 200)
                #expect(answer.text.contains("39.02"))
            }
            #expect(fixture.onlineRequests.onEventLoop == (isOrdinary ? 0 : 2))
        }
    }

    // MARK: Clients that have said everything

    @Test("what was asked before a client closed its side is answered, then the connection ends")
    func halfClose() async throws {
        try await Fixture.with { fixture in
            let request = RawRequest(online: Self.temperature)
            let requests = [request, RawRequest("GET", "/health/live"), request.ordinary, request]
            for last in requests.indices {
                var bytes: [UInt8] = []
                for each in requests[(last + 1)...] + requests[...last] { bytes += each.bytes }
                let client = try RawClient(port: fixture.port)
                try await client.send(bytes)
                try await client.finishSending()
                let answers = try await client.responses(requests.count)
                #expect(answers.allSatisfy { $0.status == 200 }, "request \(last) was the last")
                #expect(try await client.ends(within: .seconds(10)), "request \(last) was the last")
            }
        }
    }

    @Test("a client that closes its side while its answer is made still gets it", arguments: [false, true])
    func lateHalfClose(isOrdinary: Bool) async throws {
        var setup = Fixture.Setup()
        setup.hasProxy = true
        try await Fixture.with(setup) { fixture in
            let request = RawRequest(online: Self.temperature)
            let client = try RawClient(port: fixture.port)
            try await client.send(request.bytes)
            _ = try await client.response()
            fixture.proxy?.stall()
            try await client.send(isOrdinary ? request.ordinary.bytes : request.bytes)
            while fixture.onlineRequests.onEventLoop + fixture.onlineRequests.ordinary < 2 {
                try await Task.sleep(for: .milliseconds(5))
            }
            try await client.finishSending()
            #expect(try await !client.ends(within: .milliseconds(300)))
            fixture.proxy?.resume()
            #expect(try await client.response().status == 200)
            #expect(try await client.ends(within: .seconds(10)))
        }
    }

    @Test("a request that breaks off is refused", arguments: [false, true])
    func brokenOff(isOrdinary: Bool) async throws {
        try await Fixture.with { fixture in
            let request = RawRequest(online: Self.temperature)
            let client = try RawClient(port: fixture.port)
            let bytes = isOrdinary ? request.ordinary.bytes : request.bytes
            try await client.send(Array(bytes.dropLast()))
            try await client.finishSending()
            #expect(try await client.response().status == 400)
            #expect(try await client.isEndedAfterAll(patience: .seconds(10)))
            #expect(fixture.onlineRequests.onEventLoop == 0)
        }
    }

    // MARK: Last requests

    /// An answer that is larger than what the kernel holds for a client that does not read.
    private static let entities = 150_000

    private static var largeRequest: RawRequest {
        let keys = Array(repeating: "1", count: entities).joined(separator: ",")
        return RawRequest(online: #"{"features":["system:load"],"entities":{"user_id":[\#(keys)]}}"#)
    }

    private func withLargeAnswers(_ body: (Fixture) async throws -> Void) async throws {
        var setup = Fixture.Setup()
        setup.limits.maximumEntities = Self.entities
        try await Fixture.with(setup, body)
    }

    private static func isWhole(_ answer: RawResponse) -> Bool {
        answer.status == 200 && answer.body.count > 40 * entities && answer.text.hasSuffix("]}]}")
    }

    @Test(
        "a request that is the client's last is answered to the last byte, and the connection closed",
        arguments: ["1.0", "1.1"], [false, true])
    func lastRequest(version: String, isOrdinary: Bool) async throws {
        try await withLargeAnswers { fixture in
            for isLarge in [false, true] {
                var request = isLarge ? Self.largeRequest : RawRequest(online: Self.temperature)
                request.version = version
                if version == "1.1" { request.headers.append(("Connection", "close")) }
                if isOrdinary { request = request.ordinary }
                let client = try RawClient(port: fixture.port, receiveBufferBytes: 16_384)
                try await client.send(request.bytes)
                // The server has written what it could, and waits for the client.
                try await Task.sleep(for: .milliseconds(500))
                let answer = try await client.response()
                #expect(isLarge ? Self.isWhole(answer) : answer.status == 200)
                #expect(try await client.ends(within: .seconds(10)))
            }
        }
    }

    @Test("a client that closed its side gets its answer to the last byte", arguments: [false, true])
    func largeAnswerAfterHalfClose(isOrdinary: Bool) async throws {
        try await withLargeAnswers { fixture in
            let request = Self.largeRequest
            let client = try RawClient(port: fixture.port, receiveBufferBytes: 16_384)
            try await client.send(isOrdinary ? request.ordinary.bytes : request.bytes)
            try await client.finishSending()
            try await Task.sleep(for: .milliseconds(500))
            let answer = try await client.response()
            #expect(Self.isWhole(answer))
            #expect(try await client.ends(within: .seconds(10)))
        }
    }

    // MARK: What is no HTTP

    @Test("what is malformed is refused after what came before it was answered", arguments: [false, true])
    func malformed(isOrdinary: Bool) async throws {
        try await Fixture.with { fixture in
            let request = RawRequest(online: Self.temperature)
            let client = try RawClient(port: fixture.port)
            var bytes = isOrdinary ? request.ordinary.bytes : request.bytes
            bytes += Array("NO HTTP AT ALL\r\n\r\n".utf8)
            bytes += request.bytes
            try await client.send(bytes)
            #expect(try await client.response().status == 200)
            #expect(try await client.response().status == 400)
            #expect(try await client.ends(within: .seconds(10)))
        }
    }

    @Test("a body whose framing is wrong is refused", arguments: [false, true])
    func wrongFraming(isOrdinary: Bool) async throws {
        try await Fixture.with { fixture in
            let request = RawRequest(online: Self.temperature)
            var bytes = isOrdinary ? request.ordinary.chunked(10) : request.chunked(10)
            // The last chunk says no number.
            bytes.replaceSubrange((bytes.count - 5)..<(bytes.count - 4), with: [UInt8(ascii: "x")])
            let client = try RawClient(port: fixture.port)
            try await client.send(bytes)
            #expect(try await client.response().status == 400)
            #expect(try await client.isEndedAfterAll(patience: .seconds(10)))
            #expect(fixture.onlineRequests.onEventLoop == 0)
        }
    }
}
