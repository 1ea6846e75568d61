import ArrowIPC
import FeatureModel
import Testing
import TextFormats

@testable import FeatureService

@Suite("Rows of one write")
struct RowReaderTests {
    /// How rows without a value come.
    enum Input: CaseIterable {
        case csv
        case lines
        case array
        case arrow

        func payload(rows: Int, atMost maximumRows: Int) throws -> RowPayload {
            switch self {
            case .csv:
                let header = RowReaderTests.fields.map(\.name).joined(separator: ",")
                let row = String(repeating: ",", count: RowReaderTests.fields.count - 1)
                let text = header + "\n" + String(repeating: row + "\n", count: rows)
                return RowPayload(format: .csv, bytes: Array(text.utf8), maximumRows: maximumRows)
            case .lines:
                let text = String(repeating: "{}\n", count: rows)
                return RowPayload(format: .ndjson, bytes: Array(text.utf8), maximumRows: maximumRows)
            case .array:
                let text = "[" + String(repeating: "{},", count: rows - 1) + "{}]"
                let bytes = Array(text.utf8)
                return try RowPayload(array: bytes.indices, of: bytes, maximumRows: maximumRows)
            case .arrow:
                let batch = RecordBatch(
                    fields: RowReaderTests.fields,
                    columns: RowReaderTests.fields.map { Column(type: $0.type, nulls: rows) }, rowCount: rows)
                var writer = ArrowStreamWriter(fields: RowReaderTests.fields)
                let bytes = writer.schema() + writer.batch(batch) + writer.end()
                return RowPayload(format: .arrows, bytes: bytes, maximumRows: maximumRows)
            }
        }
    }

    static let fields = (0..<16).map { Field(name: "f\($0)", type: .int64) }

    @Test("as many as there may be are read, in batches of few values", arguments: Input.allCases)
    func all(input: Input) throws {
        let rows = 20_000
        var reader = try input.payload(rows: rows, atMost: rows).read(TextReadOptions(fields: Self.fields))
        var count = 0
        while let read = try reader.next() {
            #expect(read.firstRow == count + 1)
            #expect(read.batch.rowCount * Self.fields.count <= 1 << 16)
            count += read.batch.rowCount
        }
        #expect(count == rows)
    }

    @Test("one more is refused, as soon as it is there", arguments: Input.allCases)
    func tooMany(input: Input) throws {
        let payload = try input.payload(rows: 200_000, atMost: 1_000)
        var reader = try payload.read(TextReadOptions(fields: Self.fields))
        let error = #expect(throws: LarderError.self) { _ = try reader.next() }
        #expect(error?.code == .tooManyRows)
        #expect(error?.message == "there are more than 1000 rows")
    }

    @Test("reasons are counted exactly, and kept only for the reply where no row is quarantined")
    func reasons() {
        let rows = 2_000
        // As they are found: column by column.
        let found = ["b", "a"].flatMap { feature in
            (1...rows).map { RowViolation(row: $0, feature: feature, code: "missing", message: "") }
        }
        for keepsReasons in [false, true] {
            var verdict = RowVerdict(.source("raw"), keepsReasons: keepsReasons)
            for batch in 0..<3 {
                let moved = found.map {
                    RowViolation(row: $0.row + batch * rows, feature: $0.feature, code: $0.code, message: $0.message)
                }
                verdict.add(rows: rows + 1, firstRow: 1 + batch * rows, violations: moved)
                #expect(verdict.badRows.map(\.index) == Array(0..<rows))
                #expect(verdict.badRows.map(\.violations.count) == [Int](repeating: keepsReasons ? 2 : 0, count: rows))
                #expect(verdict.goodRows == [rows])
            }
            #expect(verdict.violationCount == 12_000 && verdict.badRowCount == 6_000)
            #expect(verdict.reasons == ["missing": 12_000])
            #expect(verdict.violations.count == 1_000)
            #expect(verdict.violations.prefix(4).map(\.row) == [1, 1, 2, 2])
            #expect(verdict.violations.prefix(4).map(\.feature) == ["b", "a", "b", "a"])
        }
    }
}
