import FeatureModel

/// Versions of one view, each made from another by random edits. Ids are given once.
struct SchemaEditor {
    var random: SeededGenerator
    private var nextID: Int32 = 1
    private var nextVersion: Int32 = 1

    init(seed: UInt64) {
        random = SeededGenerator(state: seed)
    }

    /// Types that can be widened come up more often than the others.
    private static let types: [ValueType] = [
        .int32, .int32, .int32, .int64, .float32, .float32, .float32, .float64, .string, .bool, .timestamp, .date,
        .bytes,
        .array(.int32), .array(.int64), .array(.float32), .array(.string), .vector(dimension: 2), .vector(dimension: 3),
    ]

    mutating func first() -> ViewSchema {
        let features = (0..<Int.random(in: 0...6, using: &random)).map { _ in newFeature() }
        return version([JoinKey(name: "station", type: .string), JoinKey(name: "sensor", type: .int32)], features)
    }

    /// The next version: up to four edits away from the given one.
    mutating func next(after schema: ViewSchema) -> ViewSchema {
        var features = schema.features
        var keys = schema.joinKeys
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<4: features.append(newFeature())
            case 4..<7 where !features.isEmpty:
                features.remove(at: Int.random(in: features.indices, using: &random))
            case 7: features.shuffle(using: &random)
            case 8: keys = edited(keys)
            case 9 where features.count > 1: swapNames(&features)
            default:
                guard let index = features.indices.randomElement(using: &random) else { continue }
                features[index] = edited(features[index])
            }
        }
        return version(keys, features)
    }

    /// A version of the same keys without one of the features.
    mutating func without(id: Int32, _ schema: ViewSchema) -> ViewSchema {
        version(schema.joinKeys, schema.features.filter { $0.id != id })
    }

    private mutating func version(_ keys: [JoinKey], _ features: [FeatureSchema]) -> ViewSchema {
        defer { nextVersion += 1 }
        return ViewSchema(version: nextVersion, joinKeys: keys, features: features)
    }

    private mutating func newFeature() -> FeatureSchema {
        defer { nextID += 1 }
        let type = Self.types.randomElement(using: &random) ?? .bool
        return FeatureSchema(
            id: nextID, name: "feature_\(nextID)", type: type, isNullable: .random(using: &random),
            defaultValue: randomDefault(of: type))
    }

    private mutating func randomDefault(of type: ValueType) -> Value? {
        Bool.random(using: &random) ? .nonNull(of: type, &random) : nil
    }

    /// Sensor and station, in this order. An int32 that becomes an int64 is the same key, the rest are other keys.
    private mutating func edited(_ keys: [JoinKey]) -> [JoinKey] {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: [keys[0], JoinKey(name: keys[1].name + "_x", type: keys[1].type)]
        case 1: [keys[0], JoinKey(name: keys[1].name, type: keys[1].type == .string ? .bytes : .string)]
        default: [JoinKey(name: keys[0].name, type: keys[0].type == .int32 ? .int64 : .int32), keys[1]]
        }
    }

    private mutating func swapNames(_ features: inout [FeatureSchema]) {
        features.shuffle(using: &random)
        let (first, second) = (features[0], features[1])
        features[0] = renamed(first, second.name)
        features[1] = renamed(second, first.name)
    }

    private func renamed(_ feature: FeatureSchema, _ name: String) -> FeatureSchema {
        FeatureSchema(
            id: feature.id, name: name, type: feature.type, isNullable: feature.isNullable,
            defaultValue: feature.defaultValue)
    }

    private mutating func edited(_ feature: FeatureSchema) -> FeatureSchema {
        var (type, isNullable, fill) = (feature.type, feature.isNullable, feature.defaultValue)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return renamed(feature, feature.name + "_new")
        case 1, 2: isNullable.toggle()
        case 3: fill = randomDefault(of: type)
        default:
            type = widerOrNarrower(type)
            if Bool.random(using: &random), let same = fill.flatMap({ exactly($0, as: type) }) {
                fill = same
            } else if fill != nil || Int.random(in: 0..<4, using: &random) == 0 {
                fill = randomDefault(of: type)
            }
        }
        return FeatureSchema(
            id: feature.id, name: feature.name, type: type, isNullable: isNullable, defaultValue: fill)
    }

    private mutating func widerOrNarrower(_ type: ValueType) -> ValueType {
        if Int.random(in: 0..<4, using: &random) == 0 { return Self.types.randomElement(using: &random) ?? type }
        return switch type {
        case .scalar(.int32): .int64
        case .scalar(.int64): .int32
        case .scalar(.float32): .float64
        case .scalar(.float64): .float32
        case .array(.int32): .array(.int64)
        case .array(.int64): .array(.int32)
        case .vector(let dimension): .vector(dimension: 5 - dimension)
        default: type
        }
    }
}

/// The same number in another type, if that has it.
func exactly(_ value: Value, as type: ValueType) -> Value? {
    switch (value, type) {
    case (.int32(let number), .scalar(.int64)): .int64(Int64(number))
    case (.int64(let number), .scalar(.int32)): Int32(exactly: number).map(Value.int32)
    case (.float32(let number), .scalar(.float64)): .float64(Double(number))
    case (.float64(let number), .scalar(.float32)): Float(exactly: number).map(Value.float32)
    case (let value, let type): value.fits(type) ? value : nil
    }
}
