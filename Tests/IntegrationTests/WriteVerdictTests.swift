import FeatureDefinitions
import FeatureModel
import FeatureService
import PostgresClient
import Testing
import TextFormats

/// A source of one version, or with `note` of two.
private func readings(withNote: Bool = false) -> String {
    """
    kind: project
    name: test
    ---
    kind: source
    name: readings
    type: table
    columns:
      - {name: id, type: int64, nullable: false}
      - {name: at, type: timestamp, nullable: false}
      - {name: reading, type: float64}
      - {name: level, type: int32}
      - {name: label, type: string}
    \(withNote ? "  - {name: note, type: string}" : "")
    timestamp: at
    """
}

private let header = "id,at,reading,level,label\n"
private let good = "1,2013-01-01T00:00:00Z,1.5,2,fine\n"

@Suite struct WriteVerdictTests {
    /// A bad row and the one reason it has.
    struct Bad: Sendable, CustomTestStringConvertible {
        let code: String
        let feature: String?
        let record: [UInt8]
        var format = FrameFormat.csv

        init(_ code: String, _ feature: String?, _ record: String, _ format: FrameFormat = .csv) {
            self.code = code
            self.feature = feature
            self.record = Array(record.utf8)
            self.format = format
        }

        init(_ code: String, _ feature: String?, bytes: [UInt8]) {
            self.code = code
            self.feature = feature
            record = bytes
        }

        var testDescription: String { "\(code) (\(format))" }

        static let all = [
            Bad("wrong_type", "reading", "2,2013-01-01T00:00:00Z,warm,2,bad"),
            Bad("out_of_range", "level", "2,2013-01-01T00:00:00Z,1,2147483648,bad"),
            Bad("timestamp_without_zone", "at", "2,2013-01-01T00:00:00,1,2,bad"),
            Bad("nul_in_string", "label", "2,2013-01-01T00:00:00Z,1,2,b\u{0}d"),
            Bad("null_not_allowed", "id", ",2013-01-01T00:00:00Z,1,2,bad"),
            Bad("field_count", nil, "2,2013-01-01T00:00:00Z,1"),
            Bad("invalid_utf8", "label", bytes: Array("2,2013-01-01T00:00:00Z,1,2,".utf8) + [0xC3, 0x28]),
            Bad("wrong_type", "id", #"{"id":"2","at":"2013-01-01T00:00:00Z"}"#, .ndjson),
            Bad("null_not_allowed", "at", #"{"id":2}"#, .ndjson),
            Bad("extra_field", "colour", #"{"id":2,"at":"2013-01-01T00:00:00Z","colour":1}"#, .ndjson),
            Bad("duplicate_member", "id", #"{"id":2,"id":3,"at":"2013-01-01T00:00:00Z"}"#, .ndjson),
            Bad("invalid_json", nil, #"{"id":2,"#, .ndjson),
            Bad("invalid_json", nil, #"[2]"#, .ndjson),
        ]
    }

    private func withReadings(
        _ definitions: String = readings(), _ body: (LarderFixture) async throws -> Void
    ) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            try await body(larder)
        }
    }

    /// Whatever a write could leave behind.
    private func state(_ larder: LarderFixture) async throws -> String {
        let table = try await larder.rawTable("readings")
        return try await larder.value(
            """
            SELECT concat_ws(' / ', (SELECT count(*) FROM \(query: table)), (SELECT count(*) FROM larder.write),
                             (SELECT count(*) FROM larder.quarantine))
            """)
    }

    // MARK: Reasons

    @Test(arguments: Bad.all)
    func `every reason is told once, refuses the whole write, and quarantines its row in a partial one`(
        _ bad: Bad
    ) async throws {
        try await withReadings { larder in
            let lineFeed: [UInt8] = [0x0A]
            let input =
                bad.format == .csv
                ? Array((header + good).utf8) + bad.record + lineFeed
                : Array(#"{"id":1,"at":"2013-01-01T00:00:00Z"}"#.utf8) + lineFeed + bad.record + lineFeed
            let error = try await thrownError {
                try await larder.write("readings", input, format: bad.format, mode: .allOrNothing)
            }
            #expect(error.code == .rowsRejected)
            #expect(error.rows.map(\.code) == [bad.code], "\(error)")
            #expect(error.rows.map(\.feature) == [bad.feature], "\(error)")
            #expect(error.rows.first?.row == 2 && error.violationCount == 1)
            #expect(try await state(larder) == "0 / 0 / 0")

            let report = try await larder.write("readings", input, format: bad.format)
            #expect(report.rowsWritten == 1 && report.rowsQuarantined == 1)
            #expect(report.violations == error.rows)
            #expect(report.reasons == [bad.code: 1] && report.violationCount == 1)
            let entry = try #require(try await larder.quarantined("readings").first)
            #expect(entry.record == bad.record)
            #expect(
                entry.header.map { String(decoding: $0, as: UTF8.self) + "\n" } == (bad.format == .csv ? header : nil))
            #expect(entry.violations == error.rows)
            #expect(entry.format == bad.format.rawValue && entry.row == 2 && entry.schemaVersion == 1)
        }
    }

    @Test func `rows that come as Arrow are quarantined as JSON objects that lose nothing`() async throws {
        try await withReadings { larder in
            let time = try instant("2013-01-01T00:00:00Z")
            // As text these digits are a float64: its shortest ones, filled up with zeros.
            let beyond: Int64 = 5_000_000_000_000_001_000
            let report = try await larder.write(
                "readings",
                arrowFile([
                    recordBatch([
                        ("id", .int32, [.int32(1), .int32(2), .null]),
                        ("at", .timestamp, [.timestamp(time), .timestamp(.positiveInfinity), .timestamp(time)]),
                        ("reading", .int64, [.int64(7), .int64(beyond), .int64(3)]),
                        ("level", .int32, [.null, .int32(5), .int32(6)]),
                        ("label", .string, [.string("fine"), .string("a\nb"), .null]),
                    ])
                ]), format: .arrow)
            #expect(report.rowsWritten == 1 && report.rowsQuarantined == 2)
            #expect(report.reasons == ["inexact": 1, "out_of_range": 1, "null_not_allowed": 1])
            let entries = try await larder.quarantined("readings")
            #expect(entries.map(\.format) == ["json", "json"])
            #expect(
                entries.map { String(decoding: $0.record, as: UTF8.self) } == [
                    #"{"id":2,"at":"infinity","reading":5000000000000001000,"level":5,"label":"a\nb"}"#,
                    #"{"id":null,"at":"2013-01-01T00:00:00Z","reading":3,"level":6,"label":null}"#,
                ])
            // They are refused for what they were all the same.
            let replay = try await larder.replay("readings")
            #expect(replay.rowsWritten == 0 && replay.rowsKept == 2)
            #expect(replay.reasons == ["inexact": 1, "wrong_type": 1, "null_not_allowed": 1])
        }
    }

    @Test func `of ten thousand bad rows the first thousand reasons are told and all are counted and kept`()
        async throws
    {
        try await withReadings { larder in
            let bad = (0..<10_000).map { row in row.isMultiple(of: 2) ? "x,never,1,2,r\(row)" : "\(row),,1,2,r\(row)" }
            var text = header
            for (row, record) in bad.enumerated() {
                text += record + "\n"
                if row.isMultiple(of: 1_000) { text += good }
            }
            let error = try await thrownError { try await larder.write("readings", text, mode: .allOrNothing) }
            #expect(error.rows.count == 1_000 && error.violationCount == 15_000)
            #expect(error.message.contains("10000 of 10010 rows") && error.message.contains("15000 reasons"))
            #expect(try await state(larder) == "0 / 0 / 0")

            let report = try await larder.write("readings", text)
            #expect(report.rowsWritten == 10 && report.rowsQuarantined == 10_000)
            #expect(report.violations == error.rows && report.violationCount == 15_000)
            #expect(report.reasons == ["wrong_type": 10_000, "null_not_allowed": 5_000])
            let kept = try await larder.quarantined("readings").map { String(decoding: $0.record, as: UTF8.self) }
            #expect(kept == bad)
            let listing = try await larder.quarantine.list(.source("readings"), in: try await larder.project())
            #expect(listing.rowCount == 10_000 && listing.newest.count == 20)
            #expect(listing.versions.first?.reasons.map(\.count) == [10_000, 5_000])
        }
    }

    // MARK: Partial writes

    @Test func `a partial write counts once, with its quarantined rows`() async throws {
        try await withReadings { larder in
            let text = header + good + "x,2013-01-01T00:00:00Z,1,2,bad\n"
            try await larder.write("readings", text)
            let before = try await state(larder)
            #expect(before == "1 / 1 / 1")
            let again = try await larder.write("readings", text)
            #expect(again.wasThereBefore && again.rowsWritten == 0 && again.rowsQuarantined == 0)
            #expect(try await state(larder) == before)
        }
    }

    @Test(arguments: [
        ("id,at,reading,level\n1,2013-01-01T00:00:00Z,1,2\n", ErrorCode.columnMissing),
        ("id,at,reading,level,label,lable\n", .columnUnknown),
        (header + good + "2,2013-01-01T00:00:00Z,1,2,\"a\"b\n", .fileMalformed),
        (header + "x,,,,\n" + "2,2013-01-01T00:00:00Z,1,2,\"a\n", .fileMalformed),
    ])
    func `what is wrong with a whole file refuses a partial write too`(text: String, code: ErrorCode) async throws {
        try await withReadings { larder in
            let error = try await thrownError { try await larder.write("readings", text) }
            #expect(error.code == code)
            #expect(try await state(larder) == "0 / 0 / 0")
        }
    }

    @Test func `a partial write that is killed leaves neither rows nor quarantined ones`() async throws {
        try await withReadings { larder in
            let error = try await larder.killedBeforeTheLedgerRow {
                try await larder.write("readings", header + good + "x,2013-01-01T00:00:00Z,1,2,bad\n")
            }
            #expect(error.code == .registryUnavailable)
            #expect(try await state(larder) == "0 / 0 / 0")
        }
    }

    // MARK: Versions

    @Test func `an unknown or retired version is refused with the difference, a deprecated one is warned of`()
        async throws
    {
        try await withReadings { larder in
            let unknown = try await thrownError { try await larder.write("readings", header + good, version: 9) }
            #expect(unknown.code == .schemaVersionMismatch && unknown.hint == "active versions: 1")
            #expect(unknown.errors.count == 5)
            #expect(unknown.errors.first?.message == "version 1 has column \"id\" int64, not null")

            try await larder.apply(readings(withNote: true))
            try await larder.change(LifecycleChange.deprecate, "readings", 1)
            let deprecated = try await larder.write("readings", header + good, version: 1)
            #expect(deprecated.rowsWritten == 1 && deprecated.schemaVersion == 1)
            #expect(
                deprecated.warnings == ["version 1 of source \"readings\" is deprecated; write version 2 instead"])

            try await larder.change(LifecycleChange.retire, "readings", 1)
            let before = try await state(larder)
            let retired = try await thrownError {
                try await larder.write("readings", header + "2,2013-01-01T00:00:00Z,1,2,bad\n", version: 1)
            }
            #expect(retired.code == .schemaVersionMismatch && retired.hint == "active versions: 2")
            #expect(retired.errors.map(\.message) == ["version 1 lacks column \"note\" string"])
            #expect(try await state(larder) == before)
        }
    }

    @Test func `rows of two versions are written side by side`() async throws {
        try await withReadings { larder in
            try await larder.apply(readings(withNote: true))
            try await larder.write("readings", header + good, version: 1)
            let newest = try await larder.write(
                "readings", "id,at,reading,level,label,note\n2,2013-01-01T00:00:00Z,1,2,fine,new\n")
            #expect(newest.schemaVersion == 2 && newest.warnings.isEmpty)
            let table = try await larder.rawTable("readings")
            let rows: String = try await larder.value(
                """
                SELECT string_agg(schema_version || ':' || c1 || ':' || coalesce(c6, '-'), ' ' ORDER BY sequence)
                FROM \(query: table)
                """)
            #expect(rows == "1:1:- 2:2:new")
        }
    }

    @Test func `a version retired while rows are on their way is refused by PostgreSQL, as the version it is`()
        async throws
    {
        try await withReadings { larder in
            try await larder.apply(readings(withNote: true))
            let stale = try await larder.project()
            try await larder.change(LifecycleChange.retire, "readings", 1)
            let error = try await thrownError {
                try await larder.withTemporaryFile(header + good) { path in
                    _ = try await IngestRows(stores: larder.stores).run(
                        .init(source: "readings", path: path, format: .csv, schemaVersion: 1), in: stale)
                }
            }
            #expect(error.code == .schemaVersionMismatch)
            #expect(try await state(larder) == "0 / 0 / 0")
        }
    }

    // MARK: Rows from memory

    @Test func `rows from memory are judged as those of a file, and name their version`() async throws {
        try await withReadings { larder in
            let rows = WriteSourceRows(stores: larder.stores)
            let project = try await larder.project()
            let json = try JSONValue.parse(
                Array(#"[{"id":1,"at":"2013-01-01T00:00:00Z"},{"id":"x","at":"2013-01-01T00:00:00Z"},7]"#.utf8))
            let payload = try RowPayload(json: json)
            let nameless = try await thrownError {
                _ = try await rows.run(.init(source: "readings", schemaVersion: nil, rows: payload), in: project)
            }
            #expect(nameless.code == .requestInvalid && nameless.hint?.contains("Larder-Schema-Version") == true)

            let refused = try await thrownError {
                _ = try await rows.run(.init(source: "readings", schemaVersion: 1, rows: payload), in: project)
            }
            #expect(refused.code == .rowsRejected)
            #expect(refused.rows.map(\.row) == [2, 3] && refused.rows.map(\.line) == [nil, nil])
            #expect(refused.rows.allSatisfy { !$0.message.contains("(line") }, "\(refused)")
            #expect(try await state(larder) == "0 / 0 / 0")

            let partial = WriteSourceRows.Request(
                source: "readings", schemaVersion: 1, rows: payload, mode: .partial)
            #expect(try await rows.run(partial, in: project).rowsQuarantined == 2)
            // Two equal requests count twice, unless a key says that they are one.
            try #expect(await !rows.run(partial, in: project).wasThereBefore)
            #expect(try await state(larder) == "2 / 2 / 4")
            var keyed = partial
            keyed.idempotencyKey = "a"
            try #expect(await !rows.run(keyed, in: project).wasThereBefore)
            try #expect(await rows.run(keyed, in: project).wasThereBefore)
            keyed.idempotencyKey = "b"
            try #expect(await !rows.run(keyed, in: project).wasThereBefore)
            #expect(try await state(larder) == "4 / 4 / 8")
        }
    }
}
