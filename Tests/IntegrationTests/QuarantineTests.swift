import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import PostgresClient
import Testing
import TextFormats

/// - Parameter idIsNullable: a change that `backward` allows and that lets rows pass that did not.
private func visits(idIsNullable: Bool = false, extra: String = "") -> String {
    """
    kind: project
    name: test
    ---
    kind: source
    name: visits
    type: table
    columns:
      - {name: id, type: int64, nullable: \(idIsNullable)}
      - {name: amount, type: float64}
      - {name: page, type: string}
    \(extra)
    compatibility: backward
    ---
    kind: source
    name: others
    type: table
    columns: [{name: id, type: int64, nullable: false}]
    """
}

private let header = "id,amount,page\n"

@Suite struct QuarantineTests {
    private func withVisits(_ body: (LarderFixture) async throws -> Void) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(visits())
            try await body(larder)
        }
    }

    private func ids(_ larder: LarderFixture) async throws -> String {
        let table = try await larder.rawTable("visits")
        return try await larder.value(
            """
            SELECT coalesce(string_agg(coalesce(c1::text, 'null') || '/' || coalesce(c3, '-'), ' ' ORDER BY sequence), '')
            FROM \(query: table)
            """)
    }

    private func texts(_ entries: [QuarantineEntry]) -> [String] {
        entries.map { String(decoding: $0.record, as: UTF8.self) }
    }

    @Test func `CSV rows are kept byte for byte, whatever quotes and line ends they have`() async throws {
        try await withVisits { larder in
            let text =
                "\u{FEFF}id,\"amount\",page\r\n1,2,ok\r\nx,2,\"a\r\nb, \"\"c\"\"\"\r\n\r\n,NA,\"\"\r\n\"y\",\"\",é\n3,many,"
            let report = try await larder.write("visits", text, null: "NA")
            #expect(report.rowsWritten == 1 && report.rowsQuarantined == 4)
            let entries = try await larder.quarantined("visits")
            #expect(texts(entries) == ["x,2,\"a\r\nb, \"\"c\"\"\"", ",NA,\"\"", "\"y\",\"\",é", "3,many,"])
            #expect(
                entries.map { $0.header.map { String(decoding: $0, as: UTF8.self) } ?? "" }
                    == [String](repeating: "id,\"amount\",page", count: 4))
            #expect(entries.map(\.nullSpelling) == ["NA", "NA", "NA", "NA"])
            #expect(entries.map(\.row) == [2, 3, 4, 5] && entries.map(\.line) == [3, 6, 7, 8])
        }
    }

    @Test func `NDJSON lines are kept byte for byte`() async throws {
        try await withVisits { larder in
            let lines = [#"{ "id" : "1" }"#, "{", #"{"id":1,"a\u0000b":2}"#, "\t{\"page\":\"é\"} "]
            let text = #"{"id":1}"# + "\n" + lines.joined(separator: "\r\n")
            let report = try await larder.write("visits", text, format: .ndjson)
            #expect(report.rowsQuarantined == 4)
            let entries = try await larder.quarantined("visits")
            #expect(texts(entries) == lines)
            #expect(entries[2].violations.map(\.feature) == ["a\u{0}b"])
        }
    }

    @Test func `elements of a JSON array are kept on one line each, and replayed from it`() async throws {
        try await withVisits { larder in
            let body = Array(
                """
                {"schema_version": 1, "rows": [
                  {"id": 1, "page": "a"},\r
                  {
                \t"page": "b\\nc",\r
                    "id": null
                  },
                  [
                    1
                  ]
                ]}
                """.utf8)
            let (_, array) = try JSONValue.parse(body, leaving: "rows")
            let report = try await WriteSourceRows(stores: larder.stores).run(
                .init(
                    source: "visits", schemaVersion: 1, rows: try RowPayload(array: array, of: body), mode: .partial),
                in: try await larder.project())
            #expect(report.rowsWritten == 1 && report.rowsQuarantined == 2)
            let entries = try await larder.quarantined("visits")
            #expect(texts(entries) == ["{\t\"page\": \"b\\nc\",    \"id\": null  }", "[    1  ]"])
            #expect(entries.map(\.row) == [2, 3] && entries.map(\.line) == [nil, nil])
            #expect(entries.flatMap(\.violations).allSatisfy { !$0.message.contains("(line") })
            try await larder.apply(visits(idIsNullable: true))
            let replay = try await larder.replay("visits")
            #expect(replay.rowsWritten == 1 && replay.rowsKept == 1)
            #expect(try await ids(larder) == "1/a null/b\nc")
        }
    }

    @Test func `after the definition was relaxed a replay writes what passes now and keeps the rest`() async throws {
        try await withVisits { larder in
            try await larder.write("visits", header + "1,2,a\n,2,b\n,many,c\n")
            let none = try await larder.replay("visits")
            #expect(none.rowsWritten == 0 && none.rowsKept == 2 && none.schemaVersion == 1)
            try await larder.apply(visits(idIsNullable: true))
            let replay = try await larder.replay("visits")
            #expect(replay.schemaVersion == 2 && replay.rowsWritten == 1 && replay.rowsKept == 1)
            #expect(replay.reasons == ["wrong_type": 1])
            #expect(try await ids(larder) == "1/a null/b")
            let kept = try #require(try await larder.quarantined("visits").first)
            #expect(String(decoding: kept.record, as: UTF8.self) == ",many,c")
            #expect(kept.schemaVersion == 1 && kept.judgedVersion == 2)
            // Places are those of the file that the row came in, not of the replay.
            #expect(kept.violations.map(\.row) == [3] && kept.violations.map(\.line) == [4])
            #expect(kept.violations.first?.message.hasSuffix("(line 4, column 2)") == true, "\(kept.violations)")
            // A second replay finds nothing new and is no write.
            let writes = try await larder.value("SELECT count(*) FROM larder.write", as: Int64.self)
            let again = try await larder.replay("visits")
            #expect(again.rowsWritten == 0 && again.rowsKept == 1)
            #expect(try await larder.value("SELECT count(*) FROM larder.write", as: Int64.self) == writes)
            #expect(try await ids(larder) == "1/a null/b")
        }
    }

    @Test func `rows of an older version may lack what it did not have`() async throws {
        try await withVisits { larder in
            try await larder.write("visits", header + ",1,a\n")
            try await larder.apply(visits(idIsNullable: true, extra: "  - {name: note, type: string}"))
            let unknown = try await thrownError { try await larder.replay("visits", version: 7) }
            #expect(unknown.code == .schemaVersionMismatch)
            let replay = try await larder.replay("visits")
            #expect(replay.schemaVersion == 2 && replay.rowsWritten == 1)
            #expect(try await ids(larder) == "null/a")
        }
    }

    @Test func `a header that does not fit the version is a reason of each of its rows`() async throws {
        try await withVisits { larder in
            try await larder.write("visits", header + "x,1,a\ny,1,b\n")
            try await larder.apply(
                visits().replacingOccurrences(of: "  - {name: page, type: string}\n", with: ""), allowRemovals: true)
            let replay = try await larder.replay("visits")
            #expect(replay.rowsKept == 2 && replay.reasons == ["column_unknown": 2])
            #expect(try await larder.quarantined("visits").map(\.judgedVersion) == [2, 2])
        }
    }

    @Test func `two replays at once write each row once`() async throws {
        try await withVisits { larder in
            let rows = (0..<3_000).map { ",\($0),p\($0)\n" }.joined()
            try await larder.write("visits", header + rows)
            try await larder.apply(visits(idIsNullable: true))
            let written = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<3 { group.addTask { try await larder.replay("visits").rowsWritten } }
                return try await group.reduce(0, +)
            }
            #expect(written == 3_000)
            #expect(try await larder.count(larder.rawTable("visits")) == 3_000)
            #expect(try await larder.count("larder.quarantine") == 0)
        }
    }

    @Test func `rows of many bytes are replayed a few at a time, none left out`() async throws {
        try await withVisits { larder in
            // More than the bytes of a page, and a row that is one by itself.
            let sizes = [1, 3_000_000, 9_000_000, 3_000_000, 3_000_000, 1, 3_000_000]
            let rows = sizes.map { ",1,\(String(repeating: "p", count: $0))\n" }.joined()
            try await larder.write("visits", header + rows)
            try await larder.apply(visits(idIsNullable: true))
            #expect(try await larder.replay("visits").rowsWritten == 7)
            let table = try await larder.rawTable("visits")
            let found: String = try await larder.value(
                "SELECT string_agg(length(c3)::text, ' ' ORDER BY sequence) FROM \(query: table)")
            #expect(found == sizes.map(String.init).joined(separator: " "))
        }
    }

    @Test func `a replay that is killed leaves the rows where they were`() async throws {
        try await withVisits { larder in
            try await larder.write("visits", header + ",1,a\n,many,b\n")
            try await larder.apply(visits(idIsNullable: true))
            let before = try await larder.quarantined("visits").map(\.document)
            let error = try await larder.killedBeforeTheLedgerRow { try await larder.replay("visits") }
            #expect(error.code == .registryUnavailable)
            #expect(try await ids(larder) == "")
            #expect(try await larder.quarantined("visits").map(\.document) == before)
            #expect(try await larder.replay("visits").rowsWritten == 1)
        }
    }

    @Test func `discarding takes one row or all of them, and of one target only`() async throws {
        try await withVisits { larder in
            try await larder.write("visits", header + "x,1,a\ny,1,b\nz,1,c\n")
            try await larder.write("others", "id\nx\n")
            let project = try await larder.project()
            let first = try #require(try await larder.quarantined("visits").first)
            let foreign = try await thrownError {
                _ = try await larder.quarantine.discard(.source("others"), in: project, id: first.id)
            }
            #expect(foreign.code == .quarantinedRowNotFound)
            #expect(try await larder.quarantine.discard(.source("visits"), in: project, id: first.id) == 1)
            #expect(try await texts(larder.quarantined("visits")) == ["y,1,b", "z,1,c"])
            let gone = try await thrownError { _ = try await larder.quarantine.row(id: first.id, in: project) }
            #expect(gone.code == .quarantinedRowNotFound)
            #expect(try await larder.quarantine.discard(.source("visits"), in: project) == 2)
            #expect(try await larder.quarantined("visits").isEmpty)
            #expect(try await larder.quarantined("others").count == 1)
        }
    }

    @Test func `a listing counts rows and reasons by the version they were written for`() async throws {
        try await withVisits { larder in
            try await larder.write("visits", header + "x,many,a\n,1,b\n")
            try await larder.apply(visits(idIsNullable: true))
            try await larder.write("visits", header + "1,many,c\n")
            let listing = try await larder.quarantine.list(.source("visits"), in: try await larder.project(), newest: 2)
            #expect(listing.rowCount == 3)
            #expect(listing.versions.map(\.schemaVersion) == [1, 2] && listing.versions.map(\.rowCount) == [2, 1])
            #expect(
                listing.versions.map { $0.reasons.map { "\($0.code) \($0.count)" } } == [
                    ["wrong_type 2", "null_not_allowed 1"], ["wrong_type 1"],
                ])
            #expect(texts(listing.newest) == ["1,many,c", ",1,b"])
        }
    }

    @Test func `a name that a source and a view share has to be told apart`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(
                visits() + """

                    ---
                    kind: entity
                    name: visitor
                    join_keys: [{name: id, type: int64}]
                    ---
                    kind: feature_view
                    name: visits
                    entities: [visitor]
                    source: visits
                    features: [{name: page, type: string}]
                    """)
            let project = try await larder.project()
            let ambiguous = try await thrownError { _ = try project.writeTarget(named: "visits") }
            #expect(ambiguous.code == .usage && ambiguous.hint == "say --source or --view")
            #expect(try project.writeTarget(named: "visits", kind: .featureView) == .featureView("visits"))
            #expect(try project.writeTarget(named: "others") == .source("others"))
            let unknown = try await thrownError { _ = try project.writeTarget(named: "visit") }
            #expect(unknown.hint == "did you mean \"visits\"?")
        }
    }
}
