public import FeatureModel

extension RegisteredFeatureView {
    /// The version a reader asked for, or the newest active one.
    ///
    /// - Throws: `schema_version_mismatch` when the view does not have it in the generation that is read, or it is
    ///   retired.
    public func readableVersion(_ number: Int32?) throws(LarderError) -> ViewVersion {
        let readable = versions.filter { $0.state != .retired && $0.generation == currentGeneration }
        guard let number else {
            if let version = activeVersion { return version }
            throw LarderError(
                .schemaVersionMismatch, "feature view \"\(name)\" has no active version", hint: hint(readable))
        }
        if let version = readable.first(where: { $0.version == number }) { return version }
        let problem =
            switch version(number) {
            case .some(let version) where version.state == .retired: "is retired"
            case .some(let version):
                "belongs to generation \(version.generation), generation \(currentGeneration) is read"
            case .none: "does not exist"
            }
        throw LarderError(
            .schemaVersionMismatch, "version \(number) of feature view \"\(name)\" \(problem)", hint: hint(readable))
    }

    /// - Throws: `feature_not_found` with the nearest name.
    public func feature(named name: String, of version: ViewVersion) throws(LarderError) -> RegisteredFeature {
        if let feature = version.feature(named: name) { return feature }
        throw LarderError(
            .featureNotFound,
            "version \(version.version) of feature view \"\(self.name)\" has no feature \"\(name.abbreviated)\"",
            hint: nearestHint(name, among: version.features.map(\.name), kind: "its features"))
    }

    private func hint(_ readable: [ViewVersion]) -> String {
        readable.isEmpty
            ? "no version can be read"
            : "versions that can be read: \(readable.map(\.version.description).joined(separator: ", "))"
    }
}
