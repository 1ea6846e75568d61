public import FeatureModel

extension RegisteredFeatureView {
    /// The version a reader asked for, or the newest active one of the current generation.
    ///
    /// - Throws: `schema_version_mismatch` when the view does not have it, it is retired, or its generation is gone.
    public func readableVersion(_ number: Int32?) throws(LarderError) -> ViewVersion {
        guard let number else {
            if let version = activeVersion { return version }
            throw LarderError(
                .schemaVersionMismatch,
                "feature view \"\(name)\" has no active version in generation \(currentGeneration), which is read",
                hint: readableHint)
        }
        if let version = readableVersions.first(where: { $0.version == number }) { return version }
        let problem =
            switch version(number) {
            case .some(let version) where generation(version.generation)?.state != .live:
                "belonged to generation \(version.generation), which was dropped"
            case .some: "is retired"
            case .none: "does not exist"
            }
        throw LarderError(
            .schemaVersionMismatch, "version \(number) of feature view \"\(name)\" \(problem)", hint: readableHint)
    }

    /// The versions that may be asked for, of any generation that has not been dropped.
    public var readableVersions: [ViewVersion] {
        versions.filter { $0.state != .retired && generation($0.generation)?.state == .live }
    }

    /// The feature of a version by its name, or by a former name that a version which is not retired still has.
    ///
    /// - Returns: the feature under the name that was asked for.
    /// - Throws: `feature_not_found` with the nearest name; `schema_version_mismatch` when rows of a later version could not
    ///   be read as the feature.
    public func feature(named name: String, of version: ViewVersion) throws(LarderError) -> FeatureSchema {
        guard let feature = version.feature(named: name) ?? aliased(name, in: version) else {
            throw LarderError(
                .featureNotFound,
                "version \(version.version) of feature view \"\(self.name)\" has no feature \"\(name.abbreviated)\"",
                hint: nearestHint(name, among: version.features.map(\.name), kind: "its features"))
        }
        try checkReadable(feature.schema, of: version)
        guard feature.name != name else { return feature.schema }
        return FeatureSchema(
            id: feature.id, name: name, type: feature.type, isNullable: feature.schema.isNullable,
            defaultValue: feature.schema.defaultValue)
    }

    /// - Throws: `schema_version_mismatch` when rows of another version of the generation could not be read as it.
    func checkReadable(_ feature: FeatureSchema, of version: ViewVersion) throws(LarderError) {
        guard let writer = obstacle(reading: feature, of: version) else { return }
        throw LarderError(
            .schemaVersionMismatch,
            "feature \"\(feature.name)\" of version \(version.version) of feature view \"\(name)\" cannot be read off rows "
                + "that version \(writer) writes", hint: "ask for version \(writer), or a later one")
    }

    private func aliased(_ name: String, in version: ViewVersion) -> RegisteredFeature? {
        version.features.first { feature in
            feature.aliases.contains(name)
                && versions.contains { $0.state != .retired && $0.feature(id: feature.id)?.name == name }
        }
    }

    private var readableHint: String {
        readableVersions.isEmpty
            ? "no version can be read"
            : "versions that can be read: \(readableVersions.map(\.version.description).joined(separator: ", "))"
    }
}
