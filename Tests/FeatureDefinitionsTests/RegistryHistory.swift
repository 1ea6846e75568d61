import FeatureDefinitions
import FeatureModel

/// A rule that a plan or a revision broke.
struct BrokenRule: Error, CustomStringConvertible {
    let description: String

    static func check(_ holds: Bool, _ description: @autoclosure () -> String) throws(BrokenRule) {
        if !holds { throw BrokenRule(description: description()) }
    }
}

/// Remembers what every id and every version of a project ever stood for, and holds each revision to it.
struct RegistryHistory {
    private struct Field {
        var types: Set<ValueType>
        var names: Set<String>
    }

    private struct View {
        var fields: [Int32: Field] = [:]
        var nextID: Int32 = 1
        var versions: [Int32: [FeatureSchema]] = [:]
        var generations: [Int32: Int32] = [:]
        var gone: Set<Int32> = []
    }

    private struct Source {
        var fields: [Int32: Field] = [:]
        var nextID: Int32 = 1
        var versions: [Int32: [SourceColumn]] = [:]
    }

    private var names: [Int64: String] = [:]
    private var views: [Int64: View] = [:]
    private var sources: [Int64: Source] = [:]

    mutating func check(_ project: RegisteredProject) throws {
        try checkObjects(project)
        for view in project.featureViews { try check(view) }
        for source in project.sources { try check(source) }
    }

    private mutating func checkObjects(_ project: RegisteredProject) throws {
        let objects =
            project.entities.map { ($0.id, "entity \($0.name)") } + project.sources.map { ($0.id, "source \($0.name)") }
            + project.featureViews.map { ($0.id, "view \($0.name)") }
            + project.featureServices.map { ($0.id, "service \($0.name)") }
        let highest = names.keys.max() ?? project.id
        for (id, name) in objects {
            if let former = names[id] {
                try BrokenRule.check(former == name, "id \(id) was \(former) and is \(name)")
            } else {
                try BrokenRule.check(id > highest, "the new id \(id) of \(name) is not above \(highest)")
            }
        }
        let now = Dictionary(objects) { first, _ in first }
        try BrokenRule.check(now.count == objects.count, "an id is given twice")
        try BrokenRule.check(Set(names.keys).isSubset(of: now.keys), "an object is gone")
        names = now
    }

    // MARK: Views

    private mutating func check(_ view: RegisteredFeatureView) throws {
        var known = views[view.id] ?? View()
        let subject = "view \(view.name)"
        try BrokenRule.check(
            view.versions.map(\.version) == Array(1...Int32(view.versions.count)), "\(subject): versions are missing")
        try BrokenRule.check(
            Set(known.versions.keys).isSubset(of: view.versions.map(\.version)), "\(subject): a version is gone")
        for version in view.versions {
            let schemas = version.features.map(\.schema)
            if let former = known.versions[version.version] {
                try BrokenRule.check(former == schemas, "\(subject): version \(version.version) has changed")
            }
            try BrokenRule.check(
                known.generations[version.version] ?? version.generation == version.generation,
                "\(subject): version \(version.version) has moved to generation \(version.generation)")
            known.generations[version.version] = version.generation
            try Self.check(
                version.features.map { ($0.id, $0.name, $0.type, $0.aliases) },
                subject: "\(subject)@\(version.version)",
                isNew: known.versions[version.version] == nil, known: &known.fields, nextID: known.nextID)
            known.versions[version.version] = schemas
        }
        try checkGenerations(of: view, subject: subject, &known)
        let highest = known.fields.keys.max() ?? 0
        try BrokenRule.check(view.nextFeatureID > highest, "\(subject): id \(highest) would be given again")
        try BrokenRule.check(view.nextFeatureID >= known.nextID, "\(subject): ids run backwards")
        known.nextID = view.nextFeatureID
        views[view.id] = known
    }

    private func checkGenerations(of view: RegisteredFeatureView, subject: String, _ known: inout View) throws {
        let numbers = view.generations.map(\.number)
        try BrokenRule.check(numbers == Set(numbers).sorted(), "\(subject): generations \(numbers)")
        try BrokenRule.check(known.gone.isDisjoint(with: numbers), "\(subject): a dropped generation is back")
        known.gone.formUnion(Set(view.versions.map(\.generation)).subtracting(numbers))
        // Of a view that is no longer defined every generation may be dropped.
        try BrokenRule.check(
            view.isRemoved || view.current?.state == .live, "\(subject): the current generation is not live")
        if let previous = view.previousGeneration {
            try BrokenRule.check(
                view.generation(previous)?.state == .live, "\(subject): there is no rollback to generation \(previous)")
        }
        for generation in view.generations {
            let versions = view.versions(ofGeneration: generation.number)
            try BrokenRule.check(
                versions.contains { $0.state != .retired } == (generation.state == .live),
                "\(subject): generation \(generation.number) is \(generation.state), its versions \(versions.map(\.state))"
            )
        }
        for version in view.versions where !numbers.contains(version.generation) {
            try BrokenRule.check(version.state == .retired, "\(subject)@\(version.version) is writable nowhere")
        }
    }

    // MARK: Sources

    private mutating func check(_ source: RegisteredSource) throws {
        var known = sources[source.id] ?? Source()
        let subject = "source \(source.name)"
        try BrokenRule.check(
            source.versions.map(\.version) == Array(1...Int32(source.versions.count)),
            "\(subject): versions are missing")
        try BrokenRule.check(
            source.versions.contains { $0.state != .retired }, "\(subject): no version is writable")
        for version in source.versions {
            if let former = known.versions[version.version] {
                try BrokenRule.check(former == version.columns, "\(subject): version \(version.version) has changed")
            }
            // Nothing is stored of the columns of other sources, so they may be retyped.
            if source.isTable {
                try Self.check(
                    version.columns.map { ($0.id, $0.name, $0.type, []) }, subject: "\(subject)@\(version.version)",
                    isNew: known.versions[version.version] == nil, known: &known.fields, nextID: known.nextID)
            }
            known.versions[version.version] = version.columns
        }
        let highest = known.fields.keys.max() ?? 0
        try BrokenRule.check(source.nextColumnID > highest, "\(subject): id \(highest) would be given again")
        try BrokenRule.check(source.nextColumnID >= known.nextID, "\(subject): ids run backwards")
        known.nextID = source.nextColumnID
        sources[source.id] = known
    }

    // MARK: Fields

    /// An id stands for one thing for ever: its types are one widened to the other, its names led from one to the next.
    private static func check(
        _ fields: [(id: Int32, name: String, type: ValueType, aliases: [String])], subject: String, isNew: Bool,
        known: inout [Int32: Field], nextID: Int32
    ) throws {
        try BrokenRule.check(Set(fields.map(\.id)).count == fields.count, "\(subject) has an id twice")
        try BrokenRule.check(Set(fields.map(\.name)).count == fields.count, "\(subject) has a name twice")
        for field in fields {
            let place = "\(subject), id \(field.id) \(field.name)"
            guard var former = known[field.id] else {
                try BrokenRule.check(field.id >= nextID, "\(place) was given before")
                known[field.id] = Field(types: [field.type], names: [field.name])
                continue
            }
            for type in former.types where type != field.type {
                try BrokenRule.check(
                    type.isWidened(to: field.type) || field.type.isWidened(to: type),
                    "\(place) was \(type) and is \(field.type)")
            }
            try BrokenRule.check(
                !isNew || former.names.contains(field.name) || !former.names.isDisjoint(with: field.aliases),
                "\(place) was \(former.names.sorted()) and does not say so")
            former.types.insert(field.type)
            former.names.insert(field.name)
            known[field.id] = former
        }
    }
}
