import Foundation
import TestSupport
import Testing
import TextFormats

@testable import FeatureService
@testable import HTTPAPI

@Suite("POST online-features")
struct OnlineFeaturesTests {
    @Test("the answer has keys first, then features, each as arrays over the entities")
    func shape() async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.online(
                #"{"features":["weather:*"],"entities":{"origin":["JFK","EWR","LGA","XXX",null]}}"#)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json")
            let results = [
                #"{"values":["JFK","EWR","LGA","XXX",null],"#
                    + #""statuses":["PRESENT","PRESENT","PRESENT","PRESENT","PRESENT"],"#
                    + #""event_timestamps":[null,null,null,null,null]}"#,
                #"{"values":[39.02,null,"NaN",null,null],"#
                    + #""statuses":["PRESENT","OUTSIDE_MAX_AGE","PRESENT","NOT_FOUND","INVALID_KEY"],"#
                    + #""event_timestamps":["2013-01-01T11:00:00Z","2013-01-01T05:00:00Z","2013-01-01T12:00:00Z",null,null]}"#,
                #"{"values":[null,null,-5,null,null],"#
                    + #""statuses":["NULL_VALUE","OUTSIDE_MAX_AGE","PRESENT","NOT_FOUND","INVALID_KEY"],"#
                    + #""event_timestamps":["2013-01-01T11:00:00Z","2013-01-01T05:00:00Z","2013-01-01T12:00:00Z",null,null]}"#,
                #"{"values":["clear \"sky\"",null,"",null,null],"#
                    + #""statuses":["PRESENT","OUTSIDE_MAX_AGE","PRESENT","NOT_FOUND","INVALID_KEY"],"#
                    + #""event_timestamps":["2013-01-01T11:00:00Z","2013-01-01T05:00:00Z","2013-01-01T12:00:00Z",null,null]}"#,
            ]
            #expect(
                answer.text == #"{"metadata":{"feature_names":["origin","temp","gusts","summary"]},"results":["#
                    + results.joined(separator: ",") + "]}")
        }
    }

    @Test("int64 keeps all digits, bytes are base64, dates and arrays as JSON writes them; static data has no time")
    func types() async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.online(
                #"{"features":["profile:*"],"entities":{"user_id":[9007199254740993],"region":["eu"]}}"#)
            #expect(
                answer.text.contains(
                    #"{"values":[9223372036854775807],"statuses":["PRESENT"],"event_timestamps":[null]}"#))
            #expect(answer.text.contains(#"{"values":["/wA="],"#))
            #expect(answer.text.contains(#"{"values":["1970-01-01"],"#))
            #expect(answer.text.contains(#"{"values":[["a","ü"]],"#))
            #expect(answer.text.hasPrefix(#"{"metadata":{"feature_names":["user_id","region","visits""#))
        }
    }

    @Test("a service maps keys, names features by alias, and answers a view without an entity for every row")
    func service() async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.online(
                #"{"feature_service":"trip","entities":{"origin":["JFK","JFK"],"dest":["LGA","JFK"]}}"#)
            #expect(answer.text.contains(#"["origin","dest","temp","there__temp","load"]"#))
            #expect(answer.text.contains(#"{"values":["NaN",39.02],"#))
            #expect(answer.text.contains(#"{"values":[0.1,0.1],"#))
            let full = try await fixture.online(
                #"{"feature_service":"trip","entities":{"origin":[],"dest":[]},"full_feature_names":true}"#)
            #expect(full.text.contains(#"["origin","dest","weather__temp","there__temp","system__load"]"#))
            #expect(full.text.contains(#"{"values":[],"statuses":[],"event_timestamps":[]}"#))
        }
    }

    @Test("features that need no key answer one row without keys, and each row with keys of other entities")
    func noKeys() async throws {
        try await Fixture.with { fixture in
            let one = try await fixture.online(#"{"features":["system:load"]}"#)
            #expect(one.text.contains(#"{"values":[0.1],"statuses":["PRESENT"]"#))
            let three = try await fixture.online(
                #"{"features":["system:load"],"entities":{"user_id":[1,2,3]}}"#)
            #expect(three.text.contains(#"{"values":[0.1,0.1,0.1],"#))
        }
    }

    @Test("a key that nothing asked for needs is not looked at: JSON repeats it as it came, Arrow is without it")
    func unneededKeys() async throws {
        try await Fixture.with { fixture in
            let body = #"{"features":["weather:temp"],"entities":{"user_id":["x",true],"origin":["JFK","XXX"]}}"#
            let json = try await fixture.online(body)
            #expect(json.text.contains(#"["user_id","origin","temp"]"#), "\(json.text)")
            #expect(json.text.contains(#"{"values":["x",true],"statuses":["PRESENT","PRESENT"],"#))
            let arrow = try await fixture.online(body, headers: ["Accept": "application/vnd.apache.arrow.stream"])
            #expect(arrow.status == 200 && arrow.text.contains("temp__status") && arrow.text.contains("origin"))
            #expect(!arrow.text.contains("user_id"))
        }
    }

    @Test(
        "an integer key may be written 2.0 or 2e0; anything else names key, position and what was expected",
        arguments: [
            (#"1.5"#, "the number 1.5"), (#""1""#, #"the string "1""#), ("true", "true"), ("[1]", "an array"),
            ("9223372036854775808", "the number 9223372036854775808"), ("1e300", "the number 1e300"),
        ])
    func keyTypes(value: String, found: String) async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.online(
                #"{"features":["profile:visits"],"entities":{"region":["eu","eu","eu"],"user_id":[2.0,2e0,VALUE]}}"#
                    .replacingOccurrences(of: "VALUE", with: value))
            #expect(answer.status == 422)
            #expect(answer.code == "join_key_type")
            #expect(
                answer.detail
                    == "join key \"user_id\" has \(found) at position 2, expected an integer of 64 bits")
        }
    }

    @Test(arguments: ["1e16", "-9007199254740992.0"])
    func `an integer key that is written as a float is refused from 2^53 on, with how to write it`(
        value: String
    ) async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.online(
                #"{"features":["profile:visits"],"entities":{"region":["eu"],"user_id":[\#(value)]}}"#)
            #expect(answer.code == "join_key_type")
            #expect(
                answer.detail == "join key \"user_id\" has the number \(value) at position 0, "
                    + "expected an integer of 64 bits, without point or exponent from 2^53 on")
        }
    }

    @Test(
        "a refusal has its status and code, says what would work, and is problem+json",
        arguments: [
            (#"{"features":["weather:temp"],"entities":{}}"#, 422, "join_key_missing", "origin (string)"),
            (
                #"{"features":["weather:temp"],"entities":{"orign":["a"],"origin":["b"]}}"#, 400, "request_invalid",
                "origin"
            ),
            (#"{"features":["weather:tmp"],"entities":{"origin":["b"]}}"#, 404, "feature_not_found", "temp"),
            (#"{"features":["wether:temp"],"entities":{"origin":["b"]}}"#, 404, "feature_view_not_found", "weather"),
            (#"{"feature_service":"tripp","entities":{"origin":["b"]}}"#, 404, "feature_service_not_found", "trip"),
            (#"{"features":["weather@2:temp"],"entities":{"origin":["b"]}}"#, 409, "schema_version_mismatch", "1"),
            (
                #"{"features":["weather:temp","weather:temp"],"entities":{"origin":["b"]}}"#, 422,
                "ambiguous_feature_names", "once"
            ),
            (
                #"{"features":["unpublished:x"],"entities":{"origin":["b"]}}"#, 503, "not_materialized",
                "larder materialize unpublished"
            ),
            (
                #"{"features":["weather:temp"],"entities":{"origin":["a","b"],"user_id":[1]}}"#, 400, "request_invalid",
                "every key"
            ),
            (#"{"features":["weather:temp"],"entities":[]}"#, 400, "request_invalid", "entities"),
            (#"{"features":["weather:temp"],"feature_service":"trip"}"#, 400, "request_invalid", "one of them"),
            (#"{"feature":["weather:temp"],"entities":{}}"#, 400, "request_invalid", "features"),
            (#"{"entities":{}}"#, 400, "request_invalid", "feature_service"),
            (#"[1]"#, 400, "request_invalid", "feature_service"),
            (#"{"features":[],"entities":{"origin":["b"]}}"#, 400, "request_invalid", "view:feature"),
            (#"{"features":["weather:temp"],"entities":{"origin":["\u0000"]}}"#, 422, "join_key_type", nil),
        ])
    func refusals(body: String, status: Int, code: String, hint: String?) async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.online(body)
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.code == code)
            #expect(hint.map { answer.hint.contains($0) } ?? answer.hint.isEmpty, "\(answer.hint)")
            #expect(answer.headers["content-type"] == "application/problem+json")
            #expect(answer.json?["status"] == .integer(status))
            #expect((answer.headers["retry-after"] != nil) == (status == 503))
        }
    }

    @Test("malformed JSON is 400 with line and column")
    func malformed() async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.online("{\"features\": [\n  \"weather:temp\",,\n]}")
            #expect(answer.status == 400)
            #expect(answer.code == "request_invalid")
            #expect(answer.detail.contains("line 2, column 18"), "\(answer.detail)")
        }
    }

    @Test("each limit has a code of its own")
    func limits() async throws {
        var limits = ServingLimits()
        limits.maximumEntities = 3
        limits.maximumFeatures = 2
        limits.maximumValues = 4
        limits.maximumBodyBytes = 400
        try await Fixture.with(limits: limits) { fixture in
            let within = #"{"features":["weather:temp"],"entities":{"origin":["a","b","c"]}}"#
            #expect(try await fixture.online(within).status == 200)
            let entities = #"{"features":["weather:temp"],"entities":{"origin":["a","b","c","d"]}}"#
            #expect(try await fixture.online(entities).code == "too_many_entities")
            let features = #"{"features":["weather:*"],"entities":{"origin":["a"]}}"#
            #expect(try await fixture.online(features).code == "too_many_features")
            let values = #"{"features":["weather:temp","weather:gusts"],"entities":{"origin":["a","b","c"]}}"#
            #expect(try await fixture.online(values).code == "limit_exceeded")
            let body = within + String(repeating: " ", count: 400)
            let answer = try await fixture.online(body)
            #expect(answer.status == 413)
            #expect(answer.code == "body_too_large")
            let large = try await fixture.online(within + String(repeating: " ", count: 4 << 20))
            #expect(large.code == "body_too_large")
        }
    }

    @Test("another project is 404 with the nearest name")
    func project() async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.send(
                "POST", "/v1/projects/shap/online-features", body: #"{"features":["system:load"]}"#)
            #expect(answer.status == 404)
            #expect(answer.code == "project_not_found")
            #expect(answer.hint.contains("shop"))
        }
    }

    @Test("an emptied Redis answers 503 online_store_rebuilding, a dead one 503 online_store_unavailable")
    func storeFailures() async throws {
        try await Fixture.with { fixture in
            let body = #"{"features":["system:load"]}"#
            try await fixture.server.empty()
            let emptied = try await fixture.online(body)
            #expect(emptied.status == 503)
            #expect(emptied.code == "online_store_rebuilding")
            #expect(try await fixture.send("GET", "/health/ready").status == 503)
            fixture.server.kill()
            let dead = try await fixture.online(body)
            #expect(dead.status == 503)
            #expect(dead.code == "online_store_unavailable")
            #expect(dead.headers["retry-after"] == "1")
            #expect(try await fixture.send("GET", "/health/live").status == 200)
            #expect(try await fixture.send("GET", "/health/ready").text.contains(#"{"name":"redis","status":"fail""#))
        }
    }

    @Test("bodies and answers that are not JSON are refused")
    func mediaTypes() async throws {
        try await Fixture.with { fixture in
            let body = #"{"features":["system:load"]}"#
            let csv = try await fixture.online(body, headers: ["Content-Type": "text/csv"])
            #expect(csv.status == 415)
            #expect(csv.code == "unsupported_media_type")
            #expect(
                try await fixture.online(body, headers: ["Content-Type": "application/json; charset=utf-8"]).status
                    == 200)
            let xml = try await fixture.online(body, headers: ["Accept": "text/xml"])
            #expect(xml.status == 406)
            #expect(xml.code == "not_acceptable")
            #expect(try await fixture.online(body, headers: ["Accept": "text/html, */*;q=0.8"]).status == 200)
            let arrow = "application/vnd.apache.arrow.stream"
            for accept in ["application/json;q=0", "*/* ; Q=0.000", "\(arrow);q=0, text/html"] {
                #expect(try await fixture.online(body, headers: ["Accept": accept]).status == 406, "\(accept)")
            }
            let other = try await fixture.online(body, headers: ["Accept": "application/json;q=0, \(arrow)"])
            #expect(other.headers["content-type"] == arrow, "\(other)")
        }
    }

    @Test func `an unknown member is answered with those that the path takes`() async throws {
        try await Fixture.with { fixture in
            let members = "members are feature_service, features, entities, full_feature_names"
            #expect(try await fixture.online(#"{"zz":1}"#).hint == members)
            let path = "/get-online-features"
            let unknown = try await fixture.send("POST", path, body: #"{"zz":1}"#)
            #expect(unknown.hint == "\(members), include_feature_view_version_metadata")
            let misspelled = try await fixture.send(
                "POST", path, body: #"{"include_feature_view_version_meta":true}"#)
            #expect(misspelled.hint == #"did you mean "include_feature_view_version_metadata"?"#)
        }
    }

    @Test("Feast's path has its four statuses, a timestamp everywhere, and view versions on demand")
    func feast() async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.send(
                "POST", "/get-online-features",
                body: #"{"features":["weather:temp"],"entities":{"origin":["JFK","EWR",null]},"#
                    + #""full_feature_names":true,"include_feature_view_version_metadata":true}"#,
                headers: ["Content-Type": "application/x-www-form-urlencoded"])
            #expect(answer.status == 200)
            let epoch = #""1970-01-01T00:00:00Z""#
            #expect(
                answer.text == #"{"metadata":{"feature_names":["origin","weather__temp"],"#
                    + #""feature_view_metadata":[{"name":"weather","version":1}]},"results":["#
                    + #"{"values":["JFK","EWR",null],"statuses":["PRESENT","PRESENT","PRESENT"],"event_timestamps":["#
                    + "\(epoch),\(epoch),\(epoch)"
                    + #"]},{"values":[39.02,null,null],"statuses":["PRESENT","OUTSIDE_MAX_AGE","NOT_FOUND"],"#
                    + #""event_timestamps":["2013-01-01T11:00:00Z","2013-01-01T05:00:00Z","# + epoch + "]}]}")
            #expect(try await fixture.send("GET", "/health").status == 200)
        }
    }
}
