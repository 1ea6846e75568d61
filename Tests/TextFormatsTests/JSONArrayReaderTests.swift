import FeatureModel
import Testing

@testable import TextFormats

@Suite("JSON array reading")
struct JSONArrayReaderTests {
    private static let lineFeed = UInt8(ascii: "\n")
    private static let lineEnds = [lineFeed, UInt8(ascii: "\r")]

    private func readOptions(_ seed: UInt64, _ fields: [Field]) -> TextReadOptions {
        var options = TextReadOptions(fields: fields, keepsRecords: true)
        options.limits.maximumBatchRows = 64
        switch seed % 4 {
        case 1: options.extraColumns = .keep
        case 2: options.extraAllowed = ["extra"]
        case 3: options.absenceAllowed = ["c1"]
        default: break
        }
        return options
    }

    private func withoutPlaces(_ violations: [RowViolation]) -> [RowViolation] {
        violations.map { violation in
            RowViolation(
                row: violation.row, feature: violation.feature, code: violation.code,
                message: violation.message.replacing(#/ \(line \d+(?:, column \d+)?\)$/#, with: ""))
        }
    }

    private func records(_ read: ReadText) -> [[UInt8]] {
        read.batches.flatMap { batch in
            (0..<batch.batch.rowCount).map { row in batch.records.map { Array($0[row]) } ?? [] }
        }
    }

    @Test("an array gives the rows that its elements give on a line each", arguments: 0..<12 as Range<UInt64>)
    func likeLines(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var elements = RandomElements(using: &generator)
        let options = readOptions(seed, elements.fields)
        let rows = 400
        var lines: [UInt8] = []
        var array = [UInt8(ascii: "[")]
        var kept: [[UInt8]] = []
        for row in 0..<rows {
            let element = elements.next(using: &generator)
            lines += element.map { Self.lineEnds.contains($0) ? UInt8(ascii: " ") : $0 } + [Self.lineFeed]
            if row > 0 { array.append(UInt8(ascii: ",")) }
            array += RandomElements.whitespace.pick(&generator) + element + RandomElements.whitespace.pick(&generator)
            kept.append(element.filter { !Self.lineEnds.contains($0) })
        }
        array.append(UInt8(ascii: "]"))

        let expected = try readNDJSON(lines, options)
        let read = try readArray(array, options)
        #expect(read.fields == expected.fields, "seed \(seed)")
        #expect(read.batches.map(\.batch) == expected.batches.map(\.batch), "seed \(seed)")
        #expect(read.batches.map(\.firstRow) == expected.batches.map(\.firstRow))
        #expect(read.violations == withoutPlaces(expected.violations), "seed \(seed)")
        #expect(read.lines.isEmpty)
        #expect(records(read) == kept, "seed \(seed)")

        let codes = Set(read.violations.map(\.code))
        #expect(codes.isSuperset(of: ["invalid_json", "wrong_type", "missing", "extra_field", "duplicate_member"]))
        #expect(Set(read.violations.map(\.row)).count < rows * 9 / 10)
    }

    @Test("an array is read where it stands in a larger text")
    func place() throws {
        let text = Array(#"{"rows": [{"a": "x"}, {"a": 1}, null], "b": "ä"}"#.utf8)
        let read = try readArray(text, options(["a": .string]), at: 9..<37)
        #expect(read.rows == [[.string("x")], [.null], [.null]])
        #expect(read.complaints == ["2/0 a wrong_type", "3/0 - invalid_json"])
    }

    @Test("rows are read as they are taken: those before a broken one are there without it")
    func inTurn() throws {
        var options = options(["a": .int64])
        options.limits.maximumBatchRows = 2
        let text = Array(#"[{"a":1},{"a":2},{"a":3},{"a":nul}]"#.utf8)
        var reader = try JSONArrayReader(options)
        try reader.begin(text, text.indices)
        #expect(try reader.nextBatch()?.batch.rowCount == 2)
        let error = failure { () throws(LarderError) in try reader.nextBatch() }
        #expect(error?.code == .requestInvalid)
    }

    @Test("an empty array is no rows, with the declared columns", arguments: [ExtraColumns.reject, .keep])
    func empty(extraColumns: ExtraColumns) throws {
        var options = options(["a": .string])
        options.extraColumns = extraColumns
        let read = try readArray("[ ]".utf8, options)
        #expect(read.rows.isEmpty && read.batches.isEmpty && read.fields.map(\.name) == ["a"])
    }

    @Test(
        "what is no JSON array is an error",
        arguments: ["", "{}", "1", "[{}", "[{},]", "[{} {}]", "[{]", "[{\"a\":nul}]", "[] []", "[{\"a\" 1}]"])
    func invalid(text: String) {
        let error = failure { () throws(LarderError) in try readArray(text.utf8, options(["a": .string])) }
        #expect(error?.code == .requestInvalid, "\(text)")
    }
}
