public import FeatureModel

extension PlanBuilder {
    /// Refuses a version that breaks the view's mode, or that cannot read what its generation holds.
    mutating func refuseIncompatible(
        _ version: ViewVersion, of view: FeatureViewDefinition, registered: RegisteredFeatureView
    ) {
        guard let keys = registered.generation(version.generation)?.joinKeys else { return }
        let shape = ViewSchema(version: version.version, joinKeys: keys, features: version.features.map(\.schema)).shape
        let former = registered.versions(ofGeneration: version.generation)
        let schemas = registered.schemas(ofGeneration: version.generation)
        let readable = zip(former, schemas).filter { $0.0.state != .retired }.map { $0.1.shape }
        var violations = SchemaCompatibility.violations(of: shape, against: readable, mode: view.compatibility)
        // Whatever the mode, and also of retired versions: their rows are there.
        let unreadable = SchemaCompatibility.violations(
            of: shape, against: schemas.map(\.shape), mode: .backwardTransitive
        ).filter { $0.rule != .defaultValue }
        for violation in unreadable where !violations.contains(violation) { violations.append(violation) }
        let backward = SchemaCompatibility.violations(of: shape, against: readable, mode: .backward) + unreadable
        report(
            violations, refusedByBackward: Set(backward.map(\.path)), subject: "feature_view \"\(view.name)\"",
            remedy: Self.raise(registered),
            locations: Dictionary(view.features.map { ($0.name, $0.location) }) { first, _ in first },
            otherwise: view.location)
    }

    /// One refusal for each violation; the name of a field leads to its place.
    ///
    /// - Parameter refusedByBackward: the paths of what the mode `backward` would refuse.
    mutating func report(
        _ violations: [CompatibilityViolation], refusedByBackward: Set<String>, subject: String, remedy: String,
        locations: [String: SourceLocation], otherwise: SourceLocation
    ) {
        var told: Set<String> = []
        for violation in violations {
            let parts = violation.path.split(separator: ".")
            let location = parts.count > 1 ? locations[String(parts[1])] : nil
            let message = "\(subject), \(violation.path): \(violation.message)"
            guard told.insert(message).inserted else { continue }
            var remedies: [String] = []
            if !refusedByBackward.contains(violation.path) {
                remedies.append("say compatibility: backward to have it accepted")
            }
            if let ownRemedy = Self.remedy(violation.rule, mayHaveDefault: parts.first == "features") {
                remedies.append(ownRemedy)
            }
            let ways = remedies.isEmpty ? remedy : "\(remedies.joined(separator: ", ")), or \(remedy)"
            refuse(message, remedy: ways, at: location ?? otherwise)
        }
    }

    /// What would do beside the remedy for any violation.
    private static func remedy(_ rule: CompatibilityViolation.Rule, mayHaveDefault: Bool) -> String? {
        switch rule {
        case .added: mayHaveDefault ? "make it nullable or give it a default" : "make it nullable"
        case .removed: "keep it"
        case .type: "add a new one under another name"
        case .nullability, .defaultValue, .keys: nil
        }
    }

    /// Refuses versions that write what a feature service of the tree could not read.
    mutating func refuseStrandedServices() {
        for service in next.featureServices where !service.isRemoved {
            for reference in service.references {
                guard let view = next.featureView(id: reference.viewID),
                    let version = view.version(reference.version)
                else { continue }
                for id in reference.featureIDs {
                    guard let feature = version.feature(id: id)?.schema,
                        let writer = view.obstacle(reading: feature, of: version)
                    else { continue }
                    refuse(
                        "feature_service \"\(service.name)\" pins \(view.name)@\(version.version):\(feature.name), which "
                            + "could not be read off rows of version \(writer)",
                        remedy: "pin a later version in the service, or \(Self.raise(view))",
                        at: definition.featureServices.first { $0.name == service.name }?.location)
                }
            }
        }
    }
}

extension RegisteredFeatureView {
    /// A version of the same generation whose rows a reader of `version` could not take the feature from; nil when
    /// there is none.
    public func obstacle(reading feature: FeatureSchema, of version: ViewVersion) -> Int32? {
        schemas(ofGeneration: version.generation).first { writer in
            guard let rule = SchemaCompatibility.obstacle(reading: feature, from: writer.shape) else { return false }
            return rule != .defaultValue
        }?.version
    }
}
