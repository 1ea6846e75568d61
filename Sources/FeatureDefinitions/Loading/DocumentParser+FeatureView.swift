import FeatureModel

extension DocumentParser {
    private static let featureViewKeys = [
        "owner", "tags", "entities", "source", "ttl", "compatibility", "online", "generation", "availability_lag",
        "where", "features",
    ]

    mutating func parseFeatureView(_ document: DefinitionNode) {
        let before = diagnostics.errors.count
        guard let (reader, name) = open(document, kind: .featureView, keys: Self.featureViewKeys) else { return }
        guard tree.declare(.featureView, name, diagnostics: diagnostics) else { return }
        let entities = reader.names("entities") ?? []
        let source = reader.name("source", required: true)
        let ttl = reader.duration("ttl")
        if let ttl, ttl.value == 0 {
            reader.report(
                "\"ttl\" must be longer than zero", hint: "leave it out for values that never grow too old",
                at: ttl.location)
        }
        let lag = reader.duration("availability_lag", atMostDays: DefinitionLimits.maximumLagDays)
        let filter = sql("where", kind: .expression, in: reader)
        let definition = FeatureViewDefinition(
            name: name.value, description: reader.prose("description"), owner: reader.prose("owner"),
            tags: parseTags(reader), entities: entities.map(\.value), source: source?.value ?? "",
            ttlMicroseconds: ttl?.value,
            compatibility: reader.choice("compatibility", of: Compatibility.self) ?? .fullTransitive,
            isOnline: reader.bool("online") ?? true,
            generation: reader.integer("generation", in: 1...Int(Int32.max)).map { Int32($0.value) },
            availabilityLagMicroseconds: lag?.value ?? 0, filter: filter?.value,
            features: parseFeatures(reader), location: document.location)
        tree.featureViews[name.value] = ParsedFeatureView(
            definition: definition, isComplete: diagnostics.errors.count == before, entities: entities,
            source: source, ttlLocation: ttl.map { _ in reader.keyLocation("ttl") },
            filterLocation: filter.map { _ in reader.keyLocation("where") },
            computedFeatures: Self.computedFeatures(document))
    }

    private func parseTags(_ reader: MappingReader) -> [String: String] {
        guard let node = reader.node("tags") else { return [:] }
        guard case .mapping(let entries) = node.content else {
            reader.report("\"tags\" must be a mapping, not \(node.shape)", hint: "write {team: ops}", at: node.location)
            return [:]
        }
        guard entries.count <= DefinitionLimits.maximumTags else {
            reader.report(
                "\"tags\" has \(entries.count) tags", hint: "at most \(DefinitionLimits.maximumTags) are supported",
                at: node.location)
            return [:]
        }
        var tags: [String: String] = [:]
        for entry in entries {
            let key = Located(value: entry.key, location: entry.keyLocation)
            guard let text = reader.text(of: entry.value, key: "tags"), reader.checkProse(text, key: "tags"),
                reader.checkProse(key, key: "tags")
            else { continue }
            tags[entry.key] = text.value
        }
        return tags
    }

    private func parseFeatures(_ reader: MappingReader) -> [FeatureDefinition] {
        var features: [FeatureDefinition] = []
        let items = reader.list("features", required: true, atMost: DefinitionLimits.maximumColumns)
        if items?.isEmpty == true {
            reader.report("\"features\" is empty", hint: "a view has at least one", at: reader.keyLocation("features"))
        }
        for item in items ?? [] {
            guard let feature = parseFeature(item, of: reader) else { continue }
            guard !features.contains(where: { $0.name == feature.name }) else {
                reader.report(
                    "feature \"\(feature.name)\" is given twice", hint: "keep one of them", at: feature.location)
                continue
            }
            features.append(feature)
        }
        checkFormerNames(features, reader)
        return features
    }

    private func checkFormerNames(_ features: [FeatureDefinition], _ reader: MappingReader) {
        let names = Set(features.map(\.name))
        var renamed: [String: String] = [:]
        for feature in features {
            guard let former = feature.renamedFrom else { continue }
            if names.contains(former) {
                reader.report(
                    "feature \"\(feature.name)\" is renamed from \"\(former)\", which the view still has",
                    hint: "remove the feature \"\(former)\" or leave renamed_from out", at: feature.location)
            } else if let other = renamed.updateValue(feature.name, forKey: former) {
                reader.report(
                    "features \"\(other)\" and \"\(feature.name)\" are both renamed from \"\(former)\"",
                    hint: "keep renamed_from with the one that goes on as \"\(former)\"", at: feature.location)
            }
        }
    }

    private static let featureKeys = [
        "name", "type", "nullable", "default", "expr", "expect", "description", "renamed_from",
    ]

    private func parseFeature(_ node: DefinitionNode, of view: MappingReader) -> FeatureDefinition? {
        guard
            let reader = MappingReader(
                node, subject: "\(view.subject), \(subject(of: node, noun: "feature"))", keys: Self.featureKeys,
                diagnostics: diagnostics)
        else { return nil }
        let name = reader.name("name", required: true)
        let type = reader.type()
        let isNullable = reader.bool("nullable") ?? true
        let expression = sql("expr", kind: .expression, in: reader)
        let description = reader.prose("description")
        let renamedFrom = reader.name("renamed_from")
        guard let name, let type else { return nil }
        let defaultValue = parseDefault(reader, type: type.value)
        let expectation = parseExpectation(reader, type: type.value)
        if let defaultValue, let expectation, let problem = expectation.violation(by: defaultValue) {
            reader.report(
                "the default \(defaultValue) \(problem)", hint: "change the default or the expectation",
                at: reader.keyLocation("default"))
        }
        return FeatureDefinition(
            name: name.value, type: type.value, isNullable: isNullable, defaultValue: defaultValue,
            expression: expression?.value, expectation: expectation, description: description,
            renamedFrom: renamedFrom?.value, location: node.location)
    }

    private static func computedFeatures(_ document: DefinitionNode) -> Set<String> {
        let names = (document["features"]?.items ?? []).compactMap { feature in
            feature["expr"] == nil ? nil : feature["name"]?.text
        }
        return Set(names)
    }

    private func parseDefault(_ reader: MappingReader, type: ValueType) -> Value? {
        guard reader.has("default") else { return nil }
        guard let node = reader.node("default") else { return nil }
        switch ScalarSyntax.value(node, type: type) {
        case .success(let value):
            return value
        case .failure(let problem):
            reader.report("\"default\" \(problem.message)", hint: problem.hint, at: node.location)
            return nil
        }
    }
}
