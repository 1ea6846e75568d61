import FeatureModel

/// Compares a tree of definitions with what the registry holds. Pure: the same input gives the same plan.
public enum Planner {
    /// - Parameters:
    ///   - current: the project's newest revision; nil when there is none yet.
    ///   - allowRemovals: whether objects the tree no longer mentions may be removed.
    ///   - allocateID: gives an id never given before for a kind; called once per new object, in the order of the plan.
    public static func plan(
        current: RegisteredProject?, definition: ProjectDefinition, allowRemovals: Bool,
        allocateID: (ObjectKind) -> Int64
    ) -> Plan {
        withoutActuallyEscaping(allocateID) { allocateID in
            var builder = PlanBuilder(
                current: current, definition: definition, allowRemovals: allowRemovals, allocateID: allocateID)
            return builder.build()
        }
    }
}

/// Builds one plan: kind by kind in the order of dependence, so that each looks up what it needs in `next`.
struct PlanBuilder {
    let current: RegisteredProject?
    let definition: ProjectDefinition
    let allowRemovals: Bool
    let allocateID: (ObjectKind) -> Int64
    var next: RegisteredProject
    var changes: [PlannedChange] = []
    var refusals: [LarderError] = []

    init(
        current: RegisteredProject?, definition: ProjectDefinition, allowRemovals: Bool,
        allocateID: @escaping (ObjectKind) -> Int64
    ) {
        self.current = current
        self.definition = definition
        self.allowRemovals = allowRemovals
        self.allocateID = allocateID
        next = current ?? RegisteredProject(id: allocateID(.project), name: definition.name, revision: 0)
    }

    mutating func build() -> Plan {
        guard next.name == definition.name else { return planOfAnotherProject() }
        planProject()
        planEntities()
        planSources()
        planFeatureViews()
        planFeatureServices()
        refuseBrokenReferences()
        refuseStrandedServices()
        tellTouchedServices()
        let isChanged = changes.contains { $0.action != .unchanged }
        if isChanged { next.revision += 1 }
        return Plan(
            projectName: definition.name, baseRevision: current?.revision ?? 0, changes: changes,
            refusals: refusals, next: refusals.isEmpty ? next : nil)
    }

    private mutating func planOfAnotherProject() -> Plan {
        refuse(
            "project \"\(next.name)\": the tree defines project \"\(definition.name)\"",
            remedy: "apply it as a project of its own: a rename is not supported", at: definition.location)
        return Plan(
            projectName: definition.name, baseRevision: next.revision, changes: [], refusals: refusals, next: nil)
    }

    private mutating func planProject() {
        guard let current else {
            next.description = definition.description
            changes.append(PlannedChange(action: .added, kind: .project, name: definition.name))
            return
        }
        var details: [String] = []
        if current.description != definition.description {
            next.description = definition.description
            details.append("description changed")
        }
        record(.project, definition.name, details: details)
    }

    /// Records an object that existed: changed when there are details.
    mutating func record(
        _ kind: ObjectKind, _ name: String, summary: String = "", details: [String], needsBackfill: Bool = false,
        needsRepublish: Bool = false
    ) {
        changes.append(
            PlannedChange(
                action: details.isEmpty ? .unchanged : .changed, kind: kind, name: name, summary: summary,
                details: details, needsBackfill: needsBackfill, needsRepublish: needsRepublish))
    }

    mutating func refuse(_ message: String, remedy: String, at location: SourceLocation?) {
        refusals.append(LarderError(.changeRefused, message, hint: remedy, location: location))
    }

    /// Removes what the tree no longer mentions, or refuses to.
    /// - Returns: whether the object is to be marked as removed.
    mutating func planRemoval(_ kind: ObjectKind, _ name: String) -> Bool {
        let data = Self.remainder(of: kind)
        guard allowRemovals else {
            refusals.append(
                LarderError(
                    .removalNotAllowed, "\(kind.rawValue) \"\(name)\" is no longer in the tree",
                    hint: "put it back, or allow removals with --allow-removals" + (data.map { "; its \($0)" } ?? "")))
            return false
        }
        changes.append(PlannedChange(action: .removed, kind: kind, name: name, summary: data ?? ""))
        return true
    }

    /// What becomes of the data of a removed object; nil where it has none. No command drops that of a source.
    private static func remainder(of kind: ObjectKind) -> String? {
        switch kind {
        case .featureView: "data stays until dropped"
        case .source: "data stays in PostgreSQL"
        case .project, .entity, .featureService: nil
        }
    }

    /// Refuses removals of what live objects still refer to.
    private mutating func refuseBrokenReferences() {
        let entities = Set(next.entities.lazy.filter { !$0.isRemoved }.map(\.id))
        let sources = Set(next.sources.lazy.filter { !$0.isRemoved }.map(\.id))
        let views = Set(next.featureViews.lazy.filter { !$0.isRemoved }.map(\.id))
        for view in next.featureViews where !view.isRemoved {
            for generation in view.generations where generation.state == .live {
                let user =
                    generation.number == view.newestGeneration.number
                    ? "feature_view \"\(view.name)\""
                    : "generation \(generation.number) of feature_view \"\(view.name)\""
                for (id, name) in zip(generation.entityIDs, generation.entityNames) where !entities.contains(id) {
                    refuseRemoval(of: "entity \"\(name)\"", usedBy: user)
                }
                if !sources.contains(generation.sourceID) {
                    refuseRemoval(of: "source \"\(generation.sourceName)\"", usedBy: user)
                }
            }
        }
        for service in next.featureServices where !service.isRemoved {
            for reference in service.references where !views.contains(reference.viewID) {
                refuseRemoval(
                    of: "feature_view \"\(reference.viewName)\"", usedBy: "feature_service \"\(service.name)\"")
            }
        }
    }

    private mutating func refuseRemoval(of object: String, usedBy user: String) {
        refuse(
            "\(object) cannot be removed: \(user) refers to it", remedy: "remove \(user) as well, or keep \(object)",
            at: nil)
    }
}

/// One attribute as a plan tells its change; of long values the part where they begin to differ.
func changeText(_ attribute: String, from old: String?, to new: String?) -> String {
    guard let old, let new, max(old.count, new.count) > 60 else {
        return "\(attribute) changed from \((old ?? "none").abbreviated) to \((new ?? "none").abbreviated)"
    }
    let common = max(0, old.commonPrefix(with: new).count - 20)
    let lead = common == 0 ? "" : "..."
    return "\(attribute) changed from \((lead + old.dropFirst(common)).abbreviated) "
        + "to \((lead + new.dropFirst(common)).abbreviated)"
}

extension String {
    fileprivate func commonPrefix(with other: String) -> Substring {
        let length = zip(self, other).prefix { $0 == $1 }.count
        return prefix(length)
    }
}

extension Array where Element: RegisteredObject {
    /// The live object of a name.
    func liveIndex(named name: String) -> Int? {
        firstIndex { $0.name == name && !$0.isRemoved }
    }

    var orderedByName: [Element] {
        sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    /// Live names a tree no longer mentions, in order.
    func namesMissing(from names: some Sequence<String>) -> [String] {
        let kept = Set(names)
        return filter { !$0.isRemoved && !kept.contains($0.name) }.map(\.name).sorted()
    }
}
