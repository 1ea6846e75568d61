public import FeatureModel

/// A change of what may be written and what is read, as a command asks for it; definitions stay as they are.
public enum LifecycleChange: Sendable, Hashable {
    /// Writes of the version are accepted with a warning from now on.
    case deprecate(VersionedObject)
    /// Writes and reads of the version are refused from now on.
    case retire(VersionedObject)
    /// The generation is what is read where no version is named.
    case switchGeneration(view: String, to: Int32)
    /// Undoes the last switch.
    case rollback(view: String)
    /// Nothing reads or writes the generation from now on.
    case beginDrop(view: String, generation: Int32)
    /// The generation's data is gone.
    case finishDrop(view: String, generation: Int32)
}

/// A schema version of a feature view or a source.
public struct VersionedObject: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        case featureView = "feature view"
        case source
    }

    public let kind: Kind
    public let name: String
    public let version: Int32

    public init(kind: Kind, name: String, version: Int32) {
        self.kind = kind
        self.name = name
        self.version = version
    }
}

extension RegisteredProject {
    /// The project's next revision, in which the change is made.
    ///
    /// - Throws: `feature_view_not_found`, `source_not_found`, `generation_not_found`, `schema_version_mismatch`; `version_in_use`
    ///   and `generation_in_use`, which name what uses it.
    public func applying(_ change: LifecycleChange) throws(LarderError) -> RegisteredProject {
        var next = self
        switch change {
        case .deprecate(let object): try next.setState(.deprecated, of: object)
        case .retire(let object): try next.setState(.retired, of: object)
        case .switchGeneration(let view, let generation): try next.switchGeneration(ofView: view, to: generation)
        case .rollback(let name):
            guard let previous = try featureView(named: name).previousGeneration else {
                throw LarderError(
                    .generationNotFound, "feature view \"\(name)\" has no earlier generation to go back to",
                    hint: "larder switch \(name) --to-generation names one")
            }
            try next.switchGeneration(ofView: name, to: previous)
        case .beginDrop(let view, let generation): try next.beginDrop(ofView: view, generation)
        case .finishDrop(let view, let generation): try next.finishDrop(ofView: view, generation)
        }
        next.revision += 1
        return next
    }

    private mutating func setState(_ state: VersionState, of object: VersionedObject) throws(LarderError) {
        switch object.kind {
        case .featureView: try setState(state, ofViewVersion: object)
        case .source: try setState(state, ofSourceVersion: object)
        }
    }

    private mutating func setState(
        _ state: VersionState, ofViewVersion object: VersionedObject
    ) throws(LarderError) {
        let view = try featureView(named: object.name)
        guard let index = featureViews.firstIndex(where: { $0.id == view.id }),
            let place = view.versions.firstIndex(where: { $0.version == object.version })
        else { throw Self.unknownVersion(object, among: view.versions.map(\.version)) }
        try Self.check(state, follows: view.versions[place].state, of: object)
        if state == .retired {
            let users = services(pinning: view.id) { $0 == object.version }
            guard users.isEmpty else { throw Self.versionInUse(object, by: users) }
            let others = view.versions(ofGeneration: view.versions[place].generation).filter {
                $0.version != object.version && $0.state != .retired
            }
            guard !others.isEmpty else {
                throw LarderError(
                    .versionInUse,
                    "version \(object.version) is the last one of generation \(view.versions[place].generation) of feature "
                        + "view \"\(view.name)\" that is not retired",
                    hint: "apply a later version, or drop the generation")
            }
        }
        featureViews[index].versions[place].state = state
    }

    private mutating func setState(
        _ state: VersionState, ofSourceVersion object: VersionedObject
    ) throws(LarderError) {
        let source = try source(named: object.name)
        guard let index = sources.firstIndex(where: { $0.id == source.id }),
            let place = source.versions.firstIndex(where: { $0.version == object.version })
        else { throw Self.unknownVersion(object, among: source.versions.map(\.version)) }
        try Self.check(state, follows: source.versions[place].state, of: object)
        if state == .retired, !source.versions.contains(where: { $0.version != object.version && $0.state != .retired })
        {
            throw LarderError(
                .versionInUse,
                "version \(object.version) is the last one of source \"\(source.name)\" that is not retired",
                hint: "apply a later version first")
        }
        sources[index].versions[place].state = state
    }

    private static func check(
        _ state: VersionState, follows former: VersionState, of object: VersionedObject
    ) throws(LarderError) {
        let isNext = state == .retired ? former != .retired : former == .active
        guard !isNext else { return }
        throw LarderError(
            .schemaVersionMismatch,
            "version \(object.version) of \(object.kind.rawValue) \"\(object.name)\" is \(former.rawValue) already")
    }

    private static func unknownVersion(_ object: VersionedObject, among versions: [Int32]) -> LarderError {
        LarderError(
            .schemaVersionMismatch,
            "\(object.kind.rawValue) \"\(object.name)\" has no version \(object.version)",
            hint: "its versions: \(versions.map(\.description).joined(separator: ", "))")
    }

    private static func versionInUse(_ object: VersionedObject, by users: [String]) -> LarderError {
        LarderError(
            .versionInUse,
            "version \(object.version) of feature view \"\(object.name)\" is pinned by feature "
                + (users.count == 1 ? "service " : "services ")
                + users.map { "\"\($0)\"" }.joined(separator: ", "),
            hint: "pin a later version in the service and apply, then retire")
    }

    /// The live feature services that pin versions of a view for which `isMeant` holds, by name.
    public func services(pinning viewID: Int64, where isMeant: (Int32) -> Bool) -> [String] {
        featureServices.filter { service in
            !service.isRemoved && service.references.contains { $0.viewID == viewID && isMeant($0.version) }
        }.map(\.name)
    }
}
