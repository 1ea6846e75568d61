import FeatureCodec
import FeatureDefinitions
import FeatureModel
import OnlineStore
import Registry

/// Everything about a request that does not depend on its entities.
struct ServingPlan: Sendable {
    let selection: FeatureSelection
    /// One for each output of `selection`.
    let outputNames: [String]
    let read: OnlineReadPlan
    /// For each view of `selection` the positions of its join keys in `selection.requestKeys`.
    let keyPositions: [[Int]]

    /// - Throws: `feature_service_not_found`, `feature_view_not_found`, `feature_not_found`, `ambiguous_feature_names`;
    ///   `not_materialized` with the command that does it; `request_invalid` for a view that is not online.
    init(
        _ features: OnlineRequest.Features, usesFullFeatureNames: Bool, in served: ServedProject
    ) throws(LarderError) {
        let project = served.project
        switch features {
        case .service(let name):
            selection = try FeatureSelection.resolve(service: try project.featureService(named: name), in: project)
        case .references(let references):
            selection = try FeatureSelection.resolve(references: references, in: project)
        }
        outputNames = try selection.outputNames(full: usesFullFeatureNames)
        var selections: [OnlineSelection] = []
        for view in selection.views { selections.append(try Self.onlineSelection(view, in: served)) }
        guard let read = served.readPlan(selections) else {
            throw Self.notMaterialized(selection.views.map(\.view.name))
        }
        self.read = read
        let positions = Dictionary(
            selection.requestKeys.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        keyPositions = selection.views.map { view in view.requestKeys.compactMap { positions[$0.name] } }
    }

    /// The view that needs a request key, for messages.
    func viewNeeding(_ key: JoinKey) -> String {
        selection.views.first { $0.requestKeys.contains { $0.name == key.name } }?.view.name ?? ""
    }

    private static func onlineSelection(
        _ selection: ViewSelection, in served: ServedProject
    ) throws(LarderError) -> OnlineSelection {
        let view = selection.view
        guard view.isOnline else {
            throw LarderError(
                .requestInvalid, "feature view \"\(view.name)\" is not online",
                hint: "say online: true in its definition, apply and materialize it")
        }
        let generation = view.version(selection.schema.version)?.generation ?? view.currentGeneration
        let home = ServedProject.GenerationID(featureViewID: view.id, generation: generation)
        guard let keySpace = served.keySpaces[home] else {
            if served.viewsLeftBehind.contains(view.name) { throw .leftBehind([view.name]) }
            throw notMaterialized([view.name])
        }
        var layouts: [Int32: OnlineRowLayout] = [:]
        for schema in view.schemas(ofGeneration: generation) {
            layouts[schema.version] = OnlineRowLayout(schema: schema)
        }
        return OnlineSelection(
            viewName: view.name, installation: served.installation, keySpace: keySpace,
            joinKeys: selection.schema.joinKeys,
            projection: try OnlineRowProjection(
                reader: selection.schema, featureIDs: selection.features.map(\.id), layouts: layouts),
            ttlMicroseconds: view.ttlMicroseconds)
    }

    private static func notMaterialized(_ views: [String]) -> LarderError {
        let names = Set(views).sorted()
        return LarderError(
            .notMaterialized,
            names.count == 1
                ? "feature view \"\(names[0])\" has never been published online"
                : "feature views \(names.map { "\"\($0)\"" }.joined(separator: ", ")) have never been published online",
            hint: "run: larder materialize \(names.joined(separator: " "))")
    }
}

extension LarderError {
    /// Why views are not read that were published under another incarnation of the database.
    static func leftBehind(_ views: [String]) -> LarderError {
        let names = views.map { "\"\($0)\"" }.joined(separator: ", ")
        return LarderError(
            .onlineStoreRebuilding,
            """
            PostgreSQL was promoted or restored since feature view\(views.count == 1 ? "" : "s") \(names) \
            \(views.count == 1 ? "was" : "were") published
            """,
            hint: "try again in a moment; if it stays, run: larder materialize")
    }
}
