import FeatureModel
import Testing

// Swift Testing has one too.
private typealias Rules = FeatureModel.Expectation

@Suite struct RowCheckerTests {
    private func codes(_ column: Column, _ expectation: Rules) -> [String] {
        var found: [String] = []
        let checker = RowChecker(rules: [.init(name: "f", isNullable: true, expectation: expectation)])
        checker.check([column], firstRow: 1) { found.append("\($1.row) \($1.code)") }
        return found
    }

    /// 2^53 + 1 is no float64: as one it would be 2^53, and pass for the bound.
    @Test func integersAreComparedAsTheyAre() throws {
        let edge: Int64 = 1 << 53
        let column = try #require(
            Column(
                type: .int64,
                values: [.int64(edge - 1), .int64(edge), .int64(edge + 1), .int64(edge + 2), .null, .int64(.max)]))
        #expect(
            codes(column, Rules(maximum: 0x1p53)) == ["3 above_maximum", "4 above_maximum", "6 above_maximum"])
        let negative = try #require(
            Column(type: .int64, values: [.int64(-edge - 1), .int64(-edge), .int64(1 - edge), .int64(.min)]))
        #expect(codes(negative, Rules(minimum: -0x1p53)) == ["1 below_minimum", "4 below_minimum"])
        let ends = try #require(Column(type: .int64, values: [.int64(.min), .int64(.max)]))
        #expect(codes(ends, Rules(minimum: -0x1p63, maximum: 0x1p63)) == [])
        #expect(codes(ends, Rules(minimum: 0x1p63)) == ["1 below_minimum", "2 below_minimum"])
        #expect(codes(ends, Rules(minimum: -0.5, maximum: 0.5)) == ["1 below_minimum", "2 above_maximum"])
    }

    @Test func `text and bytes among the keys of a row are counted together, and the longest is named`() throws {
        let names = ["a", "b", "c"]
        let texts = [Value.string(String(repeating: "é", count: 500)), .null, .string("x")]
        let bytes = [1_001, 2_000, 2_000].map { Value.bytes([UInt8](repeating: 7, count: $0)) }
        let first = try #require(Column(type: .string, values: texts))
        let second = try #require(Column(type: .int64, values: [.int64(1), .int64(2), .int64(3)]))
        let third = try #require(Column(type: .bytes, values: bytes))
        var found: [String] = []
        RowChecker.checkKeys([first, second, third], names: names, firstRow: 11) { row, violation in
            found.append("\(row): \(violation)")
        }
        #expect(
            found == [
                "0: row 11, c: the keys of the row have 2001 bytes together, more than 2000 [key_too_long]",
                "2: row 13, c: the keys of the row have 2001 bytes together, more than 2000 [key_too_long]",
            ])
    }

    @Test func `a zero among the accepted values stands for those of both signs`() throws {
        let single = try #require(Column(type: .float32, values: [.float32(-0.0), .float32(0), .float32(2)]))
        #expect(codes(single, Rules(oneOf: [.float32(0), .float32(1)])) == ["3 not_one_of"])
        let double = try #require(Column(type: .float64, values: [.float64(-0.0), .float64(0), .float64(2)]))
        #expect(codes(double, Rules(oneOf: [.float64(-0.0), .float64(1)])) == ["3 not_one_of"])
    }

    @Test func `messages show a float32 and its bound in float32's own digits`() throws {
        let column = try #require(Column(type: .float32, values: [.float32(0.2)]))
        var message = ""
        RowChecker(
            rules: [.init(name: "f", isNullable: true, expectation: Rules(maximum: Double(Float(0.1))))]
        ).check([column], firstRow: 1) { message = $1.message }
        #expect(message == "0.2 is not at most 0.1")
    }

    @Test func messagesShowIntegersAsIntegers() throws {
        let column = try #require(Column(type: .int32, values: [.int32(1)]))
        var message = ""
        RowChecker(rules: [.init(name: "f", isNullable: true, expectation: Rules(minimum: 2))])
            .check([column], firstRow: 1) { message = $1.message }
        #expect(message == "1 is not at least 2.0")
    }
}
