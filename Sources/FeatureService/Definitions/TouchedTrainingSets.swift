import FeatureDefinitions
import OfflineStore
import PostgresClient

/// Says beside each change of a feature view which saved training sets were made from the view.
struct TouchedTrainingSets {
    /// What the plan starts from; nil for a project that does not exist yet.
    let current: RegisteredProject?

    func tell(in plan: Plan, on connection: PostgresConnection) async throws -> Plan {
        guard let current else { return plan }
        let changed = Set(
            plan.changes.filter { $0.kind == .featureView && [.changed, .removed].contains($0.action) }.map(\.name))
        let views = current.featureViews.filter { !$0.isRemoved && changed.contains($0.name) }
        guard !views.isEmpty else { return plan }
        let names = try await TrainingSetStore.names(readFrom: views.map(\.id), on: connection)
        return plan.touching(
            trainingSets: Dictionary(uniqueKeysWithValues: views.map { ($0.name, names[$0.id] ?? []) }))
    }
}
