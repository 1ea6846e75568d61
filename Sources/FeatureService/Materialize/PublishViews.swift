import FeatureCodec
import FeatureDefinitions
import FeatureModel
import Logging
import OfflineStore
import OnlineStore
import PointInTime
import PostgresClient
import RedisClient
import Registry

/// Publishes generations to the online store. The offline table is the outbox: a crash on the way is repaired by the next
/// run, and sending a row twice changes nothing.
struct PublishViews {
    let stores: Stores
    let request: MaterializeViews.Request
    /// How many views are published side by side; each takes a connection, beside one or two for all.
    let parallelViews: Int
    let progress: MaterializeViews.Progress

    func run(
        _ homes: [ViewHome], in project: RegisteredProject
    ) async throws -> [ViewHome: OnlineWriteCounts] {
        try await stores.writer.withConnection { control in
            let found = try await OnlineStoreComparison(project, redis: stores.redis, on: control)
            if found.isCurrent { return try await publish(homes, in: project, control: control) }
            return try await stores.writer.withConnection { turn in
                try await RebuildTurn.take(in: project, on: turn)
                // Whoever had the turn before may have done it.
                return try await publish(homes, in: project, control: control)
            }
        }
    }

    private func publish(
        _ homes: [ViewHome], in project: RegisteredProject, control: PostgresConnection
    ) async throws -> [ViewHome: OnlineWriteCounts] {
        let publication = try await OnlinePublication.begin(project, redis: stores.redis, on: control)
        if publication.isRebuild {
            stores.logger.notice(
                "publishes everything anew",
                metadata: ["project": "\(project.name)", "redis": "\(stores.redis.endpoint)"])
        }
        let incarnation = try await Incarnation.current(on: control)
        let keySpaces = try await KeySpaceStore().all(of: incarnation, on: control)
        let homes = all(homes, publication, keySpaces, project)
        // A rebuild empties all of them first, in one go. Otherwise the fence of each is read shortly before its rows,
        // so that whoever raises it has little time to get in between.
        let opened = try await publication.isRebuild ? open(homes, publication, incarnation, on: control) : []
        let published = try await ViewHome.byView(homes).concurrentMap(atMost: parallelViews) { homes in
            try await publish(homes, publication, opened, incarnation, control: control)
        }.flatMap { $0 }
        try await publication.complete(published.map(\.target), on: control)
        for outcome in published { try await outcome.move?.commit(incarnation: incarnation, on: control) }
        return Dictionary(published.map { ($0.home, $0.counts) }) { _, last in last }
    }

    /// The generations of one view, one after the other.
    private func publish(
        _ homes: [ViewHome], _ publication: OnlinePublication, _ opened: [PublicationRun], _ incarnation: Incarnation,
        control: PostgresConnection
    ) async throws -> [PublicationRun.Outcome] {
        try await stores.writer.withConnection { reader in
            var published: [PublicationRun.Outcome] = []
            for home in homes {
                var found = opened.first { $0.home == home }
                if found == nil { found = try await open([home], publication, incarnation, on: reader).first }
                guard let run = found else { throw LarderError(.internalError, "a key space was not opened") }
                let start = ContinuousClock.now
                let outcome = try await run.publish(
                    request, incarnation: incarnation, reader: reader, control: control)
                try await MeasuredRate.record(
                    featureViewID: home.view.id, stage: .online,
                    rows: Int64(outcome.counts.written + outcome.counts.kept), duration: .now - start, on: reader)
                published.append(outcome)
            }
            return published
        }
    }

    private func open(
        _ homes: [ViewHome], _ publication: OnlinePublication, _ incarnation: Incarnation,
        on connection: PostgresConnection
    ) async throws -> [PublicationRun] {
        var keySpaces: [(keySpace: KeySpace, view: RegisteredFeatureView)] = []
        for home in homes {
            let keySpace = try await KeySpaceStore().ensure(
                featureViewID: home.view.id, generation: home.generation.number, incarnation: incarnation,
                on: connection)
            keySpaces.append((keySpace, home.view))
        }
        let targets = try await publication.open(keySpaces, on: connection)
        return homes.indices.map { index in
            PublicationRun(
                home: homes[index], keySpace: keySpaces[index].keySpace, target: targets[index],
                publication: publication, progress: progress)
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
