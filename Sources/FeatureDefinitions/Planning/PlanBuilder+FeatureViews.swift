import FeatureModel

extension PlanBuilder {
    mutating func planFeatureViews() {
        for view in definition.featureViews.sorted(by: { $0.name < $1.name }) {
            if let index = next.featureViews.liveIndex(named: view.name) {
                planChanges(to: view, at: index)
            } else if let registered = register(view) {
                next.featureViews.append(registered)
                let features = Self.count(view.features.count, "feature")
                changes.append(
                    PlannedChange(
                        action: .added, kind: .featureView, name: view.name, summary: "\(features), version 1",
                        details: registered.currentGeneration == 1
                            ? [] : ["generation \(registered.currentGeneration)"]))
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
        let entities = view.entities.compactMap { name in
            next.entities.liveIndex(named: name).map { next.entities[$0] }
        }
        guard let sourceIndex = next.sources.liveIndex(named: view.source), entities.count == view.entities.count
        else {
            refuse(
                "feature_view \"\(view.name)\": its source or one of its entities is not defined",
                remedy: "define source \"\(view.source)\" and every entity the view names", at: view.location)
            return nil
        }
        var joinKeys: [JoinKey] = []
        for key in entities.flatMap(\.joinKeys) where !joinKeys.contains(key) { joinKeys.append(key) }
        let features = zip(Int32(1)..., view.features).map { id, feature in feature.registered(id: id) }
        let generation = view.generation ?? 1
        let version = ViewVersion(
            version: 1, generation: generation, features: features, joinKeys: joinKeys,
            source: next.sources[sourceIndex], filter: view.filter)
        return RegisteredFeatureView(
            id: allocateID(.featureView), name: view.name, description: view.description, owner: view.owner,
            tags: view.tags, entityIDs: entities.map(\.id), entityNames: entities.map(\.name),
            sourceID: next.sources[sourceIndex].id, sourceName: view.source, ttlMicroseconds: view.ttlMicroseconds,
            compatibility: view.compatibility, isOnline: view.isOnline,
            availabilityLagMicroseconds: view.availabilityLagMicroseconds, filter: view.filter, joinKeys: joinKeys,
            currentGeneration: generation,
            generations: [GenerationState(number: generation, computationHash: version.computationHash)],
            versions: [version], nextFeatureID: Int32(features.count) + 1)
    }

    private mutating func planChanges(to view: FeatureViewDefinition, at index: Int) {
        let old = next.featureViews[index]
        guard let latest = old.versions.last else { return }
        refuseFixedChanges(from: old, to: view)
        var details = planMetadata(of: view, at: index)
        let features = planFeatures(of: view, latest: latest, nextID: old.nextFeatureID)
        details += features.details
        var summary = ""
        if let shape = features.newShape, let source = next.source(id: old.sourceID) {
            let version = ViewVersion(
                version: latest.version + 1, generation: old.currentGeneration, features: shape,
                joinKeys: old.joinKeys, source: source, filter: old.filter)
            next.featureViews[index].versions.append(version)
            next.featureViews[index].nextFeatureID = features.nextID
            if let place = old.generations.firstIndex(where: { $0.number == old.currentGeneration }) {
                next.featureViews[index].generations[place].computationHash = version.computationHash
            }
            summary = "version \(latest.version) -> \(version.version)"
        } else {
            // Expectations and descriptions belong to no shape: the newest version takes them as they are.
            let last = next.featureViews[index].versions.endIndex - 1
            next.featureViews[index].versions[last].features = features.features
        }
        record(
            .featureView, view.name, summary: summary, details: details, needsBackfill: features.hasNewFeatures,
            needsRepublish: Self.isLonger(view.ttlMicroseconds, than: old.ttlMicroseconds) && old.isOnline)
    }

    private static func isLonger(_ new: Int64?, than old: Int64?) -> Bool {
        guard let old else { return false }
        return new.map { $0 > old } ?? true
    }

    private mutating func planMetadata(of view: FeatureViewDefinition, at index: Int) -> [String] {
        let old = next.featureViews[index]
        next.featureViews[index].description = view.description
        next.featureViews[index].owner = view.owner
        next.featureViews[index].tags = view.tags
        next.featureViews[index].ttlMicroseconds = view.ttlMicroseconds
        next.featureViews[index].compatibility = view.compatibility
        next.featureViews[index].availabilityLagMicroseconds = view.availabilityLagMicroseconds
        var details: [String] = []
        if old.description != view.description { details.append("description changed") }
        let attributes: [(name: String, old: String?, new: String?)] = [
            ("owner", old.owner, view.owner),
            ("ttl", old.ttlMicroseconds.map(DurationText.format), view.ttlMicroseconds.map(DurationText.format)),
            ("compatibility", old.compatibility.rawValue, view.compatibility.rawValue),
            (
                "availability_lag", DurationText.format(microseconds: old.availabilityLagMicroseconds),
                DurationText.format(microseconds: view.availabilityLagMicroseconds)
            ),
        ]
        for (name, before, after) in attributes where before != after {
            details.append(changeText(name, from: before, to: after))
        }
        if old.tags != view.tags { details.append("tags changed") }
        return details
    }

    /// Refuses changes to what computes and keys the view.
    private mutating func refuseFixedChanges(from old: RegisteredFeatureView, to new: FeatureViewDefinition) {
        let unsupported = "this is not supported yet: define a new view under another name"
        let fixed: [(attribute: String, old: String?, new: String?)] = [
            (
                "entities", old.entityNames.sorted().joined(separator: ", "),
                new.entities.sorted().joined(separator: ", ")
            ),
            ("source", old.sourceName, new.source),
            ("where", old.filter, new.filter),
            ("online", old.isOnline.description, new.isOnline.description),
        ]
        for (attribute, before, after) in fixed where before != after {
            refuse(
                "feature_view \"\(new.name)\": \(changeText(attribute, from: before, to: after))",
                remedy: unsupported, at: new.location)
        }
        guard let generation = new.generation, generation != old.currentGeneration else { return }
        refuse(
            "feature_view \"\(new.name)\": "
                + changeText("generation", from: "\(old.currentGeneration)", to: "\(generation)"),
            remedy: generation < old.currentGeneration ? "a generation only grows" : unsupported, at: new.location)
    }
}

extension FeatureDefinition {
    func registered(id: Int32) -> RegisteredFeature {
        RegisteredFeature(
            schema: FeatureSchema(
                id: id, name: name, type: type, isNullable: isNullable, defaultValue: defaultValue),
            expression: expression, expectation: expectation, description: description)
    }
}

extension ViewVersion {
    /// A new active version, with its hashes.
    init(
        version: Int32, generation: Int32, features: [RegisteredFeature], joinKeys: [JoinKey],
        source: RegisteredSource, filter: String?
    ) {
        self.init(
            version: version, generation: generation, features: features,
            shapeHash: Self.shapeHash(joinKeys: joinKeys, features: features),
            computationHash: Self.computationHash(source: source, filter: filter, features: features))
    }
}
