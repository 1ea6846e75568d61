import FeatureModel
import FeatureService
import PointInTime
import PostgresClient
import Testing

private let definitions = """
    kind: project
    name: test
    ---
    kind: source
    name: readings
    type: table
    columns:
      - {name: id, type: int64, nullable: false}
      - {name: place, type: string, nullable: false}
      - {name: row, type: int64}
      - {name: seen, type: timestamp}
    created_timestamp: seen
    row_key: [place, id]
    """

/// What a row key does, told row by row.
private struct Oracle {
    struct Row {
        let id: Int
        let place: String
        /// Seconds.
        let seen: Int
        let number: Int
    }

    private var live: [String: Row] = [:]
    /// Rows of earlier loads that the last load replaced.
    private(set) var replaced: Int64 = 0
    /// Rows of the last load that do not count.
    private(set) var outdated: Int64 = 0
    private var count = 0

    /// Rows of random keys, as CSV and noted.
    mutating func load(_ rows: Int, keys: Int, using generator: inout some RandomNumberGenerator) -> String {
        var text = "id,place,row,seen\n"
        (replaced, outdated) = (0, 0)
        let first = count
        for _ in 0..<rows {
            let row = Row(
                id: .random(in: 0..<keys, using: &generator), place: Bool.random(using: &generator) ? "a" : "b",
                seen: .random(in: 10..<14, using: &generator), number: count)
            count += 1
            text += "\(row.id),\(row.place),\(row.number),2013-01-01T00:00:\(row.seen)Z\n"
            let key = "\(row.place) \(row.id)"
            guard let other = live[key] else {
                live[key] = row
                continue
            }
            // Of equal recorded times the later row is the newer.
            let loser = row.seen >= other.seen ? other : row
            if loser.number == other.number { live[key] = row }
            if loser.number < first { replaced += 1 } else { outdated += 1 }
        }
        return text
    }

    var numbers: [Int] { live.values.map(\.number).sorted() }
}

@Suite struct RowKeyTests {
    @Test("of each row key the newest row counts, after loads large and small", arguments: 1...3 as ClosedRange<UInt64>)
    func newestCounts(seed: UInt64) async throws {
        var generator = SplitMix64(seed: seed)
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            let table = try await larder.rawTable("readings")
            var oracle = Oracle()
            // Some are a small share of the table, whose keys are looked up, and some a large one, for which the index is
            // walked. The second load has new keys beside old ones, the last ones hardly repeat any.
            for (rows, keys) in [
                (12_000, 9_000), (300, 12_000), (9_000, 15_000), (1, 1), (200, 1_000_000), (90_000, 5_000_000),
            ] {
                let text = oracle.load(rows, keys: keys, using: &generator)
                let result = try await larder.ingest("readings", text)
                #expect(result.rowsWritten == Int64(rows))
                #expect(result.rowsReplaced == oracle.replaced, "seed \(seed), load of \(rows)")
                #expect(result.rowsOutdated == oracle.outdated, "seed \(seed), load of \(rows)")
                let live: String = try await larder.value(
                    "SELECT string_agg(c3::text, ' ' ORDER BY c3) FROM \(query: table) WHERE withdrawn_by IS NULL")
                #expect(
                    live == oracle.numbers.map(String.init).joined(separator: " "), "seed \(seed), load of \(rows)")
            }
        }
    }

    @Test func `a row whose row key is longer than the index takes is quarantined, and refuses a whole load by name`()
        async throws
    {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            // Of a single letter: PostgreSQL could compress it, and what a row may have does not depend on that.
            let places = ["a", String(repeating: "b", count: 2_001), String(repeating: "c", count: 2_000)]
            let rows = places.map { "1,\($0),0,2013-01-01T00:00:00Z\n" }
            let text = "id,place,row,seen\n" + rows.joined()
            let error = try await thrownError { try await larder.write("readings", text, mode: .allOrNothing) }
            #expect(error.code == .rowsRejected)
            #expect(
                error.rows.map(\.description) == [
                    "row 2 (line 3), place: the keys of the row have 2001 bytes together, more than 2000 [key_too_long]"
                ])
            let report = try await larder.write("readings", text)
            #expect(report.rowsWritten == 2 && report.rowsQuarantined == 1 && report.reasons == ["key_too_long": 1])
        }
    }
}
