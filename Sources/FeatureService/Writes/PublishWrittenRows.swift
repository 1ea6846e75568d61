import FeatureCodec
import FeatureDefinitions
import FeatureModel
import Logging
import OfflineStore
import OnlineStore
import PostgresClient
import Registry

/// Publishes rows that a push has just committed. Whatever goes wrong, the rows stand, and the next materialize publishes
/// them.
struct PublishWrittenRows {
    /// A rebuild or a withdrawal may raise the fence on the way.
    private static let attempts = 2

    let stores: Stores
    let project: RegisteredProject
    let home: ViewHome

    /// - Parameters:
    ///   - batches: the newest row of each key; nil reads them from the table.
    ///   - writeID: of the write that committed.
    func run(_ batches: [OnlineBatch]?, ofWrite writeID: Int64) async -> OnlineOutcome {
        var failure = LarderError(.internalError, "nothing was tried")
        for _ in 0..<Self.attempts {
            do {
                return .published(try await publish(batches, ofWrite: writeID))
            } catch {
                failure = LarderError(translating: error)
            }
            guard failure.code == .materializationConflict else { break }
        }
        stores.logger.warning(
            "pushed rows wait for the next materialize",
            metadata: ["view": "\(home.view.name)", "code": "\(failure.code)", "reason": "\(failure.message)"])
        return .pending(failure)
    }

    private func publish(_ batches: [OnlineBatch]?, ofWrite writeID: Int64) async throws -> OnlineWriteCounts {
        guard let batches else { return try await publishStored(writeID) }
        let found = try await stores.writer.withConnection { connection in
            try await PublishedKeySpace.find(home, in: project, redis: stores.redis, on: connection)
        }
        var counts = OnlineWriteCounts()
        for batch in batches {
            counts += try await found.writer.publish(batch, to: found.target, publishedAt: ServingClock.systemTime)
        }
        return counts
    }

    /// Publishes what counts now of each key that the write has a row of.
    private func publishStored(_ writeID: Int64) async throws -> OnlineWriteCounts {
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
                var winners = try await reader.winners(ofWrite: writeID, on: connection)
                while let rows = try await winners.next() {
                    counts += try await found.writer.publish(
                        OnlineBatch(rows, schema: schema), to: found.target, publishedAt: now)
                }
                return counts
            }
        }
    }
}
