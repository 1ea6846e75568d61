import FeatureDefinitions
import FeatureModel

/// A schema version as writes see it: whether it takes rows, and what they look like.
struct WritableVersion: Sendable {
    let number: Int32
    let state: VersionState
    /// Of a feature view, in name order; nil where nobody knows them any more.
    let keys: [Field]?
    /// In definition order, without keys.
    let fields: [Field]
    /// Said of a version whose generation is gone, such as `belonged to generation 1, which was dropped,`.
    let end: String?

    /// Which version a write is for.
    struct Choice: Sendable, Equatable {
        let number: Int32
        /// Said to whoever writes; nil when the version is active.
        let warning: String?
    }

    /// The version that a write names, or else the fallback.
    ///
    /// - Parameters:
    ///   - number: as the write names it; nil takes `fallback`, which is nil where no version is active.
    ///   - versions: all that the target ever had, ascending.
    /// - Throws: `schema_version_mismatch` for a version that is unknown or retired, with one error per difference to the
    ///   newest active version and the active ones in the hint.
    static func choose(
        _ number: Int32?, fallback: Int32?, among versions: [WritableVersion], of target: WriteTarget
    ) throws(LarderError) -> Choice {
        guard let wanted = number ?? fallback else {
            throw LarderError(
                .schemaVersionMismatch, "\(target) has no active version, so the version to write has to be named",
                hint: hint(versions))
        }
        let found = versions.first { $0.number == wanted }
        switch found?.state {
        case .active:
            return Choice(number: wanted, warning: nil)
        case .deprecated:
            let active = versions.last { $0.state == .active }
            let advice = active.map { "; write version \($0.number) instead" } ?? ""
            return Choice(number: wanted, warning: "version \(wanted) of \(target) is deprecated\(advice)")
        case .retired:
            throw LarderError(
                .schemaVersionMismatch,
                "version \(wanted) of \(target) \(found?.end ?? "is retired") and takes no rows",
                hint: hint(versions), errors: differences(from: found, to: versions, target))
        case nil:
            throw LarderError(
                .schemaVersionMismatch, "\(target) has no version \(wanted)", hint: hint(versions),
                errors: differences(from: nil, to: versions, target))
        }
    }

    private static func hint(_ versions: [WritableVersion]) -> String {
        func list(_ state: VersionState) -> String {
            versions.filter { $0.state == state }.map(\.number.description).joined(separator: ", ")
        }
        let active = list(.active)
        let deprecated = list(.deprecated)
        var parts = [active.isEmpty ? "no version is active" : "active versions: \(active)"]
        if !deprecated.isEmpty { parts.append("deprecated, but still taken: \(deprecated)") }
        return parts.joined(separator: "; ")
    }

    /// What a row of one version would have to change to be one of the newest active version.
    private static func differences(
        from old: WritableVersion?, to versions: [WritableVersion], _ target: WriteTarget
    ) -> [LarderError] {
        guard let new = versions.last(where: { $0.state == .active }) else { return [] }
        let word = target.fieldWord
        func error(_ message: String) -> LarderError { LarderError(.schemaVersionMismatch, message) }
        guard let old else {
            return new.allFields.map { error("version \(new.number) has \(word) \(text($0))") }
        }
        // Of keys that nobody knows nothing is said.
        let fields = old.keys == nil ? new.fields : new.allFields
        var errors: [LarderError] = []
        for field in fields {
            guard let former = old.allFields.first(where: { $0.name == field.name }) else {
                errors.append(error("version \(old.number) lacks \(word) \(text(field))"))
                continue
            }
            if former.type != field.type {
                errors.append(
                    error(
                        "\(word) \"\(field.name)\" is \(former.type) in version \(old.number), "
                            + "\(field.type) in version \(new.number)"))
            }
            if former.isNullable != field.isNullable {
                let nullable = former.isNullable ? (old.number, new.number) : (new.number, old.number)
                errors.append(
                    error(
                        "\(word) \"\(field.name)\" may be null in version \(nullable.0), not in version \(nullable.1)"))
            }
        }
        for field in old.allFields where !new.allFields.contains(where: { $0.name == field.name }) {
            errors.append(error("version \(new.number) has no \(word) \"\(field.name)\""))
        }
        return errors
    }

    private var allFields: [Field] { (keys ?? []) + fields }

    private static func text(_ field: Field) -> String {
        "\"\(field.name)\" \(field.type)\(field.isNullable ? "" : ", not null")"
    }
}

extension RegisteredSource {
    /// The version that a write is for, and a warning where it is deprecated.
    /// - Parameter number: nil takes the newest active version.
    /// - Throws: `schema_version_mismatch` with the difference to the newest active version.
    func writableVersion(_ number: Int32?) throws(LarderError) -> (version: SourceVersion, warning: String?) {
        let all = versions.map { version in
            WritableVersion(
                number: version.version, state: version.state, keys: [],
                fields: version.columns.map { Field(name: $0.name, type: $0.type, isNullable: $0.isNullable) },
                end: nil)
        }
        let choice = try WritableVersion.choose(
            number, fallback: activeVersion?.version, among: all, of: .source(name))
        guard let version = version(choice.number) else {
            throw LarderError(.internalError, "source \"\(name)\" lost version \(choice.number)")
        }
        return (version, choice.warning)
    }
}

extension RegisteredFeatureView {
    /// The version that a write is for, and a warning where it is deprecated.
    /// - Parameter number: nil takes the newest active version of the current generation.
    /// - Throws: `schema_version_mismatch` with the difference to the newest active version.
    func writableVersion(_ number: Int32?) throws(LarderError) -> (version: ViewVersion, warning: String?) {
        let all = versions.map { version in
            // A dropped generation has taken its keys along.
            let home = generation(version.generation)
            return WritableVersion(
                number: version.version, state: version.state,
                keys: home?.joinKeys.map { Field(name: $0.name, type: $0.type, isNullable: false) },
                fields: version.features.map {
                    Field(name: $0.name, type: $0.type, isNullable: $0.schema.isNullable)
                }, end: Self.end(of: home, version.generation))
        }
        let choice = try WritableVersion.choose(
            number, fallback: activeVersion?.version, among: all, of: .featureView(name))
        guard let version = version(choice.number) else {
            throw LarderError(.internalError, "feature view \"\(name)\" lost version \(choice.number)")
        }
        return (version, choice.warning)
    }

    /// - Parameter generation: nil for one that was dropped.
    private static func end(of generation: GenerationState?, _ number: Int32) -> String? {
        switch generation?.state {
        case .live: nil
        case .dropping: "belongs to generation \(number), which is being dropped,"
        case nil: "belonged to generation \(number), which was dropped,"
        }
    }
}
