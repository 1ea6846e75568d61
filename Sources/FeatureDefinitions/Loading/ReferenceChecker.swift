import FeatureModel

/// Looks up what definitions say about one another: names, columns, keys and types across documents.
struct ReferenceChecker {
    let tree: ParsedTree
    let diagnostics: Diagnostics

    func check() {
        for name in tree.names(.featureView) {
            if let view = tree.featureViews[name] { check(view) }
        }
        for name in tree.names(.featureService) {
            if let service = tree.featureServices[name] { check(service) }
        }
    }

    private func check(_ view: ParsedFeatureView) {
        let subject = "feature_view \"\(view.definition.name)\""
        let joinKeys = checkEntities(of: view, subject: subject)
        for feature in view.definition.features where joinKeys[feature.name] != nil {
            diagnostics.report(
                "\(subject), feature \"\(feature.name)\": a join key of the view has the same name",
                hint: "give the feature another name", at: feature.location)
        }
        guard let name = view.source else { return }
        guard !tree.isUnknown(.source, name.value) else {
            diagnostics.report(
                "\(subject): source \"\(name.value)\" is not defined",
                hint: nearestHint(name.value, among: tree.names(.source), kind: "sources"), at: name.location)
            return
        }
        guard let source = tree.sources[name.value], source.isComplete else { return }
        checkAgainstSource(view, source: source.definition, joinKeys: joinKeys, subject: subject)
    }

    /// Reports unknown entities and keys that disagree.
    /// - Returns: each join key of the view with the entity and place it comes from.
    private func checkEntities(
        of view: ParsedFeatureView, subject: String
    ) -> [String: (key: JoinKey, entity: String, location: SourceLocation)] {
        var keys: [String: (key: JoinKey, entity: String, location: SourceLocation)] = [:]
        for name in view.entities {
            guard !tree.isUnknown(.entity, name.value) else {
                diagnostics.report(
                    "\(subject): entity \"\(name.value)\" is not defined",
                    hint: nearestHint(name.value, among: tree.names(.entity), kind: "entities"), at: name.location)
                continue
            }
            for key in tree.entities[name.value]?.definition.joinKeys ?? [] {
                guard let other = keys[key.name] else {
                    keys[key.name] = (key, name.value, name.location)
                    continue
                }
                guard other.key.type != key.type else { continue }
                diagnostics.report(
                    "\(subject): join key \"\(key.name)\" is \(other.key.type) in entity \"\(other.entity)\" "
                        + "and \(key.type) in entity \"\(name.value)\"",
                    hint: "give the keys one type, or different names", at: name.location)
            }
        }
        if keys.count > DefinitionLimits.maximumJoinKeys {
            diagnostics.report(
                "\(subject): its entities have \(keys.count) join keys",
                hint: "at most \(DefinitionLimits.maximumJoinKeys) are supported", at: view.definition.location)
        }
        return keys
    }

    private func checkAgainstSource(
        _ view: ParsedFeatureView, source: SourceDefinition,
        joinKeys: [String: (key: JoinKey, entity: String, location: SourceLocation)], subject: String
    ) {
        let columns = source.columns.map(\.name)
        for (name, origin) in joinKeys.sorted(by: { $0.key < $1.key }) {
            guard let column = source.column(named: name) else {
                diagnostics.report(
                    "\(subject): join key \"\(name)\" of entity \"\(origin.entity)\" is no column of source "
                        + "\"\(source.name)\"",
                    hint: nearestHint(name, among: columns, kind: "its columns"), at: origin.location)
                continue
            }
            guard !origin.key.type.acceptsOnWrite(column.type) else { continue }
            diagnostics.report(
                "\(subject): join key \"\(name)\" is \(origin.key.type) in entity \"\(origin.entity)\", "
                    + "its column in source \"\(source.name)\" is \(column.type)",
                hint: "give both the same type", at: origin.location)
        }
        if source.isStatic, let location = view.ttlLocation {
            diagnostics.report(
                "\(subject): \"ttl\" has no meaning, source \"\(source.name)\" is static",
                hint: "leave ttl out, or give the source a timestamp:", at: location)
        }
        if source.kind == .push, let location = view.filterLocation {
            diagnostics.report(
                "\(subject): \"where\" has no meaning, source \"\(source.name)\" is of type push",
                hint: "leave it out: pushed rows carry the features themselves", at: location)
        }
        for feature in view.definition.features {
            check(
                feature, isComputed: view.computedFeatures.contains(feature.name), source: source, columns: columns,
                subject: "\(subject), feature \"\(feature.name)\"")
        }
    }

    private func check(
        _ feature: FeatureDefinition, isComputed: Bool, source: SourceDefinition, columns: [String], subject: String
    ) {
        guard !isComputed else {
            guard source.kind == .push else { return }
            diagnostics.report(
                "\(subject): \"expr\" has no meaning, source \"\(source.name)\" is of type push",
                hint: "leave it out: pushed rows carry the features themselves", at: feature.location)
            return
        }
        guard let column = source.column(named: feature.name) else {
            let hint = NameRule.nearest(to: feature.name, in: columns).map { "did you mean \"\($0)\"? " } ?? ""
            diagnostics.report(
                "\(subject): source \"\(source.name)\" has no column \"\(feature.name)\"",
                hint: "\(hint)add the column to the source\(source.kind == .push ? "" : ", or say expr:")",
                at: feature.location)
            return
        }
        guard !feature.type.acceptsOnWrite(column.type) else { return }
        diagnostics.report(
            "\(subject): the feature is \(feature.type), its column in source \"\(source.name)\" is \(column.type)",
            hint: "declare the feature as \(column.type)\(source.kind == .push ? "" : ", or convert it in expr:")",
            at: feature.location)
    }
}
