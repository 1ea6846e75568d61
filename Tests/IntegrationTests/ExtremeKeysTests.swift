import FeatureService
import OfflineStore
import Testing

private let definitions = Orders.spending

/// The ends of the range of a key are keys like all others, however history is read.
@Suite struct ExtremeKeysTests {
    private static let keys = [Int64.min, Int64.min + 1, -1, 0, Int64.max]

    @Test(arguments: JoinStrategy.allCases)
    func `the least and the greatest integer are found`(strategy: JoinStrategy) async throws {
        let rows = Self.keys.enumerated().map { "\($1),2013-01-01T00:00:00Z,\($0)\n" }.joined()
        let spine = Self.keys.map { "\($0),2013-01-02T00:00:00Z\n" }.joined()
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            try await larder.ingest("orders", "customer_id,at,amount\n" + rows)
            try await larder.materialize()
            var resources = TrainingSetResources()
            resources.strategy = strategy
            let made = try await larder.trainingSet(
                spine: Array("customer_id,event_timestamp\n\(spine)".utf8), .csv, .references(["spending:amount"]),
                to: .csv, resources: resources)
            let amounts = String(decoding: made.bytes, as: UTF8.self).split(separator: "\n").dropFirst().map {
                $0.split(separator: ",").last.map(String.init)
            }
            #expect(amounts == Self.keys.indices.map { "\($0).0" })
        }
    }
}
