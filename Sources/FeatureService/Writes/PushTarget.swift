public import FeatureDefinitions
public import FeatureModel
import OfflineStore
import PostgresClient

extension RegisteredProject {
    /// The version that a program names: it has to.
    /// - Throws: `feature_view_not_found`; `request_invalid` when it names none.
    public func requiredVersion(_ number: Int32?, ofView name: String) throws(LarderError) -> Int32 {
        let view = try featureView(named: name)
        if let number { return number }
        throw LarderError.schemaVersionMissing(newest: view.activeVersion?.version, of: .featureView(name))
    }
}

/// Where the rows of a push go: a version that takes rows, and the generation it belongs to.
struct PushTarget {
    let home: ViewHome
    let version: ViewVersion
    let source: RegisteredSource

    /// - Parameter number: nil takes the newest active version of the current generation.
    /// - Returns: also a warning where the version is deprecated.
    /// - Throws: `feature_view_not_writable`, `schema_version_mismatch` with the difference to the newest active version.
    static func choose(
        _ view: RegisteredFeatureView, _ number: Int32?, in project: RegisteredProject
    ) throws(LarderError) -> (PushTarget, warning: String?) {
        let live = view.generations.filter { $0.state == .live }
        // Of a view that takes no rows at all it does not matter which version was named.
        guard live.contains(where: { project.source(id: $0.sourceID)?.kind == .push }) else {
            throw notWritable(view, view.newestGeneration, in: project)
        }
        let (version, warning) = try view.writableVersion(number)
        guard let generation = live.first(where: { $0.number == version.generation }) else {
            throw LarderError(
                .schemaVersionMismatch,
                "version \(version.version) of feature view \"\(view.name)\" belongs to a generation that was dropped")
        }
        guard let source = project.source(id: generation.sourceID), source.kind == .push else {
            throw notWritable(view, generation, in: project)
        }
        let home = ViewHome(view: view, generation: generation)
        return (PushTarget(home: home, version: version, source: source), warning)
    }

    private static func notWritable(
        _ view: RegisteredFeatureView, _ generation: GenerationState, in project: RegisteredProject
    ) -> LarderError {
        let source = project.source(id: generation.sourceID)
        let name = source?.name ?? generation.sourceName
        let hint =
            source?.kind == .table
            ? "write the rows into its source instead: larder ingest \(name) FILE, then larder materialize \(view.name)"
            : "larder materialize \(view.name) computes its rows"
        return LarderError(
            .featureViewNotWritable,
            "feature view \"\(view.name)\" takes no rows: it is computed from source \"\(name)\" of type "
                + (source?.kind.name ?? "unknown"), hint: hint)
    }

    var target: WriteTarget { .featureView(home.view.name) }

    var ledgerTarget: WriteRecord.Target { .featureView(home.view.id, generation: home.generation.number) }

    var schema: ViewSchema {
        ViewSchema(
            version: version.version, joinKeys: home.generation.joinKeys, features: version.features.map(\.schema))
    }

    /// What PostgreSQL's refusal of a write means that had passed every check here: another revision was applied in between.
    /// Any other error stays as it is.
    func translated(_ error: PostgresError) -> any Error {
        if let retired = LarderError(retiring: error, version: version.version, of: target) { return retired }
        guard error.sqlState == .checkViolation else { return error }
        return LarderError(
            .schemaVersionMismatch,
            "version \(version.version) of feature view \"\(home.view.name)\" was changed while the rows were written",
            hint: "write them again; nothing was written")
    }
}
