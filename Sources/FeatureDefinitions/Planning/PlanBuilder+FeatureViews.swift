import FeatureModel

extension PlanBuilder {
    mutating func planFeatureViews() {
        for view in definition.featureViews.sorted(by: { $0.name < $1.name }) {
            if let index = next.featureViews.liveIndex(named: view.name) {
                planChanges(to: view, at: index)
            } else if let registered = register(view) {
                let former = Self.startsEmpty(view.name, next.featureViews)
                next.featureViews.append(registered)
                let features = Self.count(view.features.count, "feature")
                var change = PlannedChange(
                    action: .added, kind: .featureView, name: view.name, summary: "\(features), version 1",
                    details: (registered.currentGeneration == 1 ? [] : ["generation \(registered.currentGeneration)"])
                        + former)
                change.schemaVersion = 1
                changes.append(change)
            }
        }
        for name in next.featureViews.namesMissing(from: definition.featureViews.map(\.name)) {
            guard planRemoval(.featureView, name), let index = next.featureViews.liveIndex(named: name) else {
                continue
            }
            next.featureViews[index].isRemoved = true
        }
        next.featureViews = next.featureViews.orderedByName
    }

    /// - Returns: nil when an entity or the source of the view is not live, which is refused.
    private mutating func register(_ view: FeatureViewDefinition) -> RegisteredFeatureView? {
        guard var generation = generation(of: view, number: view.generation ?? 1) else { return nil }
        let features = zip(Int32(1)..., view.features).map { id, feature in feature.registered(id: id) }
        guard let source = next.source(id: generation.sourceID) else { return nil }
        let version = ViewVersion(
            version: 1, generation: generation, features: features, source: source)
        generation.computationHash = version.computationHash
        return RegisteredFeatureView(
            id: allocateID(.featureView), name: view.name, description: view.description, owner: view.owner,
            tags: view.tags, ttlMicroseconds: view.ttlMicroseconds, compatibility: view.compatibility,
            isOnline: view.isOnline, availabilityLagMicroseconds: view.availabilityLagMicroseconds,
            currentGeneration: generation.number, generations: [generation], versions: [version],
            nextFeatureID: Int32(features.count) + 1)
    }

    /// What a definition says about keys and computation, as a generation; its hash is left to be filled in.
    /// - Returns: nil when an entity or the source of the view is not live, which is refused.
    mutating func generation(of view: FeatureViewDefinition, number: Int32) -> GenerationState? {
        let entities = view.entities.compactMap { name in
            next.entities.liveIndex(named: name).map { next.entities[$0] }
        }
        guard let source = next.sources.liveIndex(named: view.source), entities.count == view.entities.count else {
            refuse(
                "feature_view \"\(view.name)\": its source or one of its entities is not defined",
                remedy: "define source \"\(view.source)\" and every entity the view names", at: view.location)
            return nil
        }
        var joinKeys: [JoinKey] = []
        for key in entities.flatMap(\.joinKeys) where !joinKeys.contains(key) { joinKeys.append(key) }
        return GenerationState(
            number: number, computationHash: "", entityIDs: entities.map(\.id), entityNames: entities.map(\.name),
            joinKeys: joinKeys, sourceID: next.sources[source].id, sourceName: view.source, filter: view.filter)
    }
}

extension FeatureDefinition {
    func registered(id: Int32, aliases: [String] = []) -> RegisteredFeature {
        RegisteredFeature(
            schema: FeatureSchema(
                id: id, name: name, type: type, isNullable: isNullable, defaultValue: defaultValue),
            expression: expression, expectation: expectation, description: description, aliases: aliases)
    }
}

extension ViewVersion {
    /// A new active version, with its hashes.
    init(version: Int32, generation: GenerationState, features: [RegisteredFeature], source: RegisteredSource) {
        self.init(
            version: version, generation: generation.number, features: features,
            shapeHash: Self.shapeHash(joinKeys: generation.joinKeys, features: features),
            computationHash: Self.computationHash(source: source, filter: generation.filter, features: features))
    }
}
