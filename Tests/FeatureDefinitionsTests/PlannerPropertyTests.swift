import FeatureDefinitions
import FeatureModel
import Foundation
import Testing

/// Random edits of the flights tree, good and bad, each planned and, where accepted, applied.
@Suite struct PlannerPropertyTests {
    @Test(arguments: 0..<12)
    func plansAreDeterministicAndApplyingOneLeavesNothingToDo(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var registry = RegistryModel()
        var definition = try FlightsTree.definition()
        try registry.apply(definition)
        var owners = FeatureOwners()
        var accepted = 0
        var refused = 0
        for round in 0..<60 {
            var edited = definition
            for _ in 0..<Int.random(in: 1...3, using: &generator) { Self.edit(&edited, using: &generator) }
            let base = registry.project
            let lastID = registry.ids.last
            let plan = registry.plan(edited, allowRemovals: true)
            let again = Planner.plan(
                current: base, definition: edited, allowRemovals: true, allocateID: IDAllocator(after: lastID).next)
            #expect(plan.lines == again.lines && plan.next == again.next, "seed \(seed), round \(round)")
            guard let next = plan.next else {
                refused += 1
                #expect(plan.refusals.allSatisfy { $0.hint?.isEmpty == false }, "seed \(seed), round \(round)")
                continue
            }
            accepted += 1
            definition = edited
            registry.project = next
            #expect(registry.plan(edited).isNoOp, "seed \(seed), round \(round): \(registry.plan(edited).lines)")
            #expect(try RegisteredProject(document: next.document()) == next, "seed \(seed), round \(round)")
            #expect(owners.check(next) == nil, "seed \(seed), round \(round)")
        }
        #expect(accepted > 10 && refused > 3, "seed \(seed): \(accepted) accepted, \(refused) refused")
    }

    private static func edit(_ definition: inout ProjectDefinition, using generator: inout SeededGenerator) {
        let number = Int.random(in: 0..<1_000, using: &generator)
        guard !definition.featureViews.isEmpty else { return }
        let view = Int.random(in: 0..<definition.featureViews.count, using: &generator)
        let location = definition.location
        switch Int.random(in: 0..<14, using: &generator) {
        case 0...2:
            let feature = FeatureDefinition(
                name: "f\(number)", type: .int64, isNullable: number.isMultiple(of: 3),
                defaultValue: number.isMultiple(of: 5) ? nil : .int64(Int64(number)), expression: "1",
                location: location)
            let names = definition.featureViews[view].features.map(\.name)
            if !names.contains(feature.name) {
                let place = Int.random(in: 0...names.count, using: &generator)
                definition.featureViews[view].features.insert(feature, at: place)
            }
        case 3: definition.featureViews[view].features.shuffle(using: &generator)
        case 4: definition.featureViews[view].ttlMicroseconds = Int64(number + 1) * 1_000_000
        case 5: definition.featureViews[view].description = "text \(number)"
        case 6: definition.featureViews[view].filter = "\(number) > 0"
        case 7:
            guard !definition.featureViews[view].features.isEmpty else { return }
            definition.featureViews[view].features[0].type = .date
        case 8:
            let source = Int.random(in: 0..<definition.sources.count, using: &generator)
            definition.sources[source].columns.append(
                ColumnDefinition(name: "c\(number)", type: .string, isNullable: number % 7 != 0, location: location))
        case 9: definition.featureServices.removeAll()
        case 10:
            definition.featureServices = [
                FeatureServiceDefinition(
                    name: "service\(number % 3)",
                    references: [
                        ServiceReferenceDefinition(
                            viewName: definition.featureViews[view].name, features: .all, location: location)
                    ], location: location)
            ]
        case 11: definition.featureViews.remove(at: view)
        case 12:
            var copy = definition.featureViews[view]
            copy.name = "view\(number % 5)"
            if !definition.featureViews.contains(where: { $0.name == copy.name }) {
                definition.featureViews.append(copy)
            }
        default: _ = definition.featureViews[view].features.popLast()
        }
    }
}

/// Remembers what every feature id ever stood for.
private struct FeatureOwners {
    private var features: [Int64: [Int32: FeatureSchema]] = [:]
    private var names: [Int64: String] = [:]

    /// - Returns: what is wrong: an id that stands for something else than before, or twice in one version.
    mutating func check(_ project: RegisteredProject) -> String? {
        for view in project.featureViews {
            if let name = names[view.id], name != view.name { return "view id \(view.id) was \(name)" }
            names[view.id] = view.name
            for version in view.versions {
                if Set(version.features.map(\.id)).count != version.features.count { return "an id twice" }
                for feature in version.features {
                    if let old = features[view.id]?[feature.id], old != feature.schema {
                        return "feature id \(feature.id) of \(view.name) was \(old.name)"
                    }
                    if feature.id >= view.nextFeatureID { return "id \(feature.id) will be given again" }
                    features[view.id, default: [:]][feature.id] = feature.schema
                }
            }
        }
        return nil
    }
}
