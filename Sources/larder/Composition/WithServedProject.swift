import FeatureDefinitions
import FeatureService
import Registry

extension CommandContext {
    /// The project that was named, or the only one there is, as a server would see it now.
    func servedProject(_ stores: Stores) async throws -> ServedProject {
        let name = try await stores.project(namedOrOnly: settings.project).name
        let snapshots = ServingSnapshotStore(configuration: writerConfiguration, migrator: nil, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await snapshots.run() }
            defer { group.cancelAll() }
            await snapshots.waitForFirstSnapshot()
            return try snapshots.current().project(named: name)
        }
    }
}
