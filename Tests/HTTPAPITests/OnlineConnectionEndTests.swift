import Foundation
import TestSupport
import Testing
import TextFormats

/// Who ends a connection, and what is answered before: idle clients, greedy ones, a server that stops, a Redis that goes.
@Suite("Ends of connections", .timeLimit(.minutes(3)))
struct OnlineConnectionEndTests {
    private static let temperature = OnlineConnectionTests.temperature

    private static func setup(idleTimeoutSeconds: Int = 60) -> Fixture.Setup {
        var setup = Fixture.Setup()
        setup.idleTimeoutSeconds = idleTimeoutSeconds
        setup.hasProxy = true
        return setup
    }

    // MARK: Idle

    /// What an idle client has sent so far.
    private static let idleClients: [(name: String, bytes: [UInt8], answers: Int)] = [
        ("nothing", [], 0),
        ("an answered request", RawRequest(online: temperature).bytes, 1),
        ("an ordinary one", RawRequest("GET", "/health/live").bytes, 1),
        ("half a head", Array(RawRequest(online: temperature).bytes.prefix(30)), 0),
        ("half a body", Array(RawRequest(online: temperature).bytes.dropLast(5)), 0),
        ("half an ordinary body", Array(RawRequest(online: temperature).ordinary.bytes.dropLast(5)), 0),
        ("half a second request", RawRequest(online: temperature).bytes + Array("POST /".utf8), 1),
    ]

    @Test("a connection on which nothing moves is closed, whatever has come of a request")
    func idle() async throws {
        try await Fixture.with(Self.setup(idleTimeoutSeconds: 1)) { fixture in
            for (name, bytes, answers) in Self.idleClients {
                let client = try RawClient(port: fixture.port)
                try await client.send(bytes)
                _ = try await client.responses(answers)
                #expect(try await !client.ends(within: .milliseconds(500)), "\(name)")
                #expect(try await client.ends(within: .seconds(5)), "\(name)")
            }
        }
    }

    @Test("a request that waits for its answer is not idle", arguments: [false, true])
    func waiting(isOrdinary: Bool) async throws {
        try await Fixture.with(Self.setup(idleTimeoutSeconds: 1)) { fixture in
            let request = RawRequest(online: Self.temperature)
            let client = try RawClient(port: fixture.port)
            fixture.proxy?.stall()
            try await client.send(isOrdinary ? request.ordinary.bytes : request.bytes)
            #expect(try await !client.ends(within: .milliseconds(2_500)))
            fixture.proxy?.resume()
            #expect(try await client.response().status == 200)
            #expect(try await !client.ends(within: .milliseconds(500)))
            #expect(try await client.ends(within: .seconds(5)))
        }
    }

    // MARK: Other protocols

    /// Java's client offers HTTP/2 this way with its first request, and would wait for ever for an answer to its second.
    @Test(
        "a request behind which nothing more would be read is answered as the last one",
        arguments: [
            [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")],
            [("Connection", "Upgrade"), ("Upgrade", "websocket")], [("Proxy-Connection", "close")],
        ])
    func upgrade(headers: [(name: String, value: String)]) async throws {
        try await Fixture.with(Self.setup()) { fixture in
            for isOrdinary in [false, true] {
                var request = RawRequest(online: Self.temperature)
                if isOrdinary { request = request.ordinary }
                request.headers += headers
                let client = try RawClient(port: fixture.port)
                try await client.send(request.bytes)
                let answer = try await client.response()
                #expect(answer.status == 200 && answer.headers["connection"] == "close", "\(answer)")
                #expect(try await client.ends(within: .seconds(5)))
            }
        }
    }

    @Test("what comes behind a last request is dropped, however long its answer takes")
    func behindLast() async throws {
        try await Fixture.with(Self.setup()) { fixture in
            var request = RawRequest(online: Self.temperature).ordinary
            request.headers += [("Connection", "Upgrade"), ("Upgrade", "websocket")]
            let client = try RawClient(port: fixture.port)
            fixture.proxy?.stall()
            try await client.send(request.bytes)
            let before = try Self.residentBytes()
            // The sockets hold some; the rest would have to be kept.
            for _ in 0..<96 { try await client.send([UInt8](repeating: 0x20, count: 1 << 20)) }
            #expect(try Self.residentBytes() - before < 48 << 20)
            fixture.proxy?.resume()
            #expect(try await client.response().status == 200)
            #expect(try await client.ends(within: .seconds(5)))
        }
    }

    /// Of this process, which the server runs in.
    private static func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
        return try #require(Int(pages)) * 4_096
    }

    // MARK: Greedy clients

    @Test("a client that asks and never reads is not read from any more, holds up nobody, and is closed when idle")
    func flood() async throws {
        let limit = 64 << 20
        try await Fixture.with(Self.setup(idleTimeoutSeconds: 3)) { fixture in
            let keys = (0..<200).map { "\"K\($0)\"" }.joined(separator: ",")
            let request = RawRequest(online: #"{"features":["weather:*"],"entities":{"origin":[\#(keys)]}}"#)
            let greedy = try RawClient(port: fixture.port, receiveBufferBytes: 16_384)
            let taken = try await greedy.flood(request.bytes, limit: limit, patience: .seconds(1))
            // What was taken is in the kernel's buffers, or held by the server: were that not bounded, all would be taken.
            #expect(taken < limit / 2)
            let answered = fixture.onlineRequests.onEventLoop
            #expect(answered < taken / request.bytes.count)
            // On every event loop.
            for _ in 0..<8 {
                let other = try RawClient(port: fixture.port)
                try await other.send(RawRequest(online: Self.temperature).bytes)
                #expect(try await other.response().status == 200)
            }
            #expect(fixture.onlineRequests.onEventLoop == answered + 8)
            #expect(try await greedy.breaks(within: .seconds(15)))
        }
    }

    @Test("a client that asks much and reads late gets every answer, in order")
    func lateReader() async throws {
        try await Fixture.with { fixture in
            let keys = (0..<100).map { "\"K\($0)\"" }.joined(separator: ",")
            let body = #"{"features":["weather:*"],"entities":{"origin":[\#(keys)]}}"#
            let client = try RawClient(port: fixture.port, receiveBufferBytes: 16_384)
            let count = 1_500
            let bytes = (0..<count).flatMap { RawRequest(online: body, id: "r\($0)").bytes }
            // Beside the reading: the server takes only so much before its answers are read.
            async let sent: Void = client.send(bytes)
            try await Task.sleep(for: .milliseconds(500))
            for number in 0..<count {
                let answer = try await client.response()
                try #require(answer.status == 200 && answer.headers["x-request-id"] == "r\(number)")
            }
            try await sent
            #expect(fixture.onlineRequests.onEventLoop == count)
        }
    }

    // MARK: Stopping

    @Test("a server that stops answers what it was asked, says that it closes, and closes")
    func shutdown() async throws {
        try await Fixture.with(Self.setup()) { fixture in
            let request = RawRequest(online: Self.temperature)
            var clients: [RawClient] = []
            for _ in 0..<8 {
                let client = try RawClient(port: fixture.port)
                try await client.send(RawRequest("GET", "/health/live").bytes)
                _ = try await client.response()
                clients.append(client)
            }
            fixture.proxy?.stall()
            for (number, client) in clients.prefix(6).enumerated() {
                try await client.send(number < 3 ? request.bytes : request.ordinary.bytes)
            }
            while fixture.onlineRequests != .init(onEventLoop: 3, ordinary: 3) {
                try await Task.sleep(for: .milliseconds(5))
            }
            await fixture.shutDown()
            // One more is on its way while the server stops; the last connection stays idle.
            try await clients[6].send(request.bytes)
            try await Task.sleep(for: .milliseconds(800))
            fixture.proxy?.resume()
            for (number, client) in clients.prefix(7).enumerated() {
                let answer = try await client.response()
                #expect(answer.status == 200, "\(number)")
                #expect(answer.headers["connection"] == "close", "\(number)")
            }
            for (number, client) in clients.enumerated() {
                #expect(try await client.ends(within: .seconds(10)), "\(number)")
            }
            #expect(throws: RawClientError.self) { try RawClient(port: fixture.port) }
        }
    }

    @Test(arguments: [false, true])
    func `a server that stops waits for bodies that are coming in, but not for ever`(isOrdinary: Bool) async throws {
        var setup = Fixture.Setup()
        setup.lastBodyPatienceSeconds = 3
        try await Fixture.with(setup) { fixture in
            var request = RawRequest(online: Self.temperature + String(repeating: " ", count: 1_000))
            if isOrdinary { request = request.ordinary }
            let prompt = try RawClient(port: fixture.port)
            let slow = try RawClient(port: fixture.port)
            for client in [prompt, slow] { try await client.send(Array(request.bytes.dropLast(500))) }
            await fixture.shutDown()
            // Longer than the connection of an idle client is kept.
            for _ in 0..<8 {
                try await slow.send(" ")
                #expect(try await !slow.ends(within: .milliseconds(100)))
            }
            try await prompt.send(Array(request.bytes.suffix(500)))
            let answer = try await prompt.response()
            #expect(answer.status == 200 && answer.headers["connection"] == "close", "\(answer)")
            var hasEnded = false
            for _ in 0..<100 where !hasEnded {
                // It may end in between.
                try? await slow.send(" ")
                hasEnded = try await slow.ends(within: .milliseconds(100))
            }
            #expect(hasEnded)
        }
    }

    // MARK: Redis

    @Test("when Redis goes away, the request under way and those behind it are refused in their order")
    func lostRedis() async throws {
        try await Fixture.with(Self.setup()) { fixture in
            let client = try RawClient(port: fixture.port)
            // A large request first, after which the server reads many small ones at once.
            let padding = String(repeating: " ", count: 400_000)
            try await client.send(RawRequest(online: "\(Self.temperature)\(padding)").bytes)
            #expect(try await client.response().status == 200)
            fixture.proxy?.stall()
            let count = 1_000
            var bytes: [UInt8] = []
            for number in 0..<count { bytes += RawRequest(online: Self.temperature, id: "r\(number)").bytes }
            bytes += RawRequest("GET", "/health/live", headers: [("X-Request-Id", "live")]).bytes
            bytes += RawRequest(online: Self.temperature, id: "last").ordinary.bytes
            try await client.send(bytes)
            while fixture.onlineRequests.onEventLoop < 2 { try await Task.sleep(for: .milliseconds(5)) }
            fixture.proxy?.refuse()
            for number in 0..<count {
                let answer = try await client.response()
                try expectUnavailable(answer, id: "r\(number)")
            }
            let live = try await client.response()
            #expect(live.status == 200 && live.headers["x-request-id"] == "live")
            try expectUnavailable(try await client.response(), id: "last")
            // The connection outlives the outage, and so does the way that its requests are answered.
            fixture.proxy?.resume()
            let before = fixture.onlineRequests.onEventLoop
            var isBack = false
            for _ in 0..<2_000 where !isBack {
                try await client.send(RawRequest(online: Self.temperature).bytes)
                let status = try await client.response().status
                isBack = status == 200 && fixture.onlineRequests.onEventLoop > before
                if !isBack { try await Task.sleep(for: .milliseconds(10)) }
            }
            #expect(isBack)
        }
    }

    private func expectUnavailable(_ answer: RawResponse, id: String) throws {
        try #require(answer.status == 503, "\(id)")
        try #require(answer.headers["x-request-id"] == id)
        try #require(answer.headers["retry-after"] == "1", "\(id)")
        let problem = try JSONValue.parse(answer.body)
        try #require(problem["code"] == .string("online_store_unavailable"), "\(id)")
        try #require(problem["request_id"] == .string(id))
    }

    @Test("an answer of Redis that comes too late refuses its request and reaches no other")
    func lateRedis() async throws {
        try await Fixture.with(Self.setup()) { fixture in
            let client = try RawClient(port: fixture.port)
            let other = RawRequest(online: #"{"features":["weather:temp"],"entities":{"origin":["LGA"]}}"#)
            fixture.proxy?.stall()
            // Longer than a command may take.
            try await client.send(RawRequest(online: Self.temperature, id: "late").bytes + other.bytes)
            try expectUnavailable(try await client.response(), id: "late")
            fixture.proxy?.resume()
            let answer = try await client.response()
            #expect(answer.status == 200)
            #expect(answer.text.contains(#"{"values":["NaN"],"#))
            #expect(fixture.onlineRequests == .init(onEventLoop: 2, ordinary: 0))
        }
    }
}
