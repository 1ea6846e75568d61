public import FeatureDefinitions
public import FeatureModel
public import OfflineStore
public import OnlineStore
import PostgresClient
import Registry

/// Moves the data of feature views along: raw -> offline by computing, offline -> online by publishing.
public struct MaterializeViews: Sendable {
    public struct Request: Sendable {
        /// Empty means every view of the project.
        public var views: [String]
        /// Limits a backfill in event time; watermarks stay where they are.
        public var bounds: EventTimeBounds
        /// Compares and publishes everything, also where following commits would do.
        public var isFull: Bool
        public var stages: Set<MaterializationStage>

        public init(
            views: [String] = [], bounds: EventTimeBounds = .none, isFull: Bool = false,
            stages: Set<MaterializationStage> = [.offline, .online]
        ) {
            self.views = views
            self.bounds = bounds
            self.isFull = isFull
            self.stages = stages
        }
    }

    public struct ViewResult: Sendable, Equatable {
        public let view: String
        public let generation: Int32
        /// Nil when the stage was not asked for.
        public var offline: MaterializationResult?
        /// Nil when the stage was not asked for, or the view is not online.
        public var online: OnlineWriteCounts?
        /// Why the view could not be computed; it was published as it was before.
        public var failure: LarderError?
    }

    /// Rows handled so far by one stage of one view.
    public typealias Progress = @Sendable (_ view: String, _ stage: MaterializationStage, _ rows: Int64) -> Void

    private let stores: Stores
    private let parallelViews: Int

    /// - Parameter parallelViews: how many views are computed or published side by side. Computing one takes a
    ///   connection of the source login and two of the writer; publishing takes one of the writer for each view, and
    ///   two for all.
    public init(stores: Stores, parallelViews: Int = 2) {
        self.stores = stores
        self.parallelViews = parallelViews
    }

    /// Each view is on its own: one that cannot be computed does not keep the others from it.
    ///
    /// - Parameter progress: told from several tasks, where views are worked on side by side.
    /// - Returns: one result a view and generation, in the order of the views, with what kept it from being computed.
    /// - Throws: `LarderError` when nothing could be done, or publishing failed; running again continues.
    public func run(
        _ request: Request, in project: RegisteredProject, progress: @escaping Progress = { _, _, _ in }
    ) async throws -> [ViewResult] {
        let homes = try homes(of: request.views, in: project)
        var results = homes.map { ViewResult(view: $0.view.name, generation: $0.generation.number) }
        if request.stages.contains(.offline) {
            let computations = try await ViewHome.byView(homes).concurrentMap(atMost: parallelViews) { homes in
                try await compute(homes, request, in: project, progress: progress)
            }.flatMap { $0 }
            for (index, computation) in computations.enumerated() {
                switch computation {
                case .success(let result): results[index].offline = result
                case .failure(let failure): results[index].failure = failure
                }
            }
        }
        if request.stages.contains(.online) {
            let counts = try await publish(homes, request, in: project, progress: progress)
            for index in results.indices { results[index].online = counts[homes[index].id] }
        }
        return results
    }

    /// Publishes generations; when an apply has come in between, and rows are of its version already, once more as it says.
    private func publish(
        _ homes: [ViewHome], _ request: Request, in project: RegisteredProject, progress: @escaping Progress
    ) async throws -> [ViewHome.ID: OnlineWriteCounts] {
        let publication = PublishViews(
            stores: stores, request: request, parallelViews: parallelViews, progress: progress)
        var (homes, project) = (homes, project)
        while true {
            do {
                let counts = try await publication.run(try await publishable(homes, in: project), in: project)
                return Dictionary(counts.map { ($0.key.id, $0.value) }) { _, last in last }
            } catch {
                if let dropped = try await dropped(homes, in: project) { throw dropped }
                let error = LarderError(translating: error)
                let newest = try await stores.project(named: project.name)
                guard error.code == .materializationConflict, newest.revision > project.revision else { throw error }
                let ids = Set(homes.map(\.id))
                homes = try self.homes(of: request.views, in: newest).filter { ids.contains($0.id) }
                project = newest
            }
        }
    }

    /// A generation that was dropped while the run was at it explains whatever went wrong with it.
    private func dropped(_ homes: [ViewHome], in project: RegisteredProject) async throws -> LarderError? {
        let now = try await stores.writer.withConnection {
            try await RegistryStore().project(named: project.name, on: $0)
        }
        for home in homes {
            let view = now?.featureView(id: home.view.id)
            if view?.isRemoved == false, view?.generation(home.generation.number)?.state == .live { continue }
            return LarderError(
                .materializationConflict,
                "generation \(home.generation.number) of feature view \"\(home.view.name)\" was dropped meanwhile",
                hint: "run materialize again; the other generations go on where they are")
        }
        return nil
    }

    /// Each generation of the views, those of a view together: until dropped, all of them stay current.
    private func homes(of names: [String], in project: RegisteredProject) throws(LarderError) -> [ViewHome] {
        var views = project.featureViews.filter { !$0.isRemoved }
        if !names.isEmpty {
            views = []
            var known: Set<String> = []
            for name in names where known.insert(name).inserted { views.append(try project.featureView(named: name)) }
        }
        return views.flatMap(ViewHome.all)
    }

    /// The homes that have something to publish: a generation that was never computed would be published empty, and be
    /// taken for one in which no entity has features.
    private func publishable(_ homes: [ViewHome], in project: RegisteredProject) async throws -> [ViewHome] {
        try await stores.writer.withConnection { connection in
            let incarnation = try await Incarnation.current(on: connection)
            var publishable: [ViewHome] = []
            for home in homes where home.view.isOnline {
                // Pushed rows are there without a run, but for those that a later generation copies.
                let isPushed =
                    project.source(id: home.generation.sourceID)?.kind == .push
                    && home.generation.number == home.view.generations.first?.number
                let watermark = try await WatermarkStore.read(
                    home.table, stage: .offline, incarnation: incarnation, on: connection)
                if isPushed || watermark.run > 0 { publishable.append(home) }
            }
            return publishable
        }
    }

    /// The generations of one view, one after the other: a later one may copy what an earlier one has just got.
    ///
    /// - Returns: what became of each, where that concerns nothing but itself.
    private func compute(
        _ homes: [ViewHome], _ request: Request, in project: RegisteredProject, progress: @escaping Progress
    ) async throws -> [Result<MaterializationResult?, LarderError>] {
        var computations: [Result<MaterializationResult?, LarderError>] = []
        for home in homes {
            do {
                computations.append(
                    .success(try await compute(home, request, in: project, progress: progress)))
            } catch {
                let failure = try await dropped([home], in: project) ?? LarderError(translating: error)
                guard failure.concernsOneView else { throw failure }
                computations.append(.failure(failure.naming(home)))
            }
        }
        return computations
    }

    private func compute(
        _ home: ViewHome, _ request: Request, in project: RegisteredProject, progress: @escaping Progress
    ) async throws -> MaterializationResult? {
        guard let version = home.view.writtenVersion(ofGeneration: home.generation.number),
            let source = project.source(id: home.generation.sourceID)
        else { return nil }
        guard source.kind != .push else { return try await copy(home, version, request, progress: progress) }
        let materializer = Materializer(
            view: home.view, generation: home.generation, version: version, source: source, projectID: project.id,
            actor: stores.actor)
        let start = ContinuousClock.now
        return try await stores.source.withConnection { source in
            try await stores.writer.withConnection { reader in
                try await stores.writer.withConnection { writer in
                    let result = try await materializer.run(
                        on: .init(source: source, reader: reader, writer: writer), bounds: request.bounds,
                        isFull: request.isFull, progress: { progress(home.view.name, .offline, $0) })
                    try await MeasuredRate.record(
                        featureViewID: home.view.id, stage: .offline, rows: result.rowsRead,
                        duration: .now - start, on: writer)
                    return result
                }
            }
        }
    }
}

extension MaterializeViews {
    /// Pushed rows are computed from nothing; a later generation takes those of the one before it.
    private func copy(
        _ home: ViewHome, _ version: ViewVersion, _ request: Request, progress: @escaping Progress
    ) async throws -> MaterializationResult {
        let copy = CopyGeneration(
            view: home.view, generation: home.generation, version: version, actor: stores.actor)
        let start = ContinuousClock.now
        return try await stores.writer.withConnection { reader in
            try await stores.writer.withConnection { writer in
                let result = try await copy.run(
                    reader: reader, writer: writer, bounds: request.bounds, isFull: request.isFull,
                    progress: { progress(home.view.name, .offline, $0) })
                try await MeasuredRate.record(
                    featureViewID: home.view.id, stage: .offline, rows: result.rowsRead, duration: .now - start,
                    on: writer)
                return result
            }
        }
    }
}

/// One generation of a view: one offline table, one key space.
struct ViewHome: Hashable {
    /// The same in every revision of the registry.
    struct ID: Hashable {
        let featureViewID: Int64
        let generation: Int32
    }

    let view: RegisteredFeatureView
    let generation: GenerationState

    static func all(of view: RegisteredFeatureView) -> [ViewHome] {
        view.generations.filter { $0.state == .live }.map { ViewHome(view: view, generation: $0) }
    }

    /// In the same order, those of each view together.
    static func byView(_ homes: [ViewHome]) -> [[ViewHome]] {
        var views: [[ViewHome]] = []
        var positions: [Int64: Int] = [:]
        for home in homes {
            if let position = positions[home.view.id] {
                views[position].append(home)
            } else {
                positions[home.view.id] = views.count
                views.append([home])
            }
        }
        return views
    }

    var id: ID { ID(featureViewID: view.id, generation: generation.number) }

    var table: OfflineTable { OfflineTable(view: view, generation: generation.number) }

    var schemas: [ViewSchema] { view.schemas(ofGeneration: generation.number) }

    /// Every feature that a row of the generation may have, in each type it had, under the newest version's number.
    var widestSchema: ViewSchema {
        struct Stored: Hashable {
            let id: Int32
            let type: ValueType
        }
        var features: [FeatureSchema] = []
        var seen: Set<Stored> = []
        for feature in schemas.reversed().flatMap(\.features)
        where seen.insert(Stored(id: feature.id, type: feature.type)).inserted {
            features.append(feature)
        }
        return ViewSchema(
            version: schemas.last?.version ?? 0, joinKeys: generation.joinKeys, features: features)
    }
}
