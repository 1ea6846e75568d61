import FeatureDefinitions
import FeatureModel
import FeatureService
import PostgresClient
import Testing
import TextFormats

/// Writes of many rows: no more than there may be, and all of the bad ones however many.
@Suite struct ManyRowsTests {
    private func withScores(_ body: (LarderFixture) async throws -> Void) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.first))
            try await body(larder)
        }
    }

    @discardableResult
    private func write(_ rows: RowPayload, _ mode: WriteMode, _ larder: LarderFixture) async throws -> WriteReport {
        try await WriteViewRows(stores: larder.stores).run(
            .init(view: "scores", rows: .payload(rows), schemaVersion: 1, mode: mode, destination: .offline),
            in: try await larder.project()
        ).write
    }

    private func elements(_ rows: [String], atMost maximumRows: Int = .max) throws -> RowPayload {
        let bytes = Array("[\(rows.joined(separator: ","))]".utf8)
        return try RowPayload(array: bytes.indices, of: bytes, maximumRows: maximumRows)
    }

    @Test func `of more rows than there may be none is written, and no bad one quarantined`() async throws {
        try await withScores { larder in
            let good = (1...3).map { #"{"user_id": \#($0), "at": "2024-05-01T10:00:00Z", "score": 5}"# }
            for mode in WriteMode.allCases {
                let error = try await thrownError {
                    try await write(try elements(good + ["{}"], atMost: 3), mode, larder)
                }
                #expect(error.code == .tooManyRows)
            }
            #expect(try await larder.count(larder.scoresTable()) == 0)
            #expect(try await larder.count("larder.quarantine") == 0)
            #expect(try await write(try elements(good, atMost: 3), .allOrNothing, larder).rowsWritten == 3)
        }
    }

    /// Bad rows with one good one among them, as JSON and as Arrow.
    private static let count = 25_000
    private static let good = 15_000

    private static func rows(asArrow isArrow: Bool) throws -> [UInt8] {
        guard isArrow else {
            var rows = [String](repeating: "{}", count: count)
            rows[good - 1] = #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 5}"#
            return Array("[\(rows.joined(separator: ","))]".utf8)
        }
        func values(_ value: Value) -> [Value] {
            var values = [Value](repeating: .null, count: count)
            values[good - 1] = value
            return values
        }
        let at = try Value.timestamp(instant("2024-05-01T10:00:00Z"))
        return arrowFile([
            recordBatch([
                ("user_id", .int64, values(.int64(1))), ("at", .timestamp, values(at)),
                ("score", .int32, values(.int32(5))),
            ])
        ])
    }

    @Test(arguments: [false, true])
    func `of many bad rows the first reasons are told, and all are counted and quarantined`(
        isArrow: Bool
    ) async throws {
        try await withScores { larder in
            let bytes = try Self.rows(asArrow: isArrow)
            let payload =
                isArrow
                ? RowPayload(format: .arrow, bytes: bytes) : try RowPayload(array: bytes.indices, of: bytes)
            let bad = Self.count - 1
            let error = try await thrownError { try await write(payload, .allOrNothing, larder) }
            #expect(error.code == .rowsRejected && error.violationCount == 3 * bad)
            #expect(error.rows.map(\.row) == (0..<1_000).map { 1 + $0 / 3 })
            #expect(error.message.contains("\(bad) of \(Self.count) rows"), "\(error.message)")

            let report = try await write(payload, .partial, larder)
            #expect(report.rowsWritten == 1 && report.rowsQuarantined == Int64(bad))
            #expect(report.violations == error.rows && report.violationCount == 3 * bad)
            #expect(report.reasons == ["null_key": bad, "null_timestamp": bad, "null_not_allowed": bad])
            let kept: String = try await larder.value(
                """
                SELECT concat_ws(' ', count(DISTINCT row_number), sum(cardinality(codes)), max(row_number),
                                 bool_or(row_number = \(Int64(Self.good))))
                FROM larder.quarantine
                """)
            #expect(kept == "\(bad) \(3 * bad) \(Self.count) f")
        }
    }
}
