import FeatureCodec
import FeatureDefinitions
import FeatureModel
import Logging
import Observability
import OfflineStore
import OnlineStore
import PostgresClient
import Registry

/// Publishes rows that a push has just committed. Whatever goes wrong, the rows stand, and a server publishes them once it can,
/// or else the next materialize.
struct PublishWrittenRows {
    /// A rebuild or a withdrawal may raise the fence on the way.
    private static let attempts = 2

    /// Why rows of a view wait: views and codes are few.
    private struct Pending: Hashable, Sendable {
        let featureViewID: Int64
        let code: ErrorCode
    }

    private static let warnings = LogLimiter<Pending>(linesPerSecond: 1)

    let stores: Stores
    let project: RegisteredProject
    let home: ViewHome
    /// Key spaces that were found before, and the incarnation that the rows were written under; nil looks each time.
    var known: (keySpaces: KnownKeySpaces, incarnationID: Int32)?

    /// - Parameters:
    ///   - batches: the newest row of each key; nil reads them from the table.
    ///   - writeIDs: of the writes that committed.
    func run(_ batches: [OnlineBatch]?, ofWrites writeIDs: [Int64]) async -> OnlineOutcome {
        var failure = LarderError(.internalError, "nothing was tried")
        var batches = batches
        for _ in 0..<Self.attempts {
            do {
                return .published(try await publish(batches, ofWrites: writeIDs))
            } catch {
                failure = LarderError(translating: error)
            }
            known?.keySpaces.forget(home)
            guard failure.code == .materializationConflict else { break }
            // Whoever raised the fence may have withdrawn rows: only the table knows which of these still count.
            batches = nil
        }
        Self.warnings.log(
            .warning, "pushed rows wait to be published",
            metadata: ["view": "\(home.view.name)", "code": "\(failure.code)", "reason": "\(failure.message)"],
            of: Pending(featureViewID: home.view.id, code: failure.code), to: stores.logger)
        // When a view is published for the first time is up to whoever runs materialize.
        if failure.code != .notMaterialized {
            stores.pendingPublications.add([home.view.name], ofProject: project.id)
        }
        WriteMetrics.countPending(failure.code, of: .featureView(home.view.name))
        return .pending(failure)
    }

    private func publish(_ batches: [OnlineBatch]?, ofWrites writeIDs: [Int64]) async throws -> OnlineWriteCounts {
        guard let batches else { return try await publishStored(writeIDs) }
        let found = try await keySpace()
        var counts = OnlineWriteCounts()
        for batch in batches {
            counts += try await found.writer.publish(batch, to: found.target, publishedAt: ServingClock.systemTime)
        }
        return counts
    }

    private func keySpace() async throws -> PublishedKeySpace {
        if let known,
            let found = try await known.keySpaces.find(
                home, revision: project.revision, incarnationID: known.incarnationID)
        {
            return found
        }
        let found = try await stores.writer.withConnection { connection in
            try await PublishedKeySpace.find(home, in: project, redis: stores.redis, on: connection)
        }
        known?.keySpaces.keep(found, of: home, revision: project.revision)
        return found
    }

    /// Publishes what counts now of each key that the writes have a row of.
    private func publishStored(_ writeIDs: [Int64]) async throws -> OnlineWriteCounts {
        try await stores.writer.withConnection { connection in
            let found = try await PublishedKeySpace.find(home, in: project, redis: stores.redis, on: connection)
            return try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
                let clock = try await connection.query("SELECT clock_timestamp() AS now")
                    .onlyValue(as: PostgresTimestamp.self)
                let now = Timestamp(microsecondsSince1970: clock.microsecondsSince1970)
                let schema = home.widestSchema
                let reader = PublicationReader(
                    table: home.table, schema: schema,
                    now: now.advanced(byMicroseconds: OnlineReader.maximumClockSkewMicroseconds))
                var counts = OnlineWriteCounts()
                for writeID in writeIDs {
                    var winners = try await reader.winners(ofWrite: writeID, on: connection)
                    while let rows = try await winners.next() {
                        counts += try await found.writer.publish(
                            OnlineBatch(rows, schema: schema), to: found.target, publishedAt: now)
                    }
                }
                return counts
            }
        }
    }
}
