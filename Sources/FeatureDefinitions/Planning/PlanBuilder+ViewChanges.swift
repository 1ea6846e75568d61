import FeatureModel

extension PlanBuilder {
    /// Plans what a definition makes of a registered view: new metadata, a new version, a new generation, or refusals.
    mutating func planChanges(to view: FeatureViewDefinition, at index: Int) {
        let old = next.featureViews[index]
        let newest = old.newestGeneration
        refuseOnlineChange(from: old, to: view)
        var details = planMetadata(of: view, at: index)
        var change = PlannedChange(action: .changed, kind: .featureView, name: view.name)
        change.needsRepublish = Self.isLonger(view.ttlMicroseconds, than: old.ttlMicroseconds) && old.isOnline
        let number = view.generation ?? newest.number
        if number == newest.number {
            details += planVersion(of: view, at: index, change: &change)
        } else if isFree(number, in: old, at: view.location) {
            details += planGeneration(number, of: view, at: index, change: &change)
        }
        change.details = details
        if details.isEmpty { change.action = .unchanged }
        changes.append(change)
    }

    /// Generations only grow, and no number is given twice.
    private mutating func isFree(_ number: Int32, in view: RegisteredFeatureView, at location: SourceLocation) -> Bool {
        let newest = view.newestGeneration.number
        guard number < view.nextGeneration else { return true }
        refuse(
            "feature_view \"\(view.name)\": \(changeText("generation", from: "\(newest)", to: "\(number)"))",
            remedy: number < newest
                ? "a generation only grows: to read an older one, run larder rollback \(view.name); to be rid of the newest, drop it"
                : "generation \(number) was dropped and its number is not given again: "
                    + "say generation: \(view.nextGeneration)",
            at: location)
        return false
    }

    // MARK: The same generation

    /// A new schema version of the newest generation where the shape changed; else the newest version takes over what
    /// belongs to no shape.
    private mutating func planVersion(
        of view: FeatureViewDefinition, at index: Int, change: inout PlannedChange
    ) -> [String] {
        let old = next.featureViews[index]
        let newest = old.newestGeneration
        guard let latest = old.versions(ofGeneration: newest.number).last, let last = old.versions.last,
            let defined = generation(of: view, number: newest.number), let source = next.source(id: newest.sourceID)
        else { return [] }
        let refusalsBefore = refusals.count
        refuseComputationChanges(from: newest, to: defined, of: old, at: view.location)
        let mapping = map(view, onto: latest, of: old, mayReplace: false)
        // Nothing is computed of what is pushed: a feature may be renamed with its column.
        if source.kind != .push { refuseExpressionChanges(mapping, from: latest, of: old) }
        refuseRemovedFeatures(mapping, of: view)
        let version = ViewVersion(
            version: last.version + 1, generation: newest, features: mapping.features, source: source)
        refuseIncompatible(version, of: view, registered: old)
        guard refusals.count == refusalsBefore else { return mapping.details }
        let hasNewShape =
            version.shapeHash != ViewVersion.shapeHash(joinKeys: newest.joinKeys, features: latest.features)
        guard hasNewShape || latest.state == .retired else {
            let position = old.versions.firstIndex { $0.version == latest.version }
            if let position { next.featureViews[index].versions[position].features = mapping.features }
            return mapping.details
        }
        next.featureViews[index].versions.append(version)
        next.featureViews[index].nextFeatureID = mapping.nextID
        if let place = old.generations.firstIndex(where: { $0.number == newest.number }) {
            next.featureViews[index].generations[place].computationHash = version.computationHash
        }
        change.summary = "version \(last.version) -> \(version.version)"
        change.schemaVersion = version.version
        change.needsBackfill = mapping.hasNewFeatures && source.kind != .push
        change.verdict = Self.verdict(of: view, readable: old.versions(ofGeneration: newest.number))
        let unreadable = Self.unreadable(under: version, of: next.featureViews[index])
        if !mapping.details.isEmpty {
            // What was pushed cannot be computed again.
            let unfilled =
                mapping.hasNewFeatures && source.kind == .push
                ? ["rows pushed before are read with the default of a new feature, or null"] : []
            return mapping.details + unfilled + unreadable
        }
        return [
            hasNewShape
                ? "features in a new order" : "version \(latest.version), which the definitions describe, is retired"
        ] + unreadable
    }

    /// What readers of earlier versions lose by rows of a new one, as lines. What a service pins of it is refused.
    private static func unreadable(under version: ViewVersion, of view: RegisteredFeatureView) -> [String] {
        view.versions(ofGeneration: version.generation).filter { $0.state != .retired }.compactMap { reader in
            let lost = reader.features.filter { view.obstacle(reading: $0.schema, of: reader) == version.version }
            guard !lost.isEmpty else { return nil }
            let names = lost.map { "\"\($0.name)\"" }.joined(separator: ", ")
            return "readers of \(view.name)@\(reader.version) can no longer ask for \(names)"
        }
    }

    private static func verdict(of view: FeatureViewDefinition, readable: [ViewVersion]) -> String {
        let judged = readable.filter { $0.state != .retired }.suffix(view.compatibility.isTransitive ? .max : 1)
        guard view.compatibility != .none, !judged.isEmpty else { return "judged against no other version" }
        let versions = judged.map { "\($0.version)" }.joined(separator: ", ")
        return "\(view.compatibility.rawValue) with version \(versions)"
    }

    /// What keys and computes rows is fixed for a generation.
    private mutating func refuseComputationChanges(
        from old: GenerationState, to new: GenerationState, of view: RegisteredFeatureView, at location: SourceLocation
    ) {
        for detail in Self.differences(from: old, to: new) {
            refuse("feature_view \"\(view.name)\": \(detail)", remedy: Self.raise(view), at: location)
        }
    }

    private mutating func refuseExpressionChanges(
        _ mapping: FeatureMapping, from latest: ViewVersion, of view: RegisteredFeatureView
    ) {
        for feature in mapping.features {
            guard let old = latest.feature(id: feature.id), old.computation != feature.computation else { continue }
            refuse(
                "feature_view \"\(view.name)\", features.\(feature.name).expr: "
                    + changeText("expr", from: old.computation, to: feature.computation),
                remedy: Self.raise(view), at: mapping.locations[feature.id])
        }
    }

    private mutating func refuseRemovedFeatures(_ mapping: FeatureMapping, of view: FeatureViewDefinition) {
        guard !allowRemovals else { return }
        for feature in mapping.removed {
            refusals.append(
                LarderError(
                    .removalNotAllowed,
                    "feature_view \"\(view.name)\", features.\(feature.name): the feature is no longer in the definition",
                    hint: "put it back, say renamed_from: where it goes on under another name, or allow removals with "
                        + "--allow-removals", location: view.location))
        }
    }

    // MARK: A new generation

    /// A version in a generation of its own, to be filled beside the others.
    private mutating func planGeneration(
        _ number: Int32, of view: FeatureViewDefinition, at index: Int, change: inout PlannedChange
    ) -> [String] {
        let old = next.featureViews[index]
        guard let latest = old.versions(ofGeneration: old.newestGeneration.number).last, let last = old.versions.last,
            var generation = generation(of: view, number: number), let source = next.source(id: generation.sourceID)
        else { return [] }
        let mapping = map(view, onto: latest, of: old, mayReplace: true)
        let version = ViewVersion(
            version: last.version + 1, generation: generation, features: mapping.features, source: source)
        generation.computationHash = version.computationHash
        next.featureViews[index].generations.append(generation)
        next.featureViews[index].versions.append(version)
        next.featureViews[index].nextFeatureID = mapping.nextID
        change.summary = "version \(last.version) -> \(version.version), generation \(number)"
        change.schemaVersion = version.version
        change.newGeneration = number
        change.verdict = "in a generation of its own, judged against no other"
        if source.kind == .push { change.copiedGeneration = old.predecessor(of: generation)?.number }
        change.needsBackfill = source.kind != .push || change.copiedGeneration != nil
        let computed = mapping.features.compactMap { feature -> String? in
            guard let former = latest.feature(id: feature.id), former.computation != feature.computation else {
                return nil
            }
            return "feature \"\(feature.name)\": "
                + changeText("expr", from: former.computation, to: feature.computation)
        }
        return [
            "+ generation \(number), filled beside generation \(old.currentGeneration), which is read until larder switch"
        ] + Self.differences(from: old.newestGeneration, to: generation) + mapping.details + computed
    }

    /// What keys and computes rows differently, as lines.
    private static func differences(from old: GenerationState, to new: GenerationState) -> [String] {
        var lines: [String] = []
        if old.joinKeys != new.joinKeys || old.entityNames.sorted() != new.entityNames.sorted() {
            lines.append(
                changeText(
                    "entities", from: old.entityNames.sorted().joined(separator: ", "),
                    to: new.entityNames.sorted().joined(separator: ", ")))
        }
        if old.sourceID != new.sourceID {
            lines.append(
                old.sourceName == new.sourceName
                    ? "source \"\(new.sourceName)\" is another one of the same name"
                    : changeText("source", from: old.sourceName, to: new.sourceName))
        }
        if old.filter != new.filter { lines.append(changeText("where", from: old.filter, to: new.filter)) }
        return lines
    }

    // MARK: What belongs to no generation

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

    private mutating func refuseOnlineChange(from old: RegisteredFeatureView, to new: FeatureViewDefinition) {
        guard old.isOnline != new.isOnline else { return }
        refuse(
            "feature_view \"\(new.name)\": "
                + changeText("online", from: old.isOnline.description, to: new.isOnline.description),
            remedy: "this is not supported yet: define a new view under another name", at: new.location)
    }

    /// The way out of what a generation does not allow.
    static func raise(_ view: RegisteredFeatureView) -> String {
        "say generation: \(view.nextGeneration) to fill a new generation beside the one that is read"
    }
}
