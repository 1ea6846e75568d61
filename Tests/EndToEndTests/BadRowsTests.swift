import Foundation
import PostgresClient
import Testing

/// Rows that a source does not take.
struct BadRows: Sendable, CustomTestStringConvertible {
    let name: String
    let file: Data
    let told: [String]

    var testDescription: String { name }

    private init(_ name: String, _ rows: String, _ told: String...) {
        self.init(name, Data((rows + "\n").utf8), told)
    }

    private init(_ name: String, _ file: Data, _ told: [String]) {
        self.name = name
        self.file = file
        self.told = told
    }

    private static let header = "customer_id,visited_at,amount,page\n1,2024-05-01T10:00:00Z,1,good\n"

    static let all = [
        BadRows("wrong type", header + "x,2024-05-01T10:00:00Z,1,a", "row 2 (line 3), customer_id", "int64"),
        BadRows(
            "every reason of a row", header + "x,yesterday,many,a", "row 2 (line 3), customer_id",
            "row 2 (line 3), visited_at", "row 2 (line 3), amount", "1 of 2 rows", "3 reasons"),
        BadRows("a number with a fraction for an integer", header + "1.5,2024-05-01T10:00:00Z,1,a", "line 3", "1.5"),
        BadRows("null where none may be", header + ",2024-05-01T10:00:00Z,1,a", "line 3", "customer_id"),
        BadRows("missing column", "customer_id,visited_at,amount\n1,2024-05-01T10:00:00Z,1", "\"page\""),
        BadRows("extra column", "customer_id,visited_at,amount,page,pages\n1,2024-05-01T10:00:00Z,1,a,b", "\"pages\""),
        BadRows("extra field", header + "1,2024-05-01T10:00:00Z,1,a,b", "line 3"),
        BadRows("missing field", header + "1,2024-05-01T10:00:00Z,1", "line 3"),
        BadRows("quote that nothing closes", header + "1,2024-05-01T10:00:00Z,1,\"a", "3"),
        BadRows("text after a closing quote", header + "1,2024-05-01T10:00:00Z,1,\"a\"b", "3"),
        BadRows("time without a zone", header + "1,2024-05-01T10:00:00,1,a", "line 3", "visited_at", "timezone"),
        BadRows("no header", Data(), ["header line"]),
        BadRows(
            "bytes that are not UTF-8", Data((header + "1,2024-05-01T10:00:00Z,1,").utf8 + [0xC3, 0x28, 0x0A]),
            ["line 3", "page", "UTF-8"]),
    ]
}

@Suite struct BadRowsTests {
    @Test(arguments: BadRows.all)
    func `bad rows are refused with line and column, and the table is as it was`(_ rows: BadRows) async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let before = try await larder.fingerprint()
            let outcome = try await larder.run(["ingest", "visits", "-", "--format", "csv"], input: rows.file)
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.output.isEmpty)
            for part in rows.told { #expect(outcome.errors.contains(part), "\(part) in \(outcome)") }
            #expect(try await larder.fingerprint() == before)
            #expect(try await larder.rawRowCount() == 0)
        }
    }

    @Test func `the first twenty bad rows are shown and the rest is counted`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let rows =
                "customer_id,visited_at,amount,page\n" + String(repeating: "x,2024-05-01T10:00:00Z,1,a\n", count: 50)
            let text = try await larder.larder("ingest", "visits", "-", "--format", "csv", input: rows)
            #expect(text.errors.contains("50 of 50 rows"))
            #expect(text.errors.matches(of: #/  row \d+ \(line \d+\)/#).count == 20)
            #expect(text.errors.hasSuffix("... and 30 more\n"))
            let json = try await larder.larder(
                "ingest", "visits", "-", "--format", "csv", "--output", "json", input: rows)
            let problem = try #require(JSONSerialization.jsonObject(with: Data(json.errors.utf8)) as? [String: Any])
            #expect(problem["code"] as? String == "rows_rejected")
            #expect((problem["errors"] as? [[String: Any]])?.count == 50)
        }
    }

    @Test func `a file that is not there is told`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let outcome = try await larder.larder("ingest", "visits", "nowhere.csv")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("\"nowhere.csv\""))
            let source = try await larder.larder("ingest", "visit", "-", "--format", "csv")
            #expect(source.errors.contains("did you mean \"visits\"?"))
        }
    }
}

extension Installation {
    func rawRowCount() async throws -> Int64 {
        try await query(
            """
            SELECT coalesce(sum((xpath('//n/text()', query_to_xml(
                format('SELECT count(*) AS n FROM larder_data.%I', relname), false, true, '')))[1]::text::bigint), 0)::bigint
            FROM pg_class WHERE relnamespace = 'larder_data'::regnamespace AND relkind = 'r' AND relname LIKE 'source%'
            """, as: Int64.self)
    }
}
