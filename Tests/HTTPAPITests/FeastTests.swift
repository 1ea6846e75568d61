import FeatureDefinitions
import FeatureModel
import Testing
import TextFormats

@testable import FeatureService
@testable import HTTPAPI

@Suite("Feast's paths")
struct FeastTests {
    private static let understoodRequests: [(path: String, body: String)] = [
        ("/push", #"{"push_source_name":"stream","df":{"user_id":[1],"score":[2]}}"#),
        (
            "/push",
            #"{"push_source_name":"stream","df":{},"to":"online_and_offline","allow_registry_cache":true,"#
                + #""transform_on_write":false}"#
        ),
        ("/write-to-online-store", #"{"feature_view_name":"scores","df":{"user_id":[1],"score":[2]}}"#),
        (
            "/write-to-online-store",
            #"{"feature_view_name":"scores","df":{"a":[]},"allow_registry_cache":false,"transform_on_write":true}"#
        ),
        ("/materialize", #"{"start_ts":"2026-01-01T00:00:00","end_ts":"2026-01-02","feature_views":["a"]}"#),
        (
            "/materialize?async=true&force=true",
            #"{"disable_event_timestamp":true,"full_feature_names":false,"version":null,"feature_views":null}"#
        ),
        ("/materialize-incremental", #"{"end_ts":"2026-01-01T00:00:00.123456+01:00","full_feature_names":true}"#),
        ("/v1/projects/shop/materializations", "{}"),
        (
            "/v1/projects/shop/materializations",
            #"{"feature_views":["weather"],"start":"2026-01-01T00:00:00Z","full":true,"only":"online"}"#
        ),
    ]

    @Test("a request that Feast's clients make is understood; a server that only reads says that it does")
    func understood() async throws {
        try await Fixture.with { fixture in
            for (path, body) in Self.understoodRequests {
                let answer = try await fixture.send("POST", path, body: body)
                #expect(answer.status == 503, "\(path) \(body) \(answer.text)")
                #expect(answer.code == "registry_unavailable")
                #expect(answer.detail == "this server only reads")
            }
        }
    }

    /// With what detail and hint of the problem have in them.
    private static let refusedRequests: [(path: String, body: String, detail: String, hint: String)] = [
        ("/push", "[]", "no JSON object", "push_source_name"),
        ("/push", #"{"df":{}}"#, #""push_source_name""#, "push_source_name"),
        ("/push", #"{"push_source_name":1,"df":{}}"#, #""push_source_name""#, "NAME"),
        ("/push", #"{"push_source":"a","df":{}}"#, #"unknown member "push_source""#, "push_source_name"),
        ("/push", #"{"push_source_name":"a"}"#, #""df""#, "event_timestamp"),
        ("/push", #"{"push_source_name":"a","df":[{"a":1}]}"#, #""df""#, "event_timestamp"),
        ("/push", #"{"push_source_name":"a","df":{"a":1}}"#, #"column "a""#, "event_timestamp"),
        ("/push", #"{"push_source_name":"a","df":{"a":[1,2],"b":[1]}}"#, #""a" and "b""#, "each row"),
        ("/push", #"{"push_source_name":"a","df":{},"to":"both"}"#, #"pushed to "both""#, "online_and_offline"),
        ("/write-to-online-store", #"{"df":{}}"#, #""feature_view_name""#, "NAME"),
        ("/write-to-online-store", #"{"feature_view_name":"a","df":{},"to":"online"}"#, #""to""#, "df"),
        ("/materialize", #"{"end_ts":"2026-01-01T00:00:00"}"#, #""start_ts""#, "end_ts"),
        ("/materialize", #"{"start_ts":"2026-02-01","end_ts":"2026-01-01"}"#, #"later than "end_ts""#, ""),
        ("/materialize", #"{"start_ts":"yesterday","end_ts":"2026-01-01"}"#, #""yesterday""#, "UTC"),
        ("/materialize", #"{"disable_event_timestamp":true,"version":"v2"}"#, "single version", "version"),
        ("/materialize", #"{"disable_event_timestamp":"yes"}"#, "neither true nor false", "start_ts"),
        ("/materialize?async=maybe", #"{"disable_event_timestamp":true}"#, #""maybe""#, ""),
        ("/materialize-incremental", "{}", #""end_ts""#, "end_ts"),
        ("/materialize-incremental", #"{"end_ts":"2026-01-01","start_ts":"2026-01-01"}"#, #""start_ts""#, ""),
        ("/materialize-incremental", #"{"end_ts":"2026-01-01","feature_views":"a"}"#, "no array of strings", ""),
        ("/v1/projects/shop/materializations", #"{"start":"2026-01-01T00:00:00"}"#, #""start""#, "Z"),
        ("/v1/projects/shop/materializations", #"{"only":"both"}"#, #""both""#, "offline"),
        ("/v1/projects/shop/materializations", #"{"views":["a"]}"#, #""views""#, "feature_views"),
    ]

    @Test("what cannot be understood is a problem that names the member and says what would work")
    func refused() async throws {
        try await Fixture.with { fixture in
            for (path, body, detail, hint) in Self.refusedRequests {
                let answer = try await fixture.send("POST", path, body: body)
                #expect(answer.status == 400, "\(path) \(body) \(answer.text)")
                #expect(answer.code == "request_invalid")
                #expect(answer.headers["content-type"] == "application/problem+json")
                #expect(answer.detail.contains(detail), "\(answer.detail)")
                #expect(hint.isEmpty || answer.hint.contains(hint), "\(answer.hint)")
            }
        }
    }

    // MARK: What requests mean

    @Test("times without an offset are UTC, a day is its first instant")
    func times() {
        #expect(FeastTime.parse("2026-01-01 02:00:00.5") == Timestamp("2026-01-01T02:00:00.5Z"))
        #expect(FeastTime.parse("2026-01-01T02:00:00+02:00") == Timestamp("2026-01-01T00:00:00Z"))
        #expect(FeastTime.parse("2026-01-01") == Timestamp("2026-01-01T00:00:00Z"))
        #expect(FeastTime.parse("1772323200") == nil)
    }

    private func json(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    /// A materialization as a job keeps it.
    private func document(_ request: MaterializeViews.Request) -> String {
        String(decoding: request.document.serialized(), as: UTF8.self)
    }

    @Test("an incremental run to now is without bounds, one to a time before that ends there")
    func incremental() throws {
        let now = try #require(Timestamp("2026-01-01T12:00:00Z"))
        func request(_ end: String) throws -> MaterializeViews.Request {
            try .init(feastIncremental: try json(#"{"end_ts":"\#(end)","feature_views":["a"]}"#), now: now)
        }
        for end in ["2026-01-01T11:59:00", "2026-01-01T12:00:00", "2027-01-01T00:00:00"] {
            #expect(try document(request(end)) == #"{"feature_views":["a"]}"#)
        }
        #expect(
            try document(request("2026-01-01T11:58:59"))
                == #"{"feature_views":["a"],"end":"2026-01-01T11:58:59Z"}"#)
    }

    @Test("a range is a backfill of it, without event timestamps everything anew")
    func range() throws {
        let range = try MaterializeViews.Request(
            feastRange: try json(#"{"start_ts":"2026-01-01T00:00:00","end_ts":"2026-01-02T00:00:00+01:00"}"#))
        #expect(document(range) == #"{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T23:00:00Z"}"#)
        let all = try MaterializeViews.Request(feastRange: try json(#"{"disable_event_timestamp":true}"#))
        #expect(document(all) == #"{"full":true}"#)
    }

    @Test("a job's materialization is kept as it was asked for")
    func documents() throws {
        for text in [
            "{}", #"{"only":"offline"}"#,
            #"{"feature_views":["a","b"],"start":"2026-01-01T00:00:00.000001Z","end":"2026-02-01T00:00:00Z","#
                + #""full":true,"only":"online"}"#,
        ] {
            #expect(try document(.init(json: try json(text))) == text)
        }
    }

    // MARK: Data frames

    private static let columns: [(String, ValueType)] = [
        ("user_id", .int64), ("at", .timestamp), ("seen", .timestamp), ("score", .int32), ("since", .timestamp),
        ("days", .array(.timestamp)), ("level", .int32),
    ]

    /// A view with all columns but `level` of a push source whose times are `at` and, if it has one, `seen`.
    private static func target(created: String? = "seen") throws -> PushTarget {
        let source = RegisteredSource(
            id: 21, name: "stream", kind: .push, timestampColumn: "at", createdTimestampColumn: created,
            versions: [
                SourceVersion(
                    version: 1,
                    columns: columns.enumerated().map { index, column in
                        SourceColumn(id: Int32(index + 1), name: column.0, type: column.1, isNullable: true)
                    }, keys: [])
            ], nextColumnID: 9)
        let features = ["score", "since", "days"].enumerated().map { index, name in
            RegisteredFeature(
                schema: FeatureSchema(
                    id: Int32(index + 1), name: name, type: columns.first { $0.0 == name }?.1 ?? .string,
                    isNullable: true, defaultValue: nil))
        }
        let view = RegisteredFeatureView(
            id: 1, name: "scores", currentGeneration: 1,
            generations: [
                GenerationState(
                    number: 1, computationHash: "", entityIDs: [11], entityNames: ["user"],
                    joinKeys: [JoinKey(name: "user_id", type: .int64)], sourceID: 21, sourceName: "stream")
            ],
            versions: [
                ViewVersion(version: 1, generation: 1, features: features, shapeHash: "", computationHash: "")
            ], nextFeatureID: 9)
        let project = RegisteredProject(id: 1, name: "shop", revision: 1, sources: [source], featureViews: [view])
        return try PushTarget.choose(view, nil, in: project).0
    }

    private func rows(_ frame: String, created: String? = "seen") throws -> [String] {
        let frame = try FeastDataFrame(try json(frame))
        let target = try Self.target(created: created)
        let payload = try frame.rows(for: target, among: [target]).payload
        guard case .array(let rows) = try JSONValue.parse(payload.bytes) else { return [] }
        return rows.map { String(decoding: $0.serialized(), as: UTF8.self) }
    }

    @Test("columns become rows; the source's own columns that no view has are left out")
    func rowsOfColumns() throws {
        #expect(
            try rows(#"{"user_id":[1,2],"level":[7,8],"score":[5,null],"at":["2026-01-01T00:00:00Z","x"]}"#) == [
                #"{"user_id":1,"score":5,"at":"2026-01-01T00:00:00Z"}"#, #"{"user_id":2,"score":null,"at":"x"}"#,
            ])
        #expect(try rows(#"{"user_id":[1],"__deleted":[true]}"#) == [#"{"user_id":1,"__deleted":true}"#])
        #expect(try rows("{}").isEmpty)
    }

    @Test("the two times that Feast's remote online store sends are the source's, whatever it calls them")
    func timesOfTheClient() throws {
        let sent = #"{"user_id":[1],"event_timestamp":["2026-01-01T00:00:00"],"created":["2026-01-01T01:00:00.5"]}"#
        #expect(
            try rows(sent) == [#"{"user_id":1,"at":"2026-01-01T00:00:00Z","seen":"2026-01-01T01:00:00.5Z"}"#])
        #expect(try rows(sent, created: nil) == [#"{"user_id":1,"at":"2026-01-01T00:00:00Z"}"#])
    }

    @Test("features that are times may be whole seconds since 1970, of which the least is null")
    func secondsOfFeatures() throws {
        let sent =
            #"{"since":[0,1772323200,-9223372036854775808,1.5,null,1772323200000],"days":[[0],[],null,[1.5],["x"],0]}"#
        #expect(
            try rows(sent) == [
                #"{"since":"1970-01-01T00:00:00Z","days":["1970-01-01T00:00:00Z"]}"#,
                #"{"since":"2026-03-01T00:00:00Z","days":[]}"#, #"{"since":null,"days":null}"#,
                #"{"since":1.5,"days":[1.5]}"#, #"{"since":null,"days":["x"]}"#, #"{"since":1772323200000,"days":0}"#,
            ])
    }

    @Test("a column that neither the view nor its source has is refused with the nearest")
    func unknownColumn() throws {
        let error = #expect(throws: LarderError.self) { try rows(#"{"user_id":[1],"scoer":[5]}"#) }
        #expect(error?.code == .columnUnknown)
        #expect(error?.hint == #"did you mean "score"?"#)
    }

    // MARK: Answers

    @Test("for Feast's clients times are seconds, and fractions of event times have three or six digits")
    func answerTimes() throws {
        var values = Column(type: .timestamp)
        for microseconds: Int64 in [1_772_323_200_500_000, 0] { values.append(int64: microseconds) }
        values.appendNull()
        let times = ["2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.000012Z", "2026-01-01T00:00:00Z"]
        let response = OnlineResponse(
            entityCount: 3, keys: [], keyColumns: [],
            features: [
                .init(
                    name: "since", viewName: "scores", viewPosition: 0, viewLabel: "scores", schemaVersion: 1,
                    values: values,
                    statuses: [.present, .present, .nullValue], eventTimes: times.map { Timestamp($0) })
            ])
        let feast = String(
            decoding: OnlineResponseWriter(dialect: .feast(withVersions: false)).json(response), as: UTF8.self)
        #expect(feast.contains(#""values":[1772323200,0,null]"#), "\(feast)")
        #expect(
            feast.contains(
                #"["2026-01-01T00:00:00.500Z","2026-01-01T00:00:00.000012Z","2026-01-01T00:00:00Z"]"#), "\(feast)")
        let larder = String(decoding: OnlineResponseWriter(dialect: .larder).json(response), as: UTF8.self)
        #expect(larder.contains(#"["2026-03-01T00:00:00.5Z","1970-01-01T00:00:00Z",null]"#), "\(larder)")
        #expect(larder.contains(#""2026-01-01T00:00:00.5Z""#), "\(larder)")
    }
}
