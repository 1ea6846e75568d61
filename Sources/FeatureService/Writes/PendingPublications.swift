import Synchronization

/// Feature views of which pushed rows wait to be published, as far as this process knows: Redis did not take them.
///
/// It is not kept: what a process that ended has known of is published by the next materialize.
final class PendingPublications: Sendable {
    /// Names of views by project.
    private let views = Mutex<[Int64: Set<String>]>([:])

    func add(_ names: some Sequence<String>, ofProject projectID: Int64) {
        views.withLock { $0[projectID, default: []].formUnion(names) }
    }

    func isAny(ofProject projectID: Int64) -> Bool {
        views.withLock { $0[projectID] != nil }
    }

    /// Takes a project's views out. What is published because of it has to begin after this.
    func take(ofProject projectID: Int64) -> Set<String> {
        views.withLock { $0.removeValue(forKey: projectID) ?? [] }
    }
}
