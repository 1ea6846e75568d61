import FeatureDefinitions
import FeatureModel
import Testing

@Suite struct MistakesTests {
    static let tree = """
        kind: project
        name: flights
        ---
        kind: entity
        name: airport
        join_keys: [{name: origin, type: string}]
        ---
        kind: source
        name: weather
        type: table
        columns:
          - {name: origin, type: string}
          - {name: time_hour, type: timestamp}
          - {name: temp, type: float64}
        timestamp: time_hour
        ---
        kind: feature_view
        name: airport_weather
        entities: [airport]
        source: weather
        ttl: 6h
        features:
          - {name: temp, type: float64}
          - {name: is_freezing, type: bool, expr: temp <= 32}
        ---
        kind: feature_service
        name: departure_delay
        features: [airport_weather:temp]
        """

    @Test func theTreeThatTheMistakesAreMadeInIsRight() {
        #expect(mistakes(in: Self.tree).isEmpty)
    }

    @Test(arguments: Mistake.all)
    func eachMistakeIsToldOnceWithItsPlaceAndTheWayOut(_ mistake: Mistake) throws {
        let parts = Self.tree.split(separator: mistake.replace, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2, "the tree does not hold \(mistake.replace)")
        let told = mistakes(in: parts[0] + mistake.with + parts[1]).map(Self.text).joined(separator: "\n")
        #expect(told == mistake.errors)
    }

    private static func text(_ error: LarderError) -> String {
        let place = error.location.map { "\($0.line):\($0.column)" } ?? "nowhere"
        return "\(place) \(error.message) | \(error.hint ?? "")"
    }
}
