import FeatureModel
import Testing

/// One row of the contract's table: what changes, and who can read whom afterwards.
struct SchemaChange: Sendable, CustomTestStringConvertible {
    typealias Rule = CompatibilityViolation.Rule

    let name: String
    let older: SchemaShape
    let newer: SchemaShape
    /// What keeps the new version from reading rows of the old one; nil when nothing does.
    let backward: Rule?
    /// What keeps the old version from reading rows of the new one; nil when nothing does.
    let forward: Rule?
    /// Of the violations, if there are any.
    let path: String

    var testDescription: String { name }

    init(
        _ name: String, _ older: [FeatureSchema], _ newer: [FeatureSchema], backward: Rule? = nil,
        forward: Rule? = nil, path: String = ""
    ) {
        self.name = name
        self.older = SchemaShape(version: 1, keys: Self.keys, fields: older + [Self.bystander])
        self.newer = SchemaShape(version: 2, keys: Self.keys, fields: newer + [Self.bystander])
        self.backward = backward
        self.forward = forward
        self.path = path
    }

    /// A change of keys, which breaks both directions or nothing.
    init(_ name: String, keys older: [JoinKey], _ newer: [JoinKey], breaks: Bool) {
        self.name = name
        self.older = ViewSchema(version: 1, joinKeys: older, features: [Self.bystander]).shape
        self.newer = ViewSchema(version: 2, joinKeys: newer, features: [Self.bystander]).shape
        backward = breaks ? .keys : nil
        forward = breaks ? .keys : nil
        path = "keys"
    }

    static let keys = [SchemaShape.Key(name: "station_id", text: "string")]
    private static let bystander = field("bystander", .string, id: 99, nullable: false)

    static func field(_ type: ValueType, nullable: Bool = true, default value: Value? = nil) -> FeatureSchema {
        field("temp", type, nullable: nullable, default: value)
    }

    static func field(
        _ name: String, _ type: ValueType, id: Int32 = 1, nullable: Bool = true, default value: Value? = nil
    ) -> FeatureSchema {
        FeatureSchema(id: id, name: name, type: type, isNullable: nullable, defaultValue: value)
    }
}

extension SchemaChange {
    static let table = additionsAndRemovals + types + nullability + defaults + names + keyChanges

    private static let additionsAndRemovals = [
        SchemaChange("add a nullable feature", [], [field(.int32)]),
        SchemaChange("add a nullable feature with default", [], [field(.int32, default: .int32(1))]),
        SchemaChange("add a not null feature with default", [], [field(.int32, nullable: false, default: .int32(1))]),
        SchemaChange(
            "add a not null feature", [], [field(.int32, nullable: false)], backward: .added, path: "features.temp"),
        SchemaChange(
            "add a not null feature whose default is null", [], [field(.int32, nullable: false, default: .null)],
            backward: .added, path: "features.temp"),
        SchemaChange("remove a nullable feature", [field(.int32)], []),
        SchemaChange(
            "remove a not null feature with default", [field(.int32, nullable: false, default: .int32(1))], []),
        SchemaChange(
            "remove a not null feature", [field(.int32, nullable: false)], [], forward: .removed,
            path: "features.temp"),
    ]

    private static let types = [
        SchemaChange("widen int32 to int64", [field(.int32)], [field(.int64)], forward: .type, path: temperatureType),
        SchemaChange(
            "widen float32 to float64", [field(.float32)], [field(.float64)], forward: .type, path: temperatureType),
        SchemaChange(
            "widen with the same default", [field(.int32, default: .int32(-7))],
            [field(.int64, default: .int64(-7))], forward: .type, path: temperatureType),
        SchemaChange("narrow int64 to int32", [field(.int64)], [field(.int32)], backward: .type, path: temperatureType),
        SchemaChange(
            "narrow float64 to float32", [field(.float64)], [field(.float32)], backward: .type, path: temperatureType),
        retype("retype int32 to string", .int32, .string),
        retype("int32 to float64, which is widened on write only", .int32, .float64),
        retype("date to timestamp", .date, .timestamp),
        retype("wider element type", .array(.int32), .array(.int64)),
        retype("narrower element type", .array(.float64), .array(.float32)),
        retype("other element type", .array(.string), .array(.bytes)),
        retype("longer vector", .vector(dimension: 3), .vector(dimension: 4)),
        retype("shorter vector", .vector(dimension: 3), .vector(dimension: 2)),
        retype("vector to array", .vector(dimension: 3), .array(.float32)),
    ]

    private static let temperatureType = "features.temp.type"

    private static func retype(_ name: String, _ older: ValueType, _ newer: ValueType) -> SchemaChange {
        SchemaChange(name, [field(older)], [field(newer)], backward: .type, forward: .type, path: temperatureType)
    }

    private static let nullability = [
        SchemaChange(
            "not null to nullable", [field(.bool, nullable: false)], [field(.bool)], forward: .nullability,
            path: "features.temp.nullable"),
        SchemaChange(
            "nullable to not null", [field(.bool)], [field(.bool, nullable: false)], backward: .nullability,
            path: "features.temp.nullable"),
        // A default fills in what a version lacks; a null that was written stays a null.
        SchemaChange(
            "nullable to not null, with default", [field(.bool, default: .bool(true))],
            [field(.bool, nullable: false, default: .bool(true))], backward: .nullability,
            path: "features.temp.nullable"),
    ]

    private static let defaults = [
        redefault("another default", .float64, .float64(1), .float64(2)),
        redefault("a default where there was none", .float64, nil, .float64(2)),
        redefault("no default where there was one", .float64, .float64(1), nil),
        redefault("minus zero is another default than zero", .float64, .float64(0), .float64(-0.0)),
        redefault("another default of an array", .array(.int32), .array([]), .array([.int32(0)])),
        SchemaChange(
            "NaN is the same default as NaN", [field(.float64, default: .float64(.nan))],
            [field(.float64, default: .float64(.nan))]),
        SchemaChange("a default of null is none", [field(.int64, default: .null)], [field(.int64)]),
    ]

    private static func redefault(_ name: String, _ type: ValueType, _ older: Value?, _ newer: Value?) -> SchemaChange {
        SchemaChange(
            name, [field(type, default: older)], [field(type, default: newer)], backward: .defaultValue,
            forward: .defaultValue, path: "features.temp.default")
    }

    private static let names = [
        SchemaChange("rename", [field(.int32, nullable: false)], [field("temperature", .int32, nullable: false)]),
        SchemaChange(
            "two features swap their names", [field("a", .int32), field("b", .string, id: 2)],
            [field("b", .int32), field("a", .string, id: 2)]),
        SchemaChange(
            "another order in the definition", [field("a", .int32), field("b", .string, id: 2)],
            [field("b", .string, id: 2), field("a", .int32)]),
        SchemaChange("a removed name comes back as a new id", [field(.int32)], [field("temp", .string, id: 2)]),
        SchemaChange(
            "rename and widen", [field(.int32)], [field("temperature", .int64)], forward: .type,
            path: "features.temperature.type"),
        SchemaChange("nothing at all", [field(.int32)], [field(.int32)]),
    ]

    private static let keyChanges = [
        SchemaChange("key renamed", keys: [key("a", .string)], [key("b", .string)], breaks: true),
        SchemaChange("key retyped", keys: [key("a", .string)], [key("a", .int64)], breaks: true),
        SchemaChange("key added", keys: [key("a", .date)], [key("a", .date), key("b", .date)], breaks: true),
        SchemaChange("key removed", keys: [key("a", .date), key("b", .date)], [key("a", .date)], breaks: true),
        SchemaChange("last key removed", keys: [key("a", .bytes)], [], breaks: true),
        SchemaChange(
            "keys swap their types", keys: [key("a", .date), key("b", .bool)], [key("a", .bool), key("b", .date)],
            breaks: true),
        SchemaChange(
            "key int32 to int64: the same entities", keys: [key("a", .int32)], [key("a", .int64)], breaks: false),
        SchemaChange(
            "keys in another order", keys: [key("a", .date), key("b", .bool)], [key("b", .bool), key("a", .date)],
            breaks: false),
    ]

    private static func key(_ name: String, _ type: ValueType) -> JoinKey { JoinKey(name: name, type: type) }
}
