import FeatureDefinitions
import FeatureModel
import Foundation

/// What holds of every plan and of every revision, whatever was asked for.
enum PlanRules {
    // MARK: A plan

    /// The plan, and that it is the same when made again from the documents in another order.
    static func plan(
        _ definition: ProjectDefinition, shuffled: ProjectDefinition, on current: RegisteredProject?, lastID: Int64,
        allowRemovals: Bool, comparesJSON: Bool
    ) throws -> Plan {
        let plans = [definition, shuffled].map { definition in
            Planner.plan(
                current: current, definition: definition, allowRemovals: allowRemovals,
                allocateID: IDAllocator(after: lastID).next)
        }
        try checkEqual(plans[0], plans[1], "of shuffled documents", comparesJSON)
        return plans[0]
    }

    private static func checkEqual(_ plan: Plan, _ other: Plan, _ which: String, _ comparesJSON: Bool) throws {
        try BrokenRule.check(plan.next == other.next, "another revision \(which)")
        try BrokenRule.check(plan.changes == other.changes, "other changes \(which)")
        try BrokenRule.check(plan.lines == other.lines, "other lines \(which):\n\(plan.lines)\n\(other.lines)")
        guard comparesJSON else { return }
        try BrokenRule.check(try json(plan) == json(other), "other JSON \(which)")
    }

    private static func json(_ plan: Plan) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(plan)
    }

    static func checkRefused(_ plan: Plan) throws {
        try BrokenRule.check(!plan.refusals.isEmpty && !plan.isNoOp, "neither accepted nor refused")
        for refusal in plan.refusals {
            try BrokenRule.check(
                !refusal.message.isEmpty && refusal.hint?.isEmpty == false, "no way out of: \(refusal.message)")
        }
        let told = plan.refusals.map { "\($0.location?.description ?? "") \($0.message)" }
        try BrokenRule.check(Set(told).count == told.count, "told twice: \(told)")
    }

    static func checkAccepted(_ plan: Plan, of definition: ProjectDefinition, on current: RegisteredProject?) throws {
        guard let next = plan.next else { throw BrokenRule(description: "an accepted plan without a revision") }
        try BrokenRule.check(plan.refusals.isEmpty, "accepted with refusals")
        try BrokenRule.check(plan.isNoOp == (next == current), "nothing to do, but another revision: \(plan.lines)")
        try BrokenRule.check(
            next.revision == (current?.revision ?? 0) + (plan.isNoOp ? 0 : 1), "revision \(next.revision)")
        let again = Planner.plan(
            current: next, definition: definition, allowRemovals: false, allocateID: IDAllocator(after: 1_000_000).next)
        try BrokenRule.check(again.isNoOp && again.next == next, "applied, and still to do: \(again.lines)")
        for view in definition.featureViews {
            let registered = try next.featureView(named: view.name)
            try checkIsAsDefined(registered, view, in: next)
            try checkNewVersion(of: registered, since: current?.featureView(id: registered.id))
        }
        for source in definition.sources {
            let registered = try next.source(named: source.name)
            let columns = registered.versions.last?.columns.map { "\($0.name) \($0.type) \($0.isNullable)" }
            try BrokenRule.check(
                columns == source.columns.map { "\($0.name) \($0.type) \($0.isNullable)" },
                "the columns of \(source.name) are not the defined ones")
        }
        try BrokenRule.check(
            next.featureServices.filter { !$0.isRemoved }.map(\.name)
                == definition.featureServices.map(\.name).sorted(), "not the defined services")
    }

    private static func checkIsAsDefined(
        _ view: RegisteredFeatureView, _ definition: FeatureViewDefinition, in project: RegisteredProject
    ) throws {
        let newest = view.newestGeneration
        let features = view.versions(ofGeneration: newest.number).last?.features ?? []
        let isSame = zip(features, definition.features).allSatisfy { registered, defined in
            registered.name == defined.name && registered.type == defined.type
                && registered.schema.isNullable == defined.isNullable
                && registered.schema.defaultValue == defined.defaultValue
                && registered.expression == defined.expression && registered.expectation == defined.expectation
                && registered.description == defined.description
        }
        try BrokenRule.check(
            isSame && features.count == definition.features.count,
            "the features of \(view.name) are not the defined ones")
        try BrokenRule.check(newest.filter == definition.filter, "where of \(view.name) is not the defined one")
        try BrokenRule.check(
            newest.sourceID == (try project.source(named: definition.source).id),
            "the source of \(view.name) is not the defined one")
        try BrokenRule.check(
            newest.entityNames.sorted() == definition.entities.sorted(),
            "the entities of \(view.name) are not the defined ones")
        try BrokenRule.check(
            definition.generation.map { $0 == newest.number } ?? true,
            "generation of \(view.name) is not the defined one")
    }

    /// A version that shares a generation breaks neither the mode nor what is stored there.
    private static func checkNewVersion(of view: RegisteredFeatureView, since former: RegisteredFeatureView?) throws {
        guard let former, view.versions.count > former.versions.count, let version = view.versions.last,
            former.generation(version.generation) != nil, let new = view.schema(version: version.version)?.shape
        else { return }
        let readable = former.versions(ofGeneration: version.generation).filter { $0.state != .retired }
            .compactMap { former.schema(version: $0.version)?.shape }
        let violations = SchemaCompatibility.violations(of: new, against: readable, mode: view.compatibility)
        try BrokenRule.check(
            violations.isEmpty, "\(view.name)@\(version.version) breaks \(view.compatibility): \(violations)")
        for feature in version.features {
            try BrokenRule.check(
                view.obstacle(reading: feature.schema, of: version) == nil,
                "\(view.name)@\(version.version):\(feature.name) cannot be read off its generation")
        }
        let old = former.versions(ofGeneration: version.generation).last?.features ?? []
        let isPush =
            former.generation(version.generation)?.filter == nil && version.features.allSatisfy { $0.expression == nil }
        for feature in version.features where !isPush {
            guard let computed = old.first(where: { $0.id == feature.id })?.computation else { continue }
            try BrokenRule.check(computed == feature.computation, "\(feature.name) is computed differently")
        }
    }

    // MARK: A revision

    static func checkServices(of project: RegisteredProject) throws {
        for service in project.featureServices where !service.isRemoved {
            let selection = try FeatureSelection.resolve(service: service, in: project)
            _ = try selection.outputNames(full: false)
            let features = service.references.flatMap(\.featureNames)
            try BrokenRule.check(
                selection.outputs.map { selection.feature($0).name } == features,
                "\(service.name) does not answer as it asks: \(features)")
            for reference in service.references {
                guard let view = project.featureView(id: reference.viewID), !view.isRemoved else {
                    throw BrokenRule(description: "\(service.name) pins \(reference.viewName), which is gone")
                }
                let version = try view.readableVersion(reference.version)
                for id in reference.featureIDs {
                    guard let feature = version.feature(id: id) else {
                        throw BrokenRule(description: "\(service.name) pins feature \(id), which is not there")
                    }
                    // Asked of the rules themselves, version by version.
                    for writer in view.schemas(ofGeneration: version.generation) {
                        let obstacle = SchemaCompatibility.obstacle(reading: feature.schema, from: writer.shape)
                        try BrokenRule.check(
                            obstacle == nil || obstacle == .defaultValue,
                            "\(service.name) cannot read \(feature.name) off version \(writer.version): \(obstacle as Any)"
                        )
                    }
                }
            }
        }
    }

    static func checkDocument(of project: RegisteredProject) throws {
        let document = try project.document()
        let read = try RegisteredProject(document: document)
        try BrokenRule.check(read == project, "the document reads as something else")
        try BrokenRule.check(try read.document() == document, "the document is written differently")
    }
}
