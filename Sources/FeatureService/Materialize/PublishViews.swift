import FeatureCodec
import FeatureDefinitions
import FeatureModel
import OfflineStore
import OnlineStore
import PointInTime
import PostgresClient
import Registry

/// Publishes generations to the online store. The offline table is the outbox: a crash on the way is repaired by the next
/// run, and sending a row twice changes nothing.
struct PublishViews {
    let stores: Stores
    let request: MaterializeViews.Request
    let progress: MaterializeViews.Progress

    func run(
        _ homes: [ViewHome], in project: RegisteredProject
    ) async throws -> [ViewHome: OnlineWriteCounts] {
        try await stores.writer.withConnection { control in
            try await stores.writer.withConnection { reader in
                var publication = try await OnlinePublication.begin(project, redis: stores.redis, on: control)
                let incarnation = try await Incarnation.current(on: control)
                let keySpaces = try await KeySpaceStore().all(of: incarnation, on: control)
                var counts: [ViewHome: OnlineWriteCounts] = [:]
                var moves: [WatermarkMove] = []
                for home in all(homes, publication, keySpaces, project) {
                    let keySpace = try await KeySpaceStore().ensure(
                        featureViewID: home.view.id, generation: home.generation.number, incarnation: incarnation,
                        on: control)
                    let target = try await publication.open(keySpace, of: home.view, on: control)
                    var run = PublicationRun(
                        home: home, keySpace: keySpace, target: target, publication: publication,
                        progress: progress)
                    let start = ContinuousClock.now
                    let move = try await run.publish(
                        request, incarnation: incarnation, reader: reader, control: control)
                    try await MeasuredRate.record(
                        featureViewID: home.view.id, stage: .online, rows: Int64(run.counts.written + run.counts.kept),
                        duration: .now - start, on: control)
                    publication = run.publication
                    counts[home] = run.counts
                    if let move { moves.append(move) }
                }
                try await publication.complete(on: control)
                for move in moves { try await move.commit(incarnation: incarnation, on: control) }
                return counts
            }
        }
    }

    /// A rebuild needs everything that servers read, whatever was asked for.
    private func all(
        _ homes: [ViewHome], _ publication: OnlinePublication, _ keySpaces: [KeySpace], _ project: RegisteredProject
    ) -> [ViewHome] {
        guard publication.isRebuild else { return homes }
        let published = Set(keySpaces.filter(\.isPublished).map { "\($0.featureViewID) \($0.generation)" })
        let others = project.featureViews.filter { !$0.isRemoved && $0.isOnline }.flatMap(ViewHome.all).filter { home in
            published.contains("\(home.view.id) \(home.generation.number)") && !homes.contains(home)
        }
        return homes + others
    }
}

/// Where a generation's online watermark goes once everything is published.
struct WatermarkMove {
    let table: OfflineTable
    let previous: Watermark
    let snapshot: String
    let horizon: Timestamp
    let schemaVersion: Int32

    func commit(incarnation: Incarnation, on connection: PostgresConnection) async throws {
        do {
            try await PublicationLedger(table: table).commit(
                from: previous, snapshot: snapshot, horizon: horizon, schemaVersion: schemaVersion,
                incarnation: incarnation, on: connection)
        } catch let error as LarderError where error.code == .materializationConflict {
            // Another publication came in between. What it and this one sent is there; the watermark that it left is one
            // up to which everything has been published.
        }
    }
}
