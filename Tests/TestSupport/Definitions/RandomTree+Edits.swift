public import FeatureDefinitions
import FeatureModel

extension RandomTree {
    /// One to six random edits, good and bad.
    public mutating func edit(using random: inout some RandomNumberGenerator) {
        for _ in 0..<([1, 1, 1, 2, 2, 3, 4, 6].randomElement(using: &random) ?? 1) {
            switch Int.random(in: 0..<24, using: &random) {
            case 0..<13: editView(using: &random)
            case 13..<19: editSource(using: &random)
            case 19..<22: editService(using: &random)
            case 22: editEntity(using: &random)
            default: definition.description = "text \(Int.random(in: 0..<3, using: &random))"
            }
        }
        repair(using: &random)
    }

    /// The same definitions with its documents in another order, which means the same.
    public func shuffled(using random: inout some RandomNumberGenerator) -> ProjectDefinition {
        var shuffled = definition
        shuffled.entities.shuffle(using: &random)
        shuffled.sources.shuffle(using: &random)
        shuffled.featureViews.shuffle(using: &random)
        shuffled.featureServices.shuffle(using: &random)
        return shuffled
    }

    // MARK: Views

    private mutating func editView(using random: inout some RandomNumberGenerator) {
        let unused = Self.viewNames.filter { name in !definition.featureViews.contains { $0.name == name } }
        guard let index = definition.featureViews.randomIndex(using: &random) else {
            return addView(unused[0], using: &random)
        }
        switch Int.random(in: 0..<30, using: &random) {
        case 0:
            if let name = unused.randomElement(using: &random) { addView(name, using: &random) }
        case 1:
            if Int.random(in: 0..<3, using: &random) == 0 { definition.featureViews.remove(at: index) }
        case 2..<8: raiseGeneration(ofViewAt: index, using: &random)
        case 8: definition.featureViews[index].compatibility = Self.mode(using: &random)
        case 9: editMetadata(ofViewAt: index, using: &random)
        case 10:
            definition.featureViews[index].filter =
                Bool.random(using: &random) ? Self.filter(using: &random) : nil
        case 11: definition.featureViews[index].entities = Self.entityNames(of: definition, using: &random)
        case 12:
            if let source = definition.sources.randomElement(using: &random) {
                definition.featureViews[index].source = source.name
            }
        default: editFeature(ofViewAt: index, using: &random)
        }
    }

    private mutating func raiseGeneration(ofViewAt index: Int, using random: inout some RandomNumberGenerator) {
        let former = definition.featureViews[index].generation ?? 1
        switch Int.random(in: 0..<8, using: &random) {
        case 0: definition.featureViews[index].generation = nil
        case 1: definition.featureViews[index].generation = max(1, former - 1)
        case 2: definition.featureViews[index].generation = former + 2
        default: definition.featureViews[index].generation = former + 1
        }
    }

    private mutating func editMetadata(ofViewAt index: Int, using random: inout some RandomNumberGenerator) {
        let digit = Int64.random(in: 1...3, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: definition.featureViews[index].ttlMicroseconds = digit * 3_600_000_000
        case 1: definition.featureViews[index].owner = "owner\(digit)@example.com"
        case 2: definition.featureViews[index].tags = ["team": "team \(digit)"]
        case 3: definition.featureViews[index].description = "text \(digit)"
        case 4: definition.featureViews[index].availabilityLagMicroseconds = digit * 60_000_000
        default:
            if digit == 1 { definition.featureViews[index].isOnline.toggle() }
        }
    }

    private mutating func editFeature(ofViewAt index: Int, using random: inout some RandomNumberGenerator) {
        guard let position = definition.featureViews[index].features.randomIndex(using: &random) else { return }
        var feature = definition.featureViews[index].features[position]
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<4:
            if let feature = self.feature(for: definition.featureViews[index], using: &random) {
                let count = definition.featureViews[index].features.count
                definition.featureViews[index].features.insert(feature, at: Int.random(in: 0...count, using: &random))
            }
            return
        case 4..<6:
            definition.featureViews[index].features.remove(at: position)
            return
        case 6: return definition.featureViews[index].features.shuffle(using: &random)
        case 7..<10: rename(&feature, in: definition.featureViews[index], using: &random)
        case 10..<13: Self.widen(&feature)
        case 13..<15: Self.retype(&feature, using: &random)
        case 15: feature.isNullable.toggle()
        case 16:
            feature.defaultValue =
                Bool.random(using: &random) ? Self.value(of: feature.type, using: &random) : nil
        case 17: feature.expectation = Self.expectation(of: feature.type, using: &random)
        case 18: feature.description = "text \(Int.random(in: 0..<3, using: &random))"
        default: feature.expression = Self.expression(of: feature.type, using: &random)
        }
        definition.featureViews[index].features[position] = feature
    }

    private func rename(
        _ feature: inout FeatureDefinition, in view: FeatureViewDefinition,
        using random: inout some RandomNumberGenerator
    ) {
        let isPush = definition.sources.first { $0.name == view.source }?.kind == .push
        guard let name = (isPush ? TypedName.data : Self.featureNames).randomElement(using: &random),
            !view.features.contains(where: { $0.name == name })
        else { return }
        // Now and then the old name is not said, or was never there.
        switch Int.random(in: 0..<10, using: &random) {
        case 0: feature.renamedFrom = nil
        case 1: feature.renamedFrom = "never_there"
        default: feature.renamedFrom = feature.name
        }
        if !isPush, feature.expression == nil { feature.expression = feature.name }
        feature.name = name
    }

    private static func widen(_ feature: inout FeatureDefinition) {
        switch feature.type {
        case .int32: feature.type = .int64
        case .float32: feature.type = .float64
        default: return
        }
        feature.defaultValue = feature.defaultValue.map { value in
            switch value {
            case .int32(let value): .int64(Int64(value))
            case .float32(let value): .float64(Double(value))
            default: value
            }
        }
    }

    private static func retype(_ feature: inout FeatureDefinition, using random: inout some RandomNumberGenerator) {
        feature.type = types.randomElement(using: &random) ?? .string
        if feature.expression != nil { feature.expression = expression(of: feature.type, using: &random) }
        if feature.defaultValue != nil { feature.defaultValue = value(of: feature.type, using: &random) }
        feature.expectation = nil
    }

    // MARK: Sources

    private mutating func editSource(using random: inout some RandomNumberGenerator) {
        let unused = Self.sourceNames.filter { name in !definition.sources.contains { $0.name == name } }
        guard let index = definition.sources.randomIndex(using: &random) else {
            return definition.sources.append(Self.source(named: unused[0], using: &random))
        }
        switch Int.random(in: 0..<16, using: &random) {
        case 0:
            if let name = unused.randomElement(using: &random) {
                definition.sources.append(Self.source(named: name, using: &random))
            }
        case 1:
            if Int.random(in: 0..<3, using: &random) == 0 { definition.sources.remove(at: index) }
        case 2: definition.sources[index].description = "text \(Int.random(in: 0..<3, using: &random))"
        case 3: definition.sources[index].compatibility = Self.mode(using: &random)
        case 4:
            if Int.random(in: 0..<3, using: &random) == 0 { definition.sources[index].timeZone = "UTC" }
        case 5: definition.sources[index].columns.shuffle(using: &random)
        default: editColumn(ofSourceAt: index, using: &random)
        }
    }

    private mutating func editColumn(ofSourceAt index: Int, using random: inout some RandomNumberGenerator) {
        let source = definition.sources[index]
        let unused = TypedName.data.filter { source.column(named: $0) == nil }
        if let name = unused.randomElement(using: &random), Int.random(in: 0..<5, using: &random) < 2 {
            definition.sources[index].columns.append(
                ColumnDefinition(
                    name: name, type: TypedName.type(of: name), isNullable: Int.random(in: 0..<5, using: &random) > 0,
                    location: Self.location))
            return
        }
        let positions = source.columns.indices.filter { TypedName.data.contains(source.columns[$0].name) }
        guard let position = positions.randomElement(using: &random) else { return }
        var column = source.columns[position]
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<3:
            definition.sources[index].columns.remove(at: position)
            return
        case 3..<5:
            if column.type == .int32 { column.type = .int64 }
            if column.type == .float32 { column.type = .float64 }
        case 5: column.isNullable.toggle()
        case 6: column.type = TypedName.type(of: column.name)
        default: column.type = Self.types.randomElement(using: &random) ?? .string
        }
        definition.sources[index].columns[position] = column
    }

    // MARK: Services and entities

    private mutating func editService(using random: inout some RandomNumberGenerator) {
        guard let name = Self.serviceNames.randomElement(using: &random) else { return }
        definition.featureServices.removeAll { $0.name == name }
        guard Int.random(in: 0..<4, using: &random) > 0, let service = service(named: name, using: &random) else {
            return
        }
        definition.featureServices.append(service)
    }

    private mutating func editEntity(using random: inout some RandomNumberGenerator) {
        let missing = Self.entities.filter { entity in !definition.entities.contains { $0.name == entity.name } }
        guard let index = definition.entities.randomIndex(using: &random) else {
            return definition.entities.append(contentsOf: missing)
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: definition.entities.remove(at: index)
        case 1: definition.entities[index].description = "text \(Int.random(in: 0..<3, using: &random))"
        case 2:
            if Int.random(in: 0..<3, using: &random) == 0 {
                definition.entities[index].joinKeys = [JoinKey(name: "key_date", type: .date)]
            }
        default: definition.entities += missing
        }
    }
}
