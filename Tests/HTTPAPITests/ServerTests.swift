import FeatureModel
import FeatureService
import Foundation
import RedisClient
import Testing
import TextFormats

@testable import HTTPAPI

@Suite("HTTP server")
struct ServerTests {
    @Test("an unknown path is 404 and a known one with another method 405, both as problems")
    func routing() async throws {
        try await Fixture.with { fixture in
            let missing = try await fixture.send("GET", "/nowhere")
            #expect(missing.status == 404)
            #expect(missing.code == "route_not_found")
            #expect(missing.headers["content-type"] == "application/problem+json")
            let method = try await fixture.send("PUT", "/health/live")
            #expect(method.status == 405)
            #expect(method.code == "method_not_allowed")
            #expect(method.headers["allow"] == "GET, HEAD, OPTIONS")
            let options = try await fixture.send("OPTIONS", "/v1/projects/shop/online-features")
            #expect(options.status == 204)
            #expect(options.headers["allow"] == "OPTIONS, POST")
            let head = try await fixture.send("HEAD", "/openapi.json")
            #expect(head.status == 200)
            #expect(head.text.isEmpty)
        }
    }

    @Test func `a path with an empty segment leads nowhere`() async throws {
        try await Fixture.with { fixture in
            let client = try RawClient(port: fixture.port)
            let empty = [
                "/", "//health/live", "/health//live", "/health/live/", "/health/live/?a=b",
                "http://localhost//health/live",
            ]
            for path in empty {
                try await client.send(RawRequest("GET", path).bytes)
                let answer = try await client.response()
                #expect(answer.status == 404, "\(path)")
                #expect(try JSONValue.parse(answer.body)["code"] == .string("route_not_found"), "\(path)")
            }
            let online = RawRequest(online: OnlineConnectionTests.temperature, path: "/\(RawRequest.online)")
            try await client.send(online.bytes)
            #expect(try await client.response().status == 404)
            for path in ["/health/live", "/health/live?a=//b/", "http://localhost/health/live"] {
                try await client.send(RawRequest("GET", path).bytes)
                #expect(try await client.response().status == 200, "\(path)")
            }
        }
    }

    @Test("every answer carries the request's own id if it is sensible, else a new one")
    func requestIdentity() async throws {
        try await Fixture.with { fixture in
            let own = try await fixture.send("GET", "/health/live", headers: ["X-Request-Id": "abc-1.2_3"])
            #expect(own.headers["x-request-id"] == "abc-1.2_3")
            let hostile = try await fixture.send("GET", "/nowhere", headers: ["X-Request-Id": "a b\u{e9}"])
            let made = try #require(hostile.headers["x-request-id"])
            #expect(made.count == 32)
            #expect(hostile.json?["request_id"] == .string(made))
        }
    }

    @Test("registry lists and objects; what is not there names the nearest")
    func registry() async throws {
        try await Fixture.with { fixture in
            let entities = try await fixture.send("GET", "/v1/projects/shop/entities")
            #expect(
                entities.text == #"{"project":"shop","revision":5,"entities":[{"name":"airport","join_keys":"#
                    + #"[{"name":"origin","type":"string"}]},{"name":"user","join_keys":"#
                    + #"[{"name":"region","type":"string"},{"name":"user_id","type":"int64"}]}]}"#)
            let view = try await fixture.send("GET", "/v1/projects/shop/feature-views/weather")
            #expect(view.json?["ttl"] == .string("6h"))
            #expect(view.json?["published"] == .bool(true))
            let unpublished = try await fixture.send("GET", "/v1/projects/shop/feature-views/unpublished")
            #expect(unpublished.json?["published"] == .bool(false))
            let service = try await fixture.send("GET", "/v1/projects/shop/feature-services/trip")
            #expect(service.text.contains(#""as":"there","join_keys":{"origin":"dest"},"features":["temp"]"#))
            let source = try await fixture.send("GET", "/v1/projects/shop/sources/raw")
            #expect(source.json?["query"] == .string("SELECT 1"))
            for (collection, code) in [
                ("entities", "entity_not_found"), ("sources", "source_not_found"),
                ("feature-views", "feature_view_not_found"), ("feature-services", "feature_service_not_found"),
            ] {
                #expect(try await fixture.send("GET", "/v1/projects/shop/\(collection)").status == 200)
                let missing = try await fixture.send("GET", "/v1/projects/shop/\(collection)/nothing")
                #expect(missing.status == 404)
                #expect(missing.code == code)
            }
        }
    }

    @Test("a healthy server is ready and says what it checked; an evicting Redis makes it not ready")
    func readiness() async throws {
        try await Fixture.with { fixture in
            let ready = try await fixture.send("GET", "/health/ready")
            #expect(ready.status == 200, "\(ready.text)")
            for check in ["registry", "migrations", "clock", "redis", "maxmemory_policy", "online_data:shop"] {
                #expect(ready.text.contains(#"{"name":"\#(check)","status":"pass""#), "\(check)")
            }
            _ = try await fixture.redis.execute(.init("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"))
            let evicting = try await fixture.send("GET", "/health/ready")
            #expect(evicting.status == 503)
            #expect(evicting.text.contains(#"{"name":"maxmemory_policy","status":"fail""#))
        }
    }

    @Test("the document served is the document in docs")
    func document() async throws {
        try await Fixture.with { fixture in
            #expect(try await fixture.send("GET", "/openapi.json").json == OpenAPIDocument.json)
            let metrics = try await fixture.send("GET", "/metrics")
            #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    @Test(
        "a fixed clock is refused on an address that others reach",
        arguments: [
            ("127.0.0.1", true), ("127.9.0.1", true), ("::1", true), ("localhost", true), ("0.0.0.0", false),
            ("::", false), ("10.0.0.1", false), ("127.0.0.1.example.com", false), ("127.evil.example.com", false),
        ])
    func fixedClock(host: String, isAllowed: Bool) throws {
        var configuration = ServerConfiguration()
        configuration.host = host
        try configuration.validate()
        configuration.clock = .fixed(Fixture.noon)
        if isAllowed {
            try configuration.validate()
        } else {
            let error = #expect(throws: LarderError.self) { try configuration.validate() }
            #expect(error?.code == .configurationInvalid)
        }
    }
}
