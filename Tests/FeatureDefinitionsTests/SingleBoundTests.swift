import FeatureDefinitions
import FeatureModel
import Testing

/// What is expected of a float32 is judged as float32.
@Suite struct SingleBoundTests {
    private static func expectation(_ text: String) throws -> FeatureModel.Expectation {
        let rest = "type: float32, expect: \(text)"
        let project = try DefinitionLoader.load(files: [("f.yaml", singleFeature(rest))])
        return try #require(project.featureViews.first?.features.first?.expectation)
    }

    @Test func `a value spelled like a bound meets it`() throws {
        let expectation = try Self.expectation("{min: 0.7, max: 1.1, one_of: [0.7, 0.9, 1.1]}")
        let values: [Value] = [.float32(0.7), .float32(1.1), .float32(0.9)]
        let column = try #require(Column(type: .float32, values: values))
        var found: [String] = []
        RowChecker(rules: [.init(name: "x", isNullable: true, expectation: expectation)])
            .check([column], firstRow: 1) { found.append("\($1)") }
        #expect(found == [])
        #expect(expectation.minimum == Double(Float(0.7)))
    }

    @Test(arguments: ["default: 0.1, expect: {max: 0.1}", "default: -0.0, expect: {one_of: [0, 1]}"])
    func `a default spelled like a bound, or a zero of the other sign, meets it`(_ rest: String) {
        let errors = mistakes(in: singleFeature("type: float32, \(rest)"))
        #expect(errors.isEmpty, "\(errors)")
    }

    @Test func `a bound beyond the numbers of float32 still refuses infinity`() throws {
        #expect(try Self.expectation("{max: 1e300}").maximum == 1e300)
    }
}
