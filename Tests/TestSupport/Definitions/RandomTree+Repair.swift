import FeatureDefinitions
import FeatureModel

extension RandomTree {
    /// Takes out what the loader would refuse after an edit.
    mutating func repair(using random: inout some RandomNumberGenerator) {
        for index in definition.sources.indices { repairSource(at: index) }
        let sources = Set(definition.sources.map(\.name))
        definition.featureViews.removeAll { !sources.contains($0.source) }
        for index in definition.featureViews.indices { repairView(at: index, using: &random) }
        definition.featureViews.removeAll { $0.features.isEmpty }
        for index in definition.featureServices.indices { repairService(at: index) }
        definition.featureServices.removeAll { $0.references.isEmpty }
    }

    private mutating func repairSource(at index: Int) {
        for position in definition.sources[index].columns.indices {
            let column = definition.sources[index].columns[position]
            let keyType = definition.entities.flatMap(\.joinKeys).first { $0.name == column.name }?.type
            if let keyType, !keyType.acceptsOnWrite(column.type) {
                definition.sources[index].columns[position].type = keyType
            }
        }
    }

    private mutating func repairView(at index: Int, using random: inout some RandomNumberGenerator) {
        var view = definition.featureViews[index]
        guard let source = definition.sources.first(where: { $0.name == view.source }) else { return }
        let entities = Set(definition.entities.map(\.name))
        view.entities.removeAll { !entities.contains($0) }
        if source.isStatic { view.ttlMicroseconds = nil }
        let isPush = source.kind == .push
        if isPush { view.filter = nil }
        view.features.removeAll { feature in
            guard feature.expression == nil else { return isPush }
            guard let column = source.column(named: feature.name) else { return true }
            return !feature.type.acceptsOnWrite(column.type)
        }
        var names: Set<String> = []
        view.features.removeAll { !names.insert($0.name).inserted }
        var former: Set<String> = []
        for position in view.features.indices {
            guard let name = view.features[position].renamedFrom else { continue }
            if names.contains(name) || !former.insert(name).inserted { view.features[position].renamedFrom = nil }
        }
        definition.featureViews[index] = view
        if view.features.isEmpty, let feature = feature(for: view, using: &random) {
            definition.featureViews[index].features.append(feature)
        }
    }

    private mutating func repairService(at index: Int) {
        let views = definition.featureViews
        definition.featureServices[index].references.removeAll { reference in
            guard let view = views.first(where: { $0.name == reference.viewName }) else { return true }
            guard case .named(let names) = reference.features, reference.version == nil else { return false }
            let known = Set(view.features.flatMap { [$0.name, $0.renamedFrom ?? $0.name] })
            return !known.isSuperset(of: names)
        }
    }
}
