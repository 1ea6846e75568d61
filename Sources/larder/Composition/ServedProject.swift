import FeatureDefinitions
import FeatureModel
import FeatureService
import Registry

extension CommandContext {
    private static let pause: Duration = .milliseconds(5)

    /// The project that was named, or the only one there is, as a server would see it now.
    func servedProject(_ stores: Stores) async throws -> ServedProject {
        let name = try await stores.project(namedOrOnly: settings.project).name
        let snapshots = ServingSnapshotStore(configuration: writerConfiguration, migrator: nil, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await snapshots.run() }
            defer { group.cancelAll() }
            // A server would try again and again; a command tells the first failure.
            while !snapshots.health.hasSnapshot {
                if let failure = snapshots.health.failure { throw failure }
                try await Task.sleep(for: Self.pause)
            }
            return try snapshots.current().project(named: name)
        }
    }
}
