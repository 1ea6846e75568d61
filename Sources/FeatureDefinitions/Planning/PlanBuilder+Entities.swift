import FeatureModel

extension PlanBuilder {
    mutating func planEntities() {
        for entity in definition.entities.sorted(by: { $0.name < $1.name }) {
            if let index = next.entities.liveIndex(named: entity.name) {
                planChanges(to: entity, at: index)
            } else {
                next.entities.append(
                    RegisteredEntity(
                        id: allocateID(.entity), name: entity.name, description: entity.description,
                        joinKeys: entity.joinKeys))
                let keys = entity.joinKeys.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
                changes.append(PlannedChange(action: .added, kind: .entity, name: entity.name, summary: keys))
            }
        }
        for name in next.entities.namesMissing(from: definition.entities.map(\.name)) {
            guard planRemoval(.entity, name), let index = next.entities.liveIndex(named: name) else { continue }
            next.entities[index].isRemoved = true
        }
        next.entities = next.entities.orderedByName
    }

    private mutating func planChanges(to entity: EntityDefinition, at index: Int) {
        let old = next.entities[index]
        let keys = entity.joinKeys.orderedByName
        if keys != old.joinKeys {
            refuse(
                "entity \"\(entity.name)\": "
                    + changeText("join keys", from: Self.text(of: old.joinKeys), to: Self.text(of: keys)),
                remedy: "a changed key is not supported: define a new entity under another name",
                at: entity.location)
        }
        var details: [String] = []
        if old.description != entity.description {
            next.entities[index].description = entity.description
            details.append("description changed")
        }
        record(.entity, entity.name, details: details)
    }

    private static func text(of keys: [JoinKey]) -> String {
        "(" + keys.map { "\($0.name) \($0.type)" }.joined(separator: ", ") + ")"
    }
}
