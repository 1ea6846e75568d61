import HTTPTypes
import Testing
import TextFormats

@testable import HTTPAPI

@Suite struct CrossOriginTests {
    /// What browsers say of pages; the requests have `Host: localhost`.
    private static let others: [[(name: String, value: String)]] = [
        [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")], [("Origin", "null")],
        [("Origin", "http://example.com")], [("Origin", "http://localhost:8000")],
        [("Origin", "http://localhost.example.com")], [("Sec-Fetch-Site", "none"), ("Origin", "http://example.com")],
        [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost")],
    ]
    private static let own: [[(name: String, value: String)]] = [
        [("Sec-Fetch-Site", "none")], [("Origin", "http://localhost")], [("origin", "https://LOCALHOST")],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", "http://localhost")],
    ]

    private func expectRefused(_ answer: RawResponse, _ context: Comment) throws {
        #expect(answer.status == 403, context)
        #expect(answer.headers["content-type"] == "application/problem+json", context)
        #expect(try JSONValue.parse(answer.body)["code"] == .string("cross_origin_refused"), context)
    }

    @Test func `what a browser sends for a page of another origin is refused, unless it can only read`() async throws {
        try await Fixture.with { fixture in
            let client = try RawClient(port: fixture.port)
            for headers in Self.others {
                let context: Comment = "\(headers)"
                for path in [RawRequest.online, RawRequest.feast, "/push", "/nowhere"] {
                    let request = RawRequest(online: OnlineConnectionTests.temperature, path: path, headers: headers)
                    try await client.send(request.bytes)
                    try expectRefused(try await client.response(), "\(path) \(headers)")
                }
                try await client.send(RawRequest("GET", "/health/live", headers: headers).bytes)
                #expect(try await client.response().status == 200, context)
                try await client.send(RawRequest("OPTIONS", "/push", headers: headers).bytes)
                #expect(try await client.response().status == 204, context)
            }
            for headers in Self.own {
                try await client.send(RawRequest(online: OnlineConnectionTests.temperature, headers: headers).bytes)
                #expect(try await client.response().status == 200, "\(headers)")
            }
        }
    }

    @Test func `no path that writes is open to pages of other origins`() async throws {
        try await Fixture.with { fixture in
            let client = try RawClient(port: fixture.port)
            let routes = Fixture.routes.filter { $0.method != .get }
            #expect(routes.count > 10)
            for route in routes {
                let path = route.path.replacing("{project}", with: "shop").replacing("{name}", with: "weather")
                    .replacing("{id}", with: "1")
                let headers = [(name: "Origin", value: "http://example.com")]
                try await client.send(RawRequest(route.method.rawValue, path, headers: headers).bytes)
                try expectRefused(try await client.response(), "\(route.method) \(path)")
            }
        }
    }
}
