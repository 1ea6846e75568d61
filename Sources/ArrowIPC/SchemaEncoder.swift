import FeatureModel

/// Writes fields as an Arrow Schema table.
enum SchemaEncoder {
    static func encode(_ fields: [Field], into builder: inout FlatBufferBuilder) -> FlatBufferBuilder.Reference {
        let encoded = fields.map { encode($0, into: &builder) }
        let vector = builder.vector(encoded)
        return builder.table([1: .reference(vector)])
    }

    private static func encode(
        _ field: Field, into builder: inout FlatBufferBuilder
    ) -> FlatBufferBuilder.Reference {
        switch field.type {
        case .scalar(let scalar):
            let (tag, type) = encode(scalar, into: &builder)
            return encode(field.name, field.isNullable, tag, type, children: [], into: &builder)
        case .array(let element):
            let (tag, type) = encode(element, into: &builder)
            let child = encode("item", false, tag, type, children: [], into: &builder)
            let list = builder.table([:])
            return encode(field.name, field.isNullable, TypeTag.list, list, children: [child], into: &builder)
        case .vector(let dimension):
            let (tag, type) = encode(.float32, into: &builder)
            let child = encode("item", false, tag, type, children: [], into: &builder)
            let list = builder.table([0: .int32(Int32(dimension))])
            return encode(field.name, field.isNullable, TypeTag.fixedSizeList, list, children: [child], into: &builder)
        }
    }

    private static func encode(
        _ name: String, _ isNullable: Bool, _ tag: UInt8, _ type: FlatBufferBuilder.Reference,
        children: [FlatBufferBuilder.Reference], into builder: inout FlatBufferBuilder
    ) -> FlatBufferBuilder.Reference {
        let children = builder.vector(children)
        let name = builder.string(name)
        return builder.table([
            0: .reference(name), 1: .bool(isNullable), 2: .int8(tag), 3: .reference(type), 5: .reference(children),
        ])
    }

    private static func encode(
        _ type: ScalarType, into builder: inout FlatBufferBuilder
    ) -> (tag: UInt8, type: FlatBufferBuilder.Reference) {
        switch type {
        case .bool: return (TypeTag.bool, builder.table([:]))
        case .int32: return (TypeTag.int, builder.table([0: .int32(32), 1: .bool(true)]))
        case .int64: return (TypeTag.int, builder.table([0: .int32(64), 1: .bool(true)]))
        case .float32: return (TypeTag.floatingPoint, builder.table([0: .int16(1)]))
        case .float64: return (TypeTag.floatingPoint, builder.table([0: .int16(2)]))
        case .string: return (TypeTag.utf8, builder.table([:]))
        case .bytes: return (TypeTag.binary, builder.table([:]))
        case .date: return (TypeTag.date, builder.table([0: .int16(0)]))
        case .timestamp:
            let zone = builder.string("UTC")
            return (
                TypeTag.timestamp,
                builder.table([0: .int16(TimestampUnit.microsecond.rawValue), 1: .reference(zone)])
            )
        }
    }
}
