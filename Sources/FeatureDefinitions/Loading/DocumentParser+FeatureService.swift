import FeatureModel

extension DocumentParser {
    mutating func parseFeatureService(_ document: DefinitionNode) {
        let before = diagnostics.errors.count
        guard let (reader, name) = open(document, kind: .featureService, keys: ["features"]) else { return }
        guard tree.declare(.featureService, name, diagnostics: diagnostics) else { return }
        let items = reader.list("features", required: true, atMost: DefinitionLimits.maximumServiceReferences)
        if items?.isEmpty == true {
            reader.report(
                "\"features\" is empty", hint: "name features as view:feature or view:*",
                at: reader.keyLocation("features"))
        }
        let references = (items ?? []).compactMap { parseServiceReference($0, of: reader) }
        tree.featureServices[name.value] = Parsed(
            definition: FeatureServiceDefinition(
                name: name.value, description: reader.prose("description"), references: references,
                location: document.location),
            isComplete: diagnostics.errors.count == before)
    }

    private func parseServiceReference(
        _ node: DefinitionNode, of service: MappingReader
    ) -> ServiceReferenceDefinition? {
        switch node.content {
        case .scalar(let text, _):
            guard
                let reference = reported(
                    at: node.location, service,
                    { () throws(LarderError) in
                        try FeatureReference(parsing: text)
                    })
            else { return nil }
            return ServiceReferenceDefinition(
                viewName: reference.viewName, version: reference.version,
                features: reference.featureName.map { .named([$0]) } ?? .all, location: node.location)
        case .mapping:
            return parseMappedReference(node, of: service)
        default:
            service.report(
                "a feature reference must be text or a mapping, not \(node.shape)",
                hint: "write view:feature, view:*, or {view: ..., as: ..., join_keys: {...}}", at: node.location)
            return nil
        }
    }

    private func parseMappedReference(
        _ node: DefinitionNode, of service: MappingReader
    ) -> ServiceReferenceDefinition? {
        guard
            let reader = MappingReader(
                node, subject: "\(service.subject), reference", keys: ["view", "as", "join_keys", "features"],
                diagnostics: diagnostics)
        else { return nil }
        let alias = reader.name("as")
        let mapping = parseJoinKeyMapping(reader)
        var features = FeatureChoice.all
        if let names = reader.names("features") {
            if names.isEmpty {
                reader.report(
                    "\"features\" is empty", hint: "leave it out for all features", at: reader.keyLocation("features"))
            }
            features = .named(names.map(\.value))
        }
        guard let text = reader.text("view", required: true),
            let (view, version) = reported(
                at: text.location, reader,
                { () throws(LarderError) in
                    try FeatureReference.view(parsing: text.value)
                })
        else { return nil }
        return ServiceReferenceDefinition(
            viewName: view, version: version, features: features, alias: alias?.value, joinKeyMapping: mapping,
            location: node.location)
    }

    /// `{entity key: request key}`.
    private func parseJoinKeyMapping(_ reader: MappingReader) -> [String: String] {
        guard let node = reader.node("join_keys") else { return [:] }
        guard case .mapping(let entries) = node.content else {
            reader.report(
                "\"join_keys\" must be a mapping, not \(node.shape)",
                hint: "write {entity key: request key}, such as {origin: dest}", at: node.location)
            return [:]
        }
        var mapping: [String: String] = [:]
        for entry in entries {
            guard let text = reader.text(of: entry.value, key: "join_keys"), let name = reader.checkedName(text) else {
                continue
            }
            if let other = mapping.first(where: { $0.value == name.value }) {
                reader.report(
                    "join keys \"\(other.key)\" and \"\(entry.key)\" both read the request key \"\(name.value)\"",
                    hint: "each join key needs a request key of its own", at: name.location)
                continue
            }
            mapping[entry.key] = name.value
        }
        return mapping
    }

    /// Runs a parse that throws and reports what it throws at the place it was written.
    private func reported<Output>(
        at location: SourceLocation, _ reader: MappingReader, _ parse: () throws(LarderError) -> Output
    ) -> Output? {
        do throws(LarderError) {
            return try parse()
        } catch {
            reader.report(
                error.message, hint: error.hint ?? "write view:feature, view:* or view@2:feature", at: location)
            return nil
        }
    }
}
