import FeatureService
import TestSupport
import Testing

/// What is answered on the event loop against the ordinary way, which is what defines it.
@Suite("Online requests both ways", .timeLimit(.minutes(5)))
struct OnlinePathTests {
    @Test("random requests get the same status and the same bytes", arguments: 0..<4 as Range<UInt64>)
    func randomRequests(seed: UInt64) async throws {
        try await Fixture.with(VariedProject.setup) { fixture in
            var generator = SeededGenerator(seed: seed)
            let client = try RawClient(port: fixture.port)
            var straightforward = 0
            var texts = ""
            for number in 0..<750 {
                let random = RandomOnlineRequest(id: "r\(number)", &generator)
                let context: Comment =
                    "seed \(seed), request \(number): \(String(decoding: random.request.bytes, as: UTF8.self))"
                let before = fixture.onlineRequests
                try await client.send(random.request.bytes + random.request.ordinary.bytes)
                let answers = try await client.responses(2)
                let after = fixture.onlineRequests
                try #require(answers.map(\.status) == [200, 200] || answers.allSatisfy(Self.isAheadOfClock), context)
                for header in ["content-type", "x-request-id", "retry-after"] {
                    try #require(answers[0].headers[header] == answers[1].headers[header], context)
                }
                try #require(answers[0].body == answers[1].body, context)
                // The second one always goes the ordinary way.
                let expected = random.isStraightforward ? (1, 1) : (0, 2)
                try #require(after.onEventLoop - before.onEventLoop == expected.0, context)
                try #require(after.ordinary - before.ordinary == expected.1, context)
                if random.isStraightforward { straightforward += 1 }
                texts += answers[0].text
            }
            #expect(straightforward > 300, "\(straightforward)")
            for word in ["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE", "DEFAULTED", "INVALID_KEY", "NaN"] {
                #expect(texts.contains("\"\(word)\""), "\(word)")
            }
        }
    }

    private static func isAheadOfClock(_ response: RawResponse) -> Bool {
        response.status == 503 && response.text.contains(#""code":"online_ahead_of_clock""#)
    }

    // MARK: Requests that are out of the ordinary

    private static let load = #"{"features":["site:load"]}"#
    private static let padding = String(repeating: " ", count: 2_000)
    private static let score = #"{"features":["scores:small"],"entities":{"id":[2]}}"#

    /// Requests that have an answer, and whether they get it on the event loop.
    private static let oddRequests: [(request: RawRequest, isOnEventLoop: Bool)] = [
        (RawRequest(online: load), true),
        (RawRequest(online: load, headers: [("content-type", "application/json; charset=utf-8")]), true),
        (RawRequest(online: load, headers: [("CONTENT-TYPE", "application/vnd.some+json")]), true),
        (RawRequest(online: load, path: RawRequest.feast, headers: [("Content-Type", "text/csv")]), true),
        (
            RawRequest(
                online: load, path: RawRequest.feast, headers: [("Content-Type", "a"), ("Content-Type", "b")]), true
        ),
        (RawRequest(online: load, headers: [("ACCEPT", "text/html, */*;q=0.8")]), true),
        (
            RawRequest(
                online: load, headers: [("Accept", "application/json;q=0, application/vnd.apache.arrow.stream")]), true
        ),
        // A header that comes twice means both together.
        (
            RawRequest(
                online: load,
                headers: [("Accept", "application/json"), ("Accept", "application/vnd.apache.arrow.stream")]), false
        ),
        (
            RawRequest(
                online: load,
                headers: [("Accept", "application/vnd.apache.arrow.stream"), ("Accept", "application/json")]), false
        ),
        (RawRequest(online: load, headers: [("Accept", "text/html"), ("Accept", "application/json")]), false),
        (RawRequest(online: load, headers: [("X-Request-Id", "one"), ("X-Request-Id", "two")]), false),
        (RawRequest(online: load, headers: [("X-Request-Id", "not sensible")]), false),
        (RawRequest(online: load, path: "\(RawRequest.online)?now=1"), false),
        (RawRequest(online: #"{"features":["site:load"],"entities":{"\u0069d":[1,2]}}"#), false),
        (RawRequest(online: #"{"\u0066eatures":["site:load"]}"#), false),
        (RawRequest(online: #"{"features":["site\u003aload"]}"#), false),
        (RawRequest(online: #"{"feature_service":"p\u0061ir","entities":{"id":[1],"other_id":[2]}}"#), false),
        (RawRequest(online: #"{"features":["site:load"],"entities":{"id":[]}}"#), true),
        (RawRequest(online: #"{"features":["site:load"],"entities":{}}"#), true),
        (RawRequest(online: "\(load)\(padding)"), true),
    ]

    @Test("odd requests too, and those that look at more than one header go the ordinary way")
    func odd() async throws {
        try await Fixture.with(VariedProject.setup) { fixture in
            for (request, isOnEventLoop) in Self.oddRequests {
                let context: Comment = "\(String(decoding: request.bytes, as: UTF8.self))"
                let client = try RawClient(port: fixture.port)
                let before = fixture.onlineRequests.onEventLoop
                try await client.send(request.bytes + request.ordinary.bytes)
                let answers = try await client.responses(2)
                #expect(fixture.onlineRequests.onEventLoop - before == (isOnEventLoop ? 1 : 0), context)
                #expect(answers.map(\.status) == [200, 200], context)
                #expect(answers[0].headers["content-type"] == answers[1].headers["content-type"], context)
                #expect(answers[0].body == answers[1].body, context)
            }
        }
    }

    @Test("a key of Arrow's answer is where the ordinary way has it, whatever the order of the request")
    func arrowKeys() async throws {
        try await Fixture.with(VariedProject.setup) { fixture in
            let client = try RawClient(port: fixture.port)
            var bodies: Set<[UInt8]> = []
            for entities in [#""user_id":[1],"region":["eu"]"#, #""region":["eu"],"user_id":[1]"#] {
                let request = RawRequest(
                    online: #"{"features":["facts:one_int64"],"entities":{\#(entities)}}"#,
                    headers: [("Accept", "application/vnd.apache.arrow.stream")])
                try await client.send(request.bytes + request.ordinary.bytes)
                for answer in try await client.responses(2) { bodies.insert(answer.body) }
            }
            #expect(bodies.count == 1)
            #expect(fixture.onlineRequests.onEventLoop == 2)
        }
    }

    @Test func `a feature that a row lacks is null to Feast's clients unless a default fills it in`() async throws {
        try await Fixture.with(VariedProject.setup) { fixture in
            // The row is of the first version, which has none of them.
            let body = #"{"features":["scores:extra","scores:spot","scores:added"],"entities":{"id":[0]}}"#
            for (path, statuses) in [
                (RawRequest.feast, ["NULL_VALUE", "NULL_VALUE", "PRESENT"]),
                (RawRequest.online, ["DEFAULTED", "DEFAULTED", "DEFAULTED"]),
            ] {
                let answers = try await bothWays(RawRequest(online: body, path: path), fixture)
                for answer in answers {
                    let told = answer.text.matches(of: #/"statuses":\["(\w+)"\]/#).map { String($0.output.1) }
                    #expect(told == ["PRESENT"] + statuses, "\(path): \(answer.text)")
                }
            }
            #expect(fixture.onlineRequests.onEventLoop == 2)
        }
    }

    // MARK: Requests that are refused

    private static let limits: ServingLimits = {
        var limits = ServingLimits()
        limits.maximumEntities = 5
        limits.maximumFeatures = 20
        limits.maximumValues = 60
        limits.maximumBodyBytes = 2_000
        return limits
    }()

    private static let deep = String(repeating: "[", count: 40)

    private static let refusedBodies: [String] = [
        // No JSON, or not as JSON has to be.
        "", " ", "{", "null", "[]", #"["features"]"#, "\(load)x", "\(load)\(load)", #"{"features":["site:load"],}"#,
        #"{"features":["site:load",]}"#, #"{'features':["site:load"]}"#, "\u{FEFF}\(load)",
        #"{"features" ["site:load"]}"#,
        #"{"features":["site:load"],"entities":{"id":[01]}}"#, #"{"features":["site:load"],"entities":{"id":[1e]}}"#,
        #"{"features":["site:load"],"entities":{"id":[nul]}}"#, "{\"features\":[\"site:\u{1}load\"]}",
        #"{"features":["site:load"],"entities":{"region":["\ud800"]}}"#, #"{"features":["site:\x"]}"#,
        #"{"features":["site:load"],"entities":{"id":[\#(deep)]}}"#,
        // Something stands there twice.
        #"{"features":["site:load"],"features":["site:load"]}"#, #"{"features":null,"features":["site:load"]}"#,
        #"{"feature_service":"pair","feature_service":"pair"}"#,
        #"{"features":["scores:small"],"entities":{"id":[1]},"entities":{"id":[1]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[1],"id":[1]}}"#,
        #"{"features":["site:load"],"full_feature_names":true,"full_feature_names":true}"#,
        // Another shape.
        "{}", #"{"entities":{"id":[1]}}"#, #"{"features":null}"#, #"{"feature_service":null,"features":null}"#,
        #"{"features":"site:load"}"#, #"{"features":{"site":"load"}}"#, #"{"features":["site:load",1]}"#,
        #"{"features":[null]}"#, #"{"features":[["site:load"]]}"#, #"{"features":[]}"#, #"{"feature_service":1}"#,
        #"{"feature_service":["pair"]}"#, #"{"feature_service":"pair","features":["site:load"]}"#,
        #"{"features":["site:load"],"feature_service":"pair"}"#, #"{"features":["site:load"],"entities":[]}"#,
        #"{"features":["site:load"],"entities":null}"#, #"{"features":["scores:small"],"entities":{"id":2}}"#,
        #"{"features":["site:load"],"full_feature_names":"yes"}"#,
        #"{"features":["site:load"],"full_feature_names":1}"#,
        #"{"features":["site:load"],"full_feature_names":[]}"#, #"{"features":["site:load"],"feature":1}"#,
        // Features that are not there.
        #"{"features":["site"]}"#, #"{"features":[":load"]}"#, #"{"features":["site:"]}"#,
        #"{"features":["Site:load"]}"#,
        #"{"features":["site@0:load"]}"#, #"{"features":["site@x:load"]}"#, #"{"features":["site@2:load"]}"#,
        #"{"features":["nowhere:load"]}"#, #"{"features":["site:laod"]}"#, #"{"features":["site:load","site:load"]}"#,
        #"{"features":["site:load","site:*"]}"#, #"{"feature_service":"par"}"#, #"{"feature_service":""}"#,
        #"{"features":["scores@1:small"],"entities":{"id":[1]}}"#,
        #"{"features":["scores@1:*"],"entities":{"id":[1]}}"#,
        #"{"features":["unpublished:x"],"entities":{"id":[1]}}"#, #"{"features":["hidden:y"],"entities":{"id":[1]}}"#,
        // Keys that are not there, or do not fit.
        #"{"features":["scores:small"]}"#, #"{"features":["scores:small"],"entities":{"user_id":[1]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[1],"di":[1]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[1,2],"user_id":[1]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[1],"user_id":[]}}"#,
        #"{"features":["site:load"],"entities":{"id":[1],"user_id":[1,2]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[1,"2"]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[1.5]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[true]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[[1]]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[{}]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[1e30]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[9223372036854775808]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[9007199254740993.0]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[6.9999999999999999999]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[1e-999]}}"#,
        #"{"features":["scores:small"],"entities":{"id":[4503599627370497.5]}}"#,
        #"{"features":["flags:hits"],"entities":{"active":[true],"code":[2147483648]}}"#,
        #"{"features":["flags:hits"],"entities":{"active":[true],"code":[-2147483649]}}"#,
        #"{"features":["flags:hits"],"entities":{"active":["true"],"code":[1]}}"#,
        #"{"features":["flags:hits"],"entities":{"active":[1],"code":[1]}}"#,
        #"{"features":["facts:one_bool"],"entities":{"user_id":[1],"region":[1]}}"#,
        #"{"features":["facts:one_bool"],"entities":{"user_id":[1],"region":["\u0000"]}}"#,
        #"{"features":["days:visits"],"entities":{"on_day":["2013-02-30"]}}"#,
        #"{"features":["files:size"],"entities":{"digest":["?"]}}"#,
        // Too much.
        #"{"features":["scores:small"],"entities":{"id":[1,2,3,4,5,6]}}"#,
        #"{"features":["facts:*","site:*"],"entities":{"user_id":[1],"region":["eu"]}}"#,
        #"{"features":["scores:*"],"entities":{"id":[1,2,3,4]}}"#, "\(load)\(padding)",
    ]

    private static let refusedRequests: [RawRequest] = [
        RawRequest(online: load, headers: [("Content-Type", "text/csv")]),
        RawRequest(
            online: load, headers: [("Content-Type", "application/json"), ("Content-Type", "application/json")]),
        RawRequest(online: load, headers: [("Content-Encoding", "gzip")]),
        RawRequest(online: load, path: RawRequest.feast, headers: [("content-encoding", "identity, br")]),
        RawRequest(online: load, headers: [("Accept", "text/xml")]),
        RawRequest(online: load, headers: [("Accept", "")]),
        RawRequest(online: load, headers: [("Accept", "application/json;q=0")]),
        RawRequest(online: load, path: RawRequest.feast, headers: [("Accept", "*/*; q=0.0")]),
        RawRequest(online: load, path: RawRequest.feast, headers: [("Accept", "text/xml")]),
        RawRequest(online: load, path: "/v1/projects/shap/online-features"),
        RawRequest(online: load, path: "/v1/projects//online-features"),
        RawRequest(online: load, path: "/v1/projects/SHOP/online-features"),
        RawRequest(online: #"{"features":["site:load"],"top_k":1}"#),
        RawRequest(online: #"{"features":["site:load"],"top_k":1,"top_k":1}"#, path: RawRequest.feast),
        RawRequest(
            online: #"{"query_string":"a","features":["site:load"],"query_string":null}"#, path: RawRequest.feast),
        RawRequest(online: #"{"features":["site:load"],"other":1}"#, path: RawRequest.feast),
        RawRequest("GET"), RawRequest("PUT"), RawRequest("GET", RawRequest.feast),
    ]

    @Test("what is refused is refused the same way, and never on the event loop")
    func refusals() async throws {
        try await Fixture.with(VariedProject.limitedSetup(Self.limits)) { fixture in
            var requests = Self.refusedRequests
            requests.append(Self.invalidUTF8)
            for body in Self.refusedBodies {
                requests.append(RawRequest(online: body))
                requests.append(RawRequest(online: body, path: RawRequest.feast))
            }
            for (number, each) in requests.enumerated() {
                var request = each
                request.headers.append(("X-Request-Id", "r\(number)"))
                let context: Comment = "\(String(decoding: request.bytes, as: UTF8.self))"
                let answers = try await bothWays(request, fixture)
                #expect(answers[0].status >= 400, context)
                #expect(answers[0].status == answers[1].status, context)
                #expect(answers[0].text.contains(#""code":""#), context)
                #expect(answers[0].text == answers[1].text, context)
                #expect(answers[0].headers["retry-after"] == answers[1].headers["retry-after"], context)
            }
            #expect(fixture.onlineRequests.onEventLoop == 0)
        }
    }

    private static var invalidUTF8: RawRequest {
        var request = RawRequest()
        var body = Array(#"{"features":["facts:one_bool"],"entities":{"user_id":[1],"region":[""#.utf8)
        body += [0xFF, 0xC3]
        body += Array(#""]}}"#.utf8)
        request.body = body
        return request
    }

    /// On connections of their own, because some refusals end one.
    private func bothWays(_ request: RawRequest, _ fixture: Fixture) async throws -> [RawResponse] {
        var answers: [RawResponse] = []
        for each in [request, request.ordinary] {
            let client = try RawClient(port: fixture.port)
            try await client.send(each.bytes)
            answers.append(try await client.response())
        }
        return answers
    }

    @Test("a body that is too large is refused the same way when its size is not said")
    func largeChunks() async throws {
        try await Fixture.with(VariedProject.limitedSetup(Self.limits)) { fixture in
            let request = RawRequest(online: "\(Self.load)\(Self.padding)")
            for each in [request, request.ordinary] {
                let client = try RawClient(port: fixture.port)
                try await client.send(each.chunked(100))
                let answer = try await client.response()
                #expect(answer.status == 413)
                #expect(answer.text.contains(#""code":"body_too_large""#))
            }
            #expect(fixture.onlineRequests.onEventLoop == 0)
        }
    }

    @Test("what the store cannot answer is told the same way, on the event loop too")
    func storeFailures() async throws {
        try await Fixture.with(VariedProject.setup) { fixture in
            var request = RawRequest(online: Self.score)
            request.headers.append(("X-Request-Id", "same"))
            #expect(try await bothWays(request, fixture).map(\.status) == [200, 200])
            try await fixture.server.empty()
            let emptied = try await bothWays(request, fixture)
            #expect(emptied.map(\.status) == [503, 503])
            #expect(emptied[0].text.contains(#""code":"online_store_rebuilding""#))
            #expect(emptied[0].text == emptied[1].text)
            #expect(emptied.map { $0.headers["retry-after"] } == ["10", "10"])
            #expect(fixture.onlineRequests.onEventLoop == 2)
        }
    }
}
