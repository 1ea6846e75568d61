import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import NIOCore
import Testing
import TextFormats

@testable import HTTPAPI

@Suite("Requests that bring rows")
struct RowsRequestTests {
    private func read(_ body: String, _ headers: HTTPFields = [:]) async throws -> RowsRequest {
        try await RowsRequest(
            Request(
                head: HTTPRequest(
                    method: .post, scheme: "http", authority: "localhost", path: "/", headerFields: headers),
                body: RequestBody(buffer: ByteBuffer(string: body))),
            limits: ServingLimits(), furtherMembers: ["to"])
    }

    private func refusal(_ body: String, _ headers: HTTPFields = [:]) async -> LarderError? {
        do {
            _ = try await read(body, headers)
            return nil
        } catch {
            return error as? LarderError
        }
    }

    /// The text of the rows as they stand in the body.
    private func rows(_ request: RowsRequest) throws -> String {
        let range = try #require(request.rows.array)
        return String(decoding: request.rows.bytes[range], as: UTF8.self)
    }

    @Test(
        "members stand before and after the rows, which stay where they are",
        arguments: [
            #"{"schema_version":1,"mode":"partial","idempotency_key":"k","to":"offline","rows":ROWS}"#,
            #"{"rows":ROWS,"schema_version":1,"mode":"partial","idempotency_key":"k","to":"offline"}"#,
            #" { "to" : "offline", "mode" : "partial", "rows" : ROWS , "schema_version" : 1, "idempotency_key":"k" } "#,
        ])
    func members(template: String) async throws {
        for text in [
            #"[{"a":1},{"b":[1,{}]}]"#, "[]", "[ ]", "[7, null]", "[\n{ \"rows\": [\"]\", \"}\\\"\"] }\r\n]",
            #"[{"a":1,"a":2}]"#,
        ] {
            let request = try await read(template.replacing("ROWS", with: text))
            #expect(try rows(request) == text)
            #expect(request.schemaVersion == 1 && request.mode == .partial && request.idempotencyKey == "k")
            #expect(try RowsRequest.destination([:], request.json) == .offline)
        }
    }

    @Test(
        "what is no request with rows is refused",
        arguments: [
            (#"{"rows":[],"rows":[]}"#, "invalid JSON: member \"rows\" is there twice (line 1, column 13)"),
            (#"{"rows":[{}]} {}"#, "invalid JSON: something follows the value (line 1, column 15)"),
            (#"{"rows":[{}]]"#, "invalid JSON: a comma or } is missing (line 1, column 13)"),
            (#"{"rows":[{"a":1}"#, "invalid JSON: the text ends in the middle of a value (line 1, column 17)"),
            (#"{"rows":[{}],"mode":partial}"#, "invalid JSON: a value is missing (line 1, column 21)"),
            (
                "{\"rows\":" + String(repeating: "[", count: 32),
                "invalid JSON: arrays and objects are nested deeper than 32 (line 1, column 40)"
            ),
            (#"{"rows":{"a":1}}"#, "\"rows\" is not an array of objects"),
            (#"{"rows":null}"#, "\"rows\" is not an array of objects"),
            (#"{"schema_version":1}"#, "\"rows\" is not an array of objects"),
            (#"[{"rows":[]}]"#, "the request is no JSON object"),
            (#"{"rowz":[],"mode":"none"}"#, "the request has an unknown member \"rowz\""),
            (#"{"rows":[],"mode":"none"}"#, "there is no write mode \"none\""),
            (#"{"rows":[],"schema_version":"1"}"#, "\"schema_version\" is no whole number"),
        ])
    func refused(body: String, message: String) async {
        let error = await refusal(body)
        #expect(error?.code == .requestInvalid)
        #expect(error?.message == message)
    }

    @Test("a header that may be there once is refused when it is there twice, also with the same value")
    func repeatedHeaders() async throws {
        let once: HTTPFields = [.idempotencyKey: "a, b", .schemaVersion: "1", .writeMode: "partial"]
        #expect(try await read(#"{"rows":[]}"#, once).idempotencyKey == "a, b")
        for name in [HTTPField.Name.idempotencyKey, .schemaVersion, .writeMode] {
            var twice = once
            twice.append(HTTPField(name: name, value: twice[name] ?? ""))
            let error = await refusal(#"{"rows":[]}"#, twice)
            #expect(error?.code == .requestInvalid)
            #expect(error?.message == "the request has 2 \(name.rawName) headers")
            #expect(error?.hint == "send one")
        }
    }

    @Test("an unknown member is told the nearest name")
    func suggestion() async {
        #expect(await refusal(#"{"rowz":[{}]}"#)?.hint == "did you mean \"rows\"?")
    }
}
