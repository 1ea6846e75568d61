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

    @Test func messagesShowIntegersAsIntegers() throws {
        let column = try #require(Column(type: .int32, values: [.int32(1)]))
        var message = ""
        RowChecker(rules: [.init(name: "f", isNullable: true, expectation: Rules(minimum: 2))])
            .check([column], firstRow: 1) { message = $1.message }
        #expect(message == "1 is not at least 2.0")
    }
}
