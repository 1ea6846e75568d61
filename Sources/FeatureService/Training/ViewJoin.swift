import FeatureDefinitions
import FeatureModel
import OfflineStore
import PointInTime
import PostgresClient

/// One view's history joined to a spine.
struct ViewJoin {
    let selection: ViewSelection
    let knownBy: TrainingSetOptions.KnownByOption

    func run(over spine: SpineIndex, on connection: PostgresConnection) async throws -> AsOfResult {
        let schema = ViewSchema(
            version: selection.schema.version, joinKeys: selection.schema.joinKeys, features: selection.features)
        var join = AsOfJoin(
            spine: spine, rule: rule, joinKeys: schema.joinKeys.map { JoinKey(name: $0.name, type: $0.storedType) },
            featureTypes: schema.features.map(\.type))
        let generation = selection.view.version(schema.version)?.generation ?? selection.view.currentGeneration
        let table = OfflineTable(view: selection.view, generation: generation)
        if var history = try await HistoryReader.open(table, schema: schema, spine: spine, on: connection) {
            while let batch = try await history.next() { try join.consume(batch) }
        }
        var result = join.finish()
        fillDefaults(in: &result)
        return result
    }

    private var rule: JoinRule {
        let known: KnownBy =
            switch knownBy {
            case .eventTime: .eventTime
            case .recorded: .recorded
            case .arrival: .arrival(availabilityLagMicroseconds: selection.view.availabilityLagMicroseconds)
            }
        return JoinRule(ttlMicroseconds: selection.view.ttlMicroseconds, knownBy: known)
    }

    /// A row written under a version that lacks a feature has the feature's default.
    private func fillDefaults(in result: inout AsOfResult) {
        for (index, feature) in selection.features.enumerated() {
            guard let value = feature.defaultValue else { continue }
            let lacking = Set(
                selection.view.versions.filter { $0.feature(id: feature.id) == nil }.map(\.version))
            guard !lacking.isEmpty else { continue }
            result.replaceWinners(ofFeature: index, writtenUnder: lacking, by: value)
        }
    }
}
