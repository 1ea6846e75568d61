import FeatureModel

/// A definition as its own document states it, before names of other objects are looked up.
struct Parsed<Definition> {
    let definition: Definition
    /// False when the document had mistakes: what seems missing in it may only be misspelled.
    let isComplete: Bool
}

/// A view with the places its cross-references are written at.
struct ParsedFeatureView {
    let definition: FeatureViewDefinition
    let isComplete: Bool
    let entities: [Located<String>]
    let source: Located<String>?
    let ttlLocation: SourceLocation?
    let filterLocation: SourceLocation?
    /// Names of the features that say `expr:`, whether it can be read or not.
    let computedFeatures: Set<String>
}

/// All documents of a tree.
struct ParsedTree {
    var projects: [Parsed<ProjectDefinition>] = []
    var entities: [String: Parsed<EntityDefinition>] = [:]
    var sources: [String: Parsed<SourceDefinition>] = [:]
    var featureViews: [String: ParsedFeatureView] = [:]
    var featureServices: [String: Parsed<FeatureServiceDefinition>] = [:]
    /// Names in the order of the files, by kind.
    var order: [ObjectKind: [String]] = [:]
    private var places: [ObjectKind: [String: SourceLocation]] = [:]
    /// Kinds of which a document could not be told by name; any name may be its.
    private var hiddenKinds: Set<ObjectKind> = []

    /// Registers a name of a kind; a second use is reported and gives false.
    mutating func declare(_ kind: ObjectKind, _ name: Located<String>, diagnostics: Diagnostics) -> Bool {
        if let first = places[kind]?[name.value] {
            diagnostics.report(
                "\(kind.rawValue) \"\(name.value)\" is defined twice", hint: "it is already defined at \(first)",
                at: name.location)
            return false
        }
        places[kind, default: [:]][name.value] = name.location
        order[kind, default: []].append(name.value)
        return true
    }

    /// Notes a document without a readable name, of one of these kinds.
    mutating func hide(_ kinds: some Sequence<ObjectKind>) { hiddenKinds.formUnion(kinds) }

    /// Whether a name can be relied on to be unknown: what refers to it is a mistake of its own.
    func isUnknown(_ kind: ObjectKind, _ name: String) -> Bool {
        places[kind]?[name] == nil && !hiddenKinds.contains(kind)
    }

    var isWithoutProject: Bool { projects.isEmpty && !hiddenKinds.contains(.project) }

    func names(_ kind: ObjectKind) -> [String] { order[kind] ?? [] }
}
