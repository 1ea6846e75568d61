import FeatureModel

extension ReferenceChecker {
    /// A name a service gives out, and what it stands for.
    private struct Output {
        let name: String
        let reference: String
        let location: SourceLocation
    }

    func check(_ service: Parsed<FeatureServiceDefinition>) {
        let subject = "feature_service \"\(service.definition.name)\""
        var outputs: [String: Output] = [:]
        var fullOutputs: [String: Output] = [:]
        var requestKeys: [String: (type: ValueType, view: String)] = [:]
        for reference in service.definition.references {
            guard !tree.isUnknown(.featureView, reference.viewName) else {
                diagnostics.report(
                    "\(subject): feature_view \"\(reference.viewName)\" is not defined",
                    hint: nearestHint(reference.viewName, among: tree.names(.featureView), kind: "feature views"),
                    at: reference.location)
                continue
            }
            guard let view = tree.featureViews[reference.viewName] else { continue }
            checkKeys(of: reference, view: view, requestKeys: &requestKeys, subject: subject)
            for name in featureNames(of: reference, view: view, subject: subject) {
                let prefix = reference.alias ?? reference.viewName
                let written = "\(prefix):\(name)"
                let full = "\(prefix)__\(name)"
                let short = reference.alias == nil ? name : full
                let isRepeated = add(
                    Output(name: full, reference: written, location: reference.location), to: &fullOutputs,
                    subject: subject)
                if isRepeated { continue }
                _ = add(
                    Output(name: short, reference: written, location: reference.location), to: &outputs,
                    subject: subject)
            }
        }
        for output in outputs.values where requestKeys[output.name] != nil {
            diagnostics.report(
                "\(subject): \"\(output.reference)\" has the name of the request key \"\(output.name)\"",
                hint: "use {view: ..., as: ...}, whose features are named as__feature", at: output.location)
        }
    }

    /// - Returns: whether the name was taken, which is reported.
    private func add(_ output: Output, to outputs: inout [String: Output], subject: String) -> Bool {
        guard let other = outputs[output.name] else {
            outputs[output.name] = output
            return false
        }
        diagnostics.report(
            "\(subject): \"\(other.reference)\" and \"\(output.reference)\" would both be named \"\(output.name)\"",
            hint: other.reference == output.reference
                ? "name each feature once" : "use {view: ..., as: ...}, whose features are named as__feature",
            at: output.location)
        return true
    }

    /// The features a reference names, as far as the tree can tell: those of another version than the one
    /// defined are looked up when the service is planned.
    private func featureNames(
        of reference: ServiceReferenceDefinition, view: ParsedFeatureView, subject: String
    ) -> [String] {
        let known = view.definition.features.map(\.name)
        switch reference.features {
        case .all:
            return reference.version == nil ? known : []
        case .named(let names):
            guard reference.version == nil, view.isComplete else { return names }
            // A former name is looked up when the service is planned.
            let former = view.definition.features.compactMap(\.renamedFrom)
            for name in names where !known.contains(name) && !former.contains(name) {
                diagnostics.report(
                    "\(subject): feature_view \"\(reference.viewName)\" has no feature \"\(name)\"",
                    hint: nearestHint(name, among: known, kind: "its features"), at: reference.location)
            }
            return names
        }
    }

    private func checkKeys(
        of reference: ServiceReferenceDefinition, view: ParsedFeatureView,
        requestKeys: inout [String: (type: ValueType, view: String)], subject: String
    ) {
        let entities = view.definition.entities.compactMap { tree.entities[$0] }
        var keys: [String: JoinKey] = [:]
        for key in entities.flatMap(\.definition.joinKeys) where keys[key.name] == nil { keys[key.name] = key }
        let areKnown = entities.count == view.definition.entities.count && entities.allSatisfy(\.isComplete)
        for key in reference.joinKeyMapping.keys.sorted() where keys[key] == nil && areKnown {
            diagnostics.report(
                "\(subject): feature_view \"\(reference.viewName)\" has no join key \"\(key)\"",
                hint: nearestHint(key, among: keys.keys, kind: "its join keys"), at: reference.location)
        }
        for key in keys.values.sorted(by: { $0.name < $1.name }) {
            let name = reference.joinKeyMapping[key.name] ?? key.name
            guard let other = requestKeys[name] else {
                requestKeys[name] = (key.type, reference.viewName)
                continue
            }
            guard other.type != key.type else { continue }
            diagnostics.report(
                "\(subject): request key \"\(name)\" is \(other.type) for feature_view \"\(other.view)\" "
                    + "and \(key.type) for feature_view \"\(reference.viewName)\"",
                hint: "give the keys one type, or map one of them with join_keys:", at: reference.location)
        }
    }
}
