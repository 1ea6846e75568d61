import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import PostgresClient
import Registry
import Testing

private func readings(rowKey: Bool = false, recorded: Bool = false) -> String {
    """
    kind: project
    name: test
    ---
    kind: entity
    name: sensor
    join_keys: [{name: id, type: int64}]
    ---
    kind: source
    name: readings
    type: table
    columns:
      - {name: id, type: int64, nullable: false}
      - {name: at, type: timestamp, nullable: false}
      - {name: reading, type: float64}
      - {name: label, type: string}
      - {name: seen, type: timestamp}
    timestamp: at
    timezone: America/New_York
    \(recorded ? "created_timestamp: seen" : "")
    \(rowKey ? "row_key: [id, at]" : "")
    ---
    kind: feature_view
    name: sensor_readings
    entities: [sensor]
    source: readings
    features: [{name: reading, type: float64}]
    """
}

private let header = "id,at,reading,label,seen\n"

@Suite struct IngestTests {
    /// A load that has to be refused: code, and what the error has to say.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let what: String
        let text: String
        var format = FrameFormat.csv
        let code: ErrorCode
        let words: [String]

        var testDescription: String { what }

        static let all: [Refusal] = [
            .init(
                what: "wrong type", text: header + "1,2013-01-01T00:00:00Z,1,a,\n2,2013-01-01T00:00:00Z,warm,a,\n",
                code: .rowsRejected, words: ["row 2 (line 3), reading", "\"warm\"", "wrong_type"]),
            .init(
                what: "every reason of a row", text: header + "x,never,warm,a,\n",
                code: .rowsRejected,
                words: [
                    "row 1 (line 2), id", "row 1 (line 2), at", "row 1 (line 2), reading", "1 of 1 rows", "3 reasons",
                ]),
            .init(
                what: "null where a value is required",
                text: header + "\"multi\nline\",,,,\n,2013-01-01T00:00:00Z,1,,\n",
                code: .rowsRejected,
                words: ["row 1 (line 2), id", "row 1 (line 2), at", "row 2 (line 4), id", "null_not_allowed"]),
            .init(
                what: "missing column", text: "id,at,reading,label\n1,2013-01-01T00:00:00Z,1,a\n",
                code: .columnMissing, words: ["\"seen\"", "line 1"]),
            .init(
                what: "extra column", text: "id,at,reading,label,seen,readin\n1,2013-01-01T00:00:00Z,1,a,,2\n",
                code: .columnUnknown, words: ["\"readin\"", "line 1", "did you mean \"reading\""]),
            .init(
                what: "a column twice", text: "id,id,at,reading,label,seen\n1,1,2013-01-01T00:00:00Z,1,a,\n",
                code: .fileMalformed, words: ["\"id\"", "twice", "line 1"]),
            .init(
                what: "too few fields", text: header + "1,2013-01-01T00:00:00Z,1\n",
                code: .rowsRejected, words: ["row 1 (line 2)", "field_count", "3 fields"]),
            .init(
                what: "broken quoting", text: header + "1,2013-01-01T00:00:00Z,1,\"a\"b,\n",
                code: .fileMalformed, words: ["line 2", "column"]),
            .init(
                what: "a quote that never ends", text: header + "1,2013-01-01T00:00:00Z,1,\"a\n",
                code: .fileMalformed, words: ["line 2"]),
            .init(
                what: "NUL", text: header + "1,2013-01-01T00:00:00Z,1,a\u{0}b,\n",
                code: .rowsRejected, words: ["row 1 (line 2), label", "NUL"]),
            .init(
                what: "an integer beyond the type", text: header + "9223372036854775808,2013-01-01T00:00:00Z,1,a,\n",
                code: .rowsRejected, words: ["row 1 (line 2), id", "out_of_range"]),
            .init(what: "an empty file", text: "", code: .fileMalformed, words: ["empty"]),
            .init(
                what: "broken JSON", text: "{\"id\":1,\"at\":\"2013-01-01T00:00:00Z\"}\n{\"id\":2,\n", format: .ndjson,
                code: .rowsRejected, words: ["row 2 (line 2)"]),
            .init(
                what: "a JSON member too many", text: "{\"id\":1,\"at\":\"2013-01-01T00:00:00Z\",\"colour\":1}\n",
                format: .ndjson,
                code: .rowsRejected, words: ["row 1 (line 1), colour", "extra_field"]),
            .init(
                what: "JSON of the wrong type",
                text: "{\"id\":\"1\",\"at\":\"2013-01-01T00:00:00Z\"}\n{\"at\":\"2013-01-01T00:00:00Z\"}\n",
                format: .ndjson,
                code: .rowsRejected, words: ["row 1 (line 1), id", "row 2 (line 2), id"]),
            .init(
                what: "a JSON NUL", text: #"{"id":1,"at":"2013-01-01T00:00:00Z","label":"a\u0000"}"# + "\n",
                format: .ndjson,
                code: .rowsRejected, words: ["row 1 (line 1), label"]),
            .init(what: "no Arrow file", text: header, format: .arrow, code: .fileMalformed, words: ["Arrow"]),
        ]
    }

    private func withReadings(
        _ definitions: String = readings(), _ body: (LarderFixture) async throws -> Void
    ) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            try await larder.ingest("readings", header + "7,2012-01-01T00:00:00Z,1,first,2012-01-01T00:00:00Z\n")
            try await body(larder)
        }
    }

    /// Whatever a load could leave behind.
    private func state(_ larder: LarderFixture) async throws -> String {
        let table = try await larder.rawTable("readings")
        return try await larder.value(
            """
            SELECT concat_ws(' / ', (SELECT string_agg(r::text, ';' ORDER BY sequence) FROM \(query: table) r),
                             (SELECT count(*) FROM larder.write))
            """)
    }

    @Test(arguments: Refusal.all)
    func `a refused load says where and why, and leaves the table as it was`(_ refusal: Refusal) async throws {
        try await withReadings { larder in
            let before = try await state(larder)
            let error = try await thrownError {
                try await larder.ingest("readings", refusal.text, format: refusal.format)
            }
            #expect(error.code == refusal.code)
            for word in refusal.words { #expect(error.description.contains(word), "\(error)") }
            #expect(try await state(larder) == before)
        }
    }

    @Test func `bytes that are not UTF-8 are refused with their line`() async throws {
        try await withReadings { larder in
            let before = try await state(larder)
            let bytes = Array((header + "1,2013-01-01T00:00:00Z,1,a").utf8) + [0xC3, 0x28] + Array(",\n".utf8)
            let error = try await thrownError {
                try await larder.withTemporaryFile(bytes) { path in
                    _ = try await IngestRows(stores: larder.stores).run(
                        .init(source: "readings", path: path, format: .csv), in: try await larder.project())
                }
            }
            #expect(error.code == .rowsRejected)
            #expect(error.description.contains("row 1 (line 2), label"), "\(error)")
            #expect(try await state(larder) == before)
        }
    }

    @Test func `a timestamp without a zone is refused where the source names none`() async throws {
        try await withReadings(readings().replacingOccurrences(of: "timezone: America/New_York", with: "")) { larder in
            let error = try await thrownError {
                try await larder.ingest("readings", header + "1,2013-01-01T00:00:00,1,a,\n")
            }
            #expect(error.code == .rowsRejected)
            #expect(
                error.description.contains("row 1 (line 2), at") && error.description.contains("timezone"), "\(error)")
        }
    }

    @Test func `local times of a source's zone resolve late`() async throws {
        try await withReadings { larder in
            try await larder.ingest(
                "readings",
                header + """
                    1,2013-07-01T12:00:00,1,summer,
                    2,2013-11-03T01:30:00,1,twice,
                    3,2013-03-10T02:30:00,1,never,
                    4,2013-07-01T12:00:00.0000001,1,finer,
                    5,2013-07-01T12:00:00Z,1,offset,

                    """)
            let table = try await larder.rawTable("readings")
            let times: String = try await larder.value(
                "SELECT string_agg(to_char(c2 AT TIME ZONE 'UTC', 'MM-DD HH24:MI:SS.US'), ' ' ORDER BY sequence) FROM \(query: table) WHERE c1 < 6"
            )
            #expect(
                times == "07-01 16:00:00.000000 11-03 06:30:00.000000 03-10 07:30:00.000000 07-01 16:00:00.000001 "
                    + "07-01 12:00:00.000000")
        }
    }

    @Test func `nulls are the empty field and the named spelling, not the empty string`() async throws {
        try await withReadings { larder in
            try await larder.ingest(
                "readings",
                header
                    + "1,2013-01-01T00:00:00Z,NA,NA,\n2,2013-01-01T00:00:00Z,,\"\",\n3,2013-01-01T00:00:00Z,,\"NA\",\n",
                null: "NA")
            let table = try await larder.rawTable("readings")
            let labels: String = try await larder.value(
                "SELECT string_agg(coalesce('<' || c4 || '>', 'null'), ' ' ORDER BY sequence) FROM \(query: table) WHERE c1 < 6"
            )
            #expect(labels == "null <> <NA>")
        }
    }

    @Test func `Arrow batches are loaded, with lossless widening and absent nullables refused`() async throws {
        try await withReadings { larder in
            let time = Value.timestamp(try instant("2013-01-01T00:00:00Z"))
            func rows(_ id: ValueType, _ ids: [Value], _ reading: ValueType, _ readings: [Value]) -> RecordBatch {
                recordBatch([
                    ("label", .string, ids.map { _ in .string("x") }), ("id", id, ids),
                    ("at", .timestamp, ids.map { _ in time }), ("reading", reading, readings),
                    ("seen", .timestamp, ids.map { _ in .null }),
                ])
            }
            let result = try await larder.ingest(
                "readings",
                [
                    rows(.int32, [.int32(1), .int32(2)], .int64, [.int64(3), .null]),
                    rows(.int32, [.int32(3)], .int64, [.int64(-4)]),
                ])
            #expect(result.rowsWritten == 3)
            let table = try await larder.rawTable("readings")
            let found: String = try await larder.value(
                "SELECT string_agg(c1 || '=' || coalesce(c3::text, 'null'), ' ' ORDER BY sequence) FROM \(query: table)"
            )
            #expect(found == "7=1 1=3 2=null 3=-4")

            let before = try await state(larder)
            let refused: [(RecordBatch, ErrorCode, String)] = [
                (rows(.int64, [.int64(1)], .int64, [.int64(1 << 53 + 1)]), .rowsRejected, "reading"),
                (rows(.int64, [.null], .float64, [.null]), .rowsRejected, "id"),
                (rows(.float64, [.float64(1)], .float64, [.null]), .columnType, "\"id\""),
                (
                    recordBatch([("id", .int64, [.int64(1)]), ("at", .timestamp, [time])]), .columnMissing,
                    "\"reading\""
                ),
                // Without rows, too.
                (recordBatch([("id", .int64, []), ("at", .timestamp, [])]), .columnMissing, "\"reading\""),
                (recordBatch([("id", .int64, [.int64(1)]), ("when", .timestamp, [time])]), .columnUnknown, "\"when\""),
            ]
            for (batch, code, word) in refused {
                let error = try await thrownError { try await larder.ingest("readings", [batch]) }
                #expect(error.code == code)
                #expect(error.description.contains(word), "\(error)")
                #expect(try await state(larder) == before)
            }
        }
    }

    @Test func `Arrow values that the text formats could not say are refused with column and row`() async throws {
        try await withReadings { larder in
            let before = try await state(larder)
            let time = try instant("2013-01-01T00:00:00Z")
            let extremes: [(Timestamp, Value, ErrorCode, String)] = [
                (.positiveInfinity, .string("x"), .rowsRejected, "row 2, at"),
                (.negativeInfinity, .string("x"), .rowsRejected, "row 2, at"),
                (Timestamp(microsecondsSince1970: .max - 1), .string("x"), .columnType, "\"at\", row 2"),
                (time, .string("a\u{0}b"), .columnType, "\"label\", row 2"),
            ]
            for (at, label, code, place) in extremes {
                let batch = recordBatch([
                    ("id", .int64, [.int64(1), .int64(2)]), ("at", .timestamp, [.timestamp(time), .timestamp(at)]),
                    ("reading", .float64, [.null, .null]), ("label", .string, [.null, label]),
                    ("seen", .timestamp, [.null, .null]),
                ])
                let error = try await thrownError { try await larder.ingest("readings", [batch]) }
                #expect(error.code == code)
                #expect(error.description.contains(place), "\(error)")
                #expect(try await state(larder) == before)
            }
        }
    }

    @Test func `a load is known by its bytes and its version`() async throws {
        try await withReadings { larder in
            let text = header + "1,2013-01-01T00:00:00Z,1,a,\n"
            #expect(try await !larder.ingest("readings", text).wasThereBefore)
            let again = try await larder.ingest("readings", text)
            #expect(again.wasThereBefore && again.rowsWritten == 0)
            #expect(try await !larder.ingest("readings", text + "\n2,2013-01-01T00:00:00Z,1,a,\n").wasThereBefore)
            // Another version reads the same bytes as other rows; here the columns are the same, in another order.
            try await larder.apply(
                readings().replacingOccurrences(
                    of: "  - {name: label, type: string}\n  - {name: seen, type: timestamp}",
                    with: "  - {name: seen, type: timestamp}\n  - {name: label, type: string}"))
            let newer = try await larder.ingest("readings", text)
            #expect(!newer.wasThereBefore && newer.schemaVersion == 2)
            #expect(try await larder.count(larder.rawTable("readings")) == 5)
        }
    }

    @Test func `two loads of the same bytes at once write once`() async throws {
        try await withReadings { larder in
            let text = header + (0..<3_000).map { "\($0),2013-01-01T00:00:00Z,1,a,\n" }.joined()
            let results = try await withThrowingTaskGroup(of: WriteReport.self) { group in
                for _ in 0..<3 { group.addTask { try await larder.ingest("readings", text) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.map(\.wasThereBefore).sorted { !$0 && $1 } == [false, true, true])
            #expect(try await larder.count(larder.rawTable("readings")) == 3_001)
        }
    }

    @Test func `of two loads at once with a row key one row of each key counts`() async throws {
        try await withReadings(readings(rowKey: true)) { larder in
            func rows(_ reading: Int) -> String {
                header
                    + (0..<2_000).map { "\($0 % 1_000),2013-01-01T00:00:00Z,\(reading),load \($0 / 1_000),\n" }.joined()
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for reading in 1...3 { group.addTask { try await larder.ingest("readings", rows(reading)) } }
                try await group.waitForAll()
            }
            let table = try await larder.rawTable("readings")
            let live = try await larder.value(
                "SELECT count(*) FROM \(query: table) WHERE withdrawn_by IS NULL AND c2 > '2012-06-01'", as: Int64.self)
            #expect(live == 1_000)
            // One load's rows won, all of them, and its later ones.
            let winners: String = try await larder.value(
                "SELECT string_agg(DISTINCT write_id || c4, ',') FROM \(query: table) WHERE withdrawn_by IS NULL AND c2 > '2012-06-01'"
            )
            #expect(winners.split(separator: ",").count == 1 && winners.hasSuffix("load 1"))
        }
    }

    @Test func `with a row key the greater recorded time wins, whatever came first`() async throws {
        try await withReadings(readings(rowKey: true, recorded: true)) { larder in
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,1,late,2013-02-02T00:00:00Z\n")
            try await larder.materialize()
            let second = try await larder.ingest(
                "readings",
                header
                    + "1,2013-01-01T00:00:00Z,2,early,2013-02-01T00:00:00Z\n1,2013-01-01T00:00:00Z,3,earlier,2013-01-01T00:00:00Z\n"
            )
            #expect(second.rowsReplaced == 0 && second.rowsOutdated == 2)
            try await larder.materialize()
            let lines = try await larder.trainingSet(
                spine: "id,event_timestamp\n1,2014-01-01T00:00:00Z\n", ["sensor_readings:reading"])
            #expect(lines.last == "1,2014-01-01T00:00:00Z,1.0")
        }
    }

    @Test func `a tombstone takes the entity away from its event time on, and needs no values`() async throws {
        try await withReadings { larder in
            try await larder.ingest("readings", header + "1,2013-01-01T00:00:00Z,5,a,\n")
            try await larder.ingest(
                "readings",
                "id,at,reading,label,seen,__deleted\n1,2013-01-02T00:00:00Z,,,,true\n1,2013-01-03T00:00:00Z,6,,,false\n"
            )
            try await larder.ingest(
                "readings", "{\"id\":1,\"at\":\"2013-01-04T00:00:00Z\",\"__deleted\":true}\n", format: .ndjson)
            try await larder.materialize()
            let lines = try await larder.trainingSet(
                spine: "id,event_timestamp\n" + (1...4).map { "1,2013-01-0\($0)T12:00:00Z\n" }.joined(),
                ["sensor_readings:reading"])
            #expect(
                lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false).last ?? "" } == [
                    "5.0", "", "6.0", "",
                ])
            // What says which row, and when, it does need.
            let error = try await thrownError {
                try await larder.ingest("readings", "id,at,reading,label,seen,__deleted\n1,,,,,true\n")
            }
            #expect(error.code == .rowsRejected && error.description.contains("at"))
        }
    }

    @Test func `sequences keep the order of the input over several blocks`() async throws {
        try await withReadings { larder in
            let count = 150_000
            var text = header
            for row in 0..<count { text += "\(row),2013-01-01T00:00:00Z,1,,\n" }
            let result = try await larder.ingest("readings", text)
            #expect(result.rowsWritten == Int64(count))
            let table = try await larder.rawTable("readings")
            let outOfOrder = try await larder.value(
                """
                SELECT count(*) FROM (SELECT c1, lag(c1) OVER (ORDER BY sequence) AS before FROM \(query: table) WHERE c2 > '2012-06-01') r
                WHERE c1 <> before + 1
                """, as: Int64.self)
            #expect(outOfOrder == 0)
            let blocks = try await larder.value(
                "SELECT count(DISTINCT sequence / 65536) FROM \(query: table) WHERE c2 > '2012-06-01'", as: Int64.self)
            #expect(blocks >= 3)
        }
    }

    @Test func `only table sources take files, and only of versions they have`() async throws {
        try await withReadings { larder in
            try await larder.apply(
                readings() + """

                    ---
                    kind: source
                    name: hourly
                    type: query
                    columns: [{name: id, type: int64}]
                    query: SELECT id FROM readings
                    """)
            let query = try await thrownError { try await larder.ingest("hourly", "id\n1\n") }
            #expect(query.code == .sourceNotIngestible && query.message.contains("query"))
            let unknown = try await thrownError { try await larder.ingest("reading", "id\n1\n") }
            #expect(unknown.code == .sourceNotFound && unknown.hint?.contains("readings") == true)
            let version = try await thrownError {
                try await larder.withTemporaryFile(header) { path in
                    _ = try await IngestRows(stores: larder.stores).run(
                        .init(source: "readings", path: path, format: .csv, schemaVersion: 2),
                        in: try await larder.project())
                }
            }
            #expect(version.code == .schemaVersionMismatch && version.hint?.contains("1") == true)
        }
    }
}
