import FeatureDefinitions
import FeatureModel
import Synchronization

/// Key spaces as they were found last, so that not every publication has to ask PostgreSQL for them.
///
/// One that was found before the rows committed is as good as one found after, because all that may have happened in
/// between shows where it is used:
///
/// - A fence that was raised since, by a rebuild, a withdrawal or a drop, refuses the older one in the script that writes.
///   Of two fences the older is let through in fewer cases, so that an old one never writes where a new one may not.
/// - A rebuild that has begun and not raised this fence yet clears the key space later, and takes its snapshot after that:
///   it has the rows. One that is over has another sentinel, which is asked for each time.
/// - Redis that was restarted or emptied has another `run_id`, or no fence.
/// - Another revision of the project, or another incarnation of the database, is what each group learns with its first
///   statement. So ttl and layouts are those of the revision that the rows were judged by.
///
/// What is refused is forgotten, looked for again after the commit, and published out of the table.
final class KnownKeySpaces: Sendable {
    private struct Known {
        let keySpace: PublishedKeySpace
        let revision: Int64
    }

    /// One at most for each generation that has been pushed to.
    private let known = Mutex<[ServedProject.GenerationID: Known]>([:])

    /// - Parameters:
    ///   - revision: of the project now.
    ///   - incarnationID: of the database now.
    /// - Returns: nil when none is known that may be used.
    /// - Throws: `online_store_unavailable`.
    func find(_ home: ViewHome, revision: Int64, incarnationID: Int32) async throws(LarderError) -> PublishedKeySpace? {
        guard let found = known.withLock({ $0[Self.key(home)] }), found.revision == revision,
            found.keySpace.incarnationID == incarnationID, try await found.keySpace.isCurrent()
        else { return nil }
        return found.keySpace
    }

    func keep(_ keySpace: PublishedKeySpace, of home: ViewHome, revision: Int64) {
        known.withLock { $0[Self.key(home)] = Known(keySpace: keySpace, revision: revision) }
    }

    func forget(_ home: ViewHome) {
        known.withLock { $0[Self.key(home)] = nil }
    }

    private static func key(_ home: ViewHome) -> ServedProject.GenerationID {
        ServedProject.GenerationID(featureViewID: home.view.id, generation: home.generation.number)
    }
}
