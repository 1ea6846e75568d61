public import FeatureDefinitions
import FeatureModel

/// A random tree of definitions and random edits of it, for tests of plans.
///
/// What it makes passes the rules of the loader: names that are used exist, types fit, keys are columns. Its SQL is valid for
/// PostgreSQL where the columns are of the types that their names end with (`TypedName.sqlColumns`). The same generator gives
/// the same tree.
public struct RandomTree {
    public internal(set) var definition: ProjectDefinition
    /// How many numbers are in use: names of features come from it, so that a name comes back now and then.
    static let featureNames = (0..<7).map { "f\($0)" }
    static let viewNames = (0..<4).map { "view\($0)" }
    static let sourceNames = (0..<4).map { "source\($0)" }
    static let serviceNames = (0..<3).map { "service\($0)" }

    static let location = SourceLocation(file: "random.yaml", line: 1, column: 1)

    /// - Parameter name: of the project.
    public init(project name: String, using random: inout some RandomNumberGenerator) {
        definition = ProjectDefinition(name: name, location: Self.location)
        definition.entities = Self.entities
        for name in Self.sourceNames.prefix(Int.random(in: 1...3, using: &random)) {
            definition.sources.append(Self.source(named: name, using: &random))
        }
        for name in Self.viewNames.prefix(Int.random(in: 1...3, using: &random)) { addView(name, using: &random) }
        for name in Self.serviceNames.prefix(Int.random(in: 0...2, using: &random)) {
            if let service = service(named: name, using: &random) { definition.featureServices.append(service) }
        }
        repair(using: &random)
    }

    // MARK: Entities

    static let entities = [
        ("customer", ["key_string"]), ("order", ["key_int64"]), ("visit", ["key_string", "key_int32"]),
        ("day", ["key_date"]),
    ].map { name, keys in
        EntityDefinition(
            name: name, joinKeys: keys.map { JoinKey(name: $0, type: TypedName.type(of: $0)) }, location: location)
    }

    // MARK: Sources

    static func source(named name: String, using random: inout some RandomNumberGenerator) -> SourceDefinition {
        let hasTime = Int.random(in: 0..<5, using: &random) > 0
        let kind = kind(using: &random)
        var source = SourceDefinition(
            name: name, kind: kind, columns: [], timestampColumn: hasTime ? "at_timestamp" : nil,
            createdTimestampColumn: hasTime && Bool.random(using: &random) ? "recorded_timestamp" : nil,
            compatibility: mode(using: &random), location: location)
        if kind == .table, Bool.random(using: &random) {
            source.rowKey = hasTime ? ["key_string", "at_timestamp"] : ["key_int64"]
        }
        let neverNull = ["at_timestamp", "recorded_timestamp"] + source.rowKey
        source.columns = TypedName.fixed.map { name in
            ColumnDefinition(
                name: name, type: TypedName.type(of: name), isNullable: !neverNull.contains(name), location: location)
        }
        for name in TypedName.data.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)) {
            source.columns.append(
                ColumnDefinition(
                    name: name, type: TypedName.type(of: name), isNullable: Int.random(in: 0..<4, using: &random) > 0,
                    location: location))
        }
        return source
    }

    private static func kind(using random: inout some RandomNumberGenerator) -> SourceKind {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: .postgres(table: QualifiedTableName(schema: TypedName.schema, name: TypedName.table))
        case 1: .query(sql: "SELECT * FROM \(TypedName.schema).\(TypedName.table)")
        case 2: .push
        default: .table
        }
    }

    static func mode(using random: inout some RandomNumberGenerator) -> Compatibility {
        Compatibility.allCases.randomElement(using: &random) ?? .none
    }

    // MARK: Views

    mutating func addView(_ name: String, using random: inout some RandomNumberGenerator) {
        guard let source = definition.sources.randomElement(using: &random) else { return }
        var view = FeatureViewDefinition(
            name: name, entities: Self.entityNames(of: definition, using: &random), source: source.name,
            compatibility: Self.mode(using: &random), isOnline: Bool.random(using: &random),
            filter: Bool.random(using: &random) ? Self.filter(using: &random) : nil, features: [],
            location: Self.location)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            if let feature = feature(for: view, using: &random) { view.features.append(feature) }
        }
        definition.featureViews.append(view)
    }

    static func entityNames(
        of definition: ProjectDefinition, using random: inout some RandomNumberGenerator
    ) -> [String] {
        let count = [0, 1, 1, 1, 2].randomElement(using: &random) ?? 1
        return Array(definition.entities.map(\.name).shuffled(using: &random).prefix(count))
    }

    static func filter(using random: inout some RandomNumberGenerator) -> String {
        ["key_string IS NOT NULL", "key_int64 > 0", "key_date IS NOT NULL"].randomElement(using: &random) ?? "true"
    }

    /// A feature under a name that the view does not have: of a column, or computed.
    func feature(
        for view: FeatureViewDefinition, using random: inout some RandomNumberGenerator
    ) -> FeatureDefinition? {
        let source = definition.sources.first { $0.name == view.source }
        let taken = Set(view.features.map(\.name))
        let columns = (source?.columns ?? []).filter { TypedName.data.contains($0.name) && !taken.contains($0.name) }
        var feature: FeatureDefinition
        if source?.kind == .push || Int.random(in: 0..<3, using: &random) == 0 {
            guard let column = columns.randomElement(using: &random) else { return nil }
            feature = FeatureDefinition(name: column.name, type: column.type, location: Self.location)
        } else {
            let names = Self.featureNames.filter { !taken.contains($0) }
            guard let name = names.randomElement(using: &random) else { return nil }
            let type = Self.types.randomElement(using: &random) ?? .int64
            feature = FeatureDefinition(
                name: name, type: type, expression: Self.expression(of: type, using: &random), location: Self.location)
        }
        feature.isNullable = Int.random(in: 0..<3, using: &random) > 0
        if Bool.random(using: &random) { feature.defaultValue = Self.value(of: feature.type, using: &random) }
        if Int.random(in: 0..<3, using: &random) == 0 {
            feature.expectation = Self.expectation(of: feature.type, using: &random)
        }
        return feature
    }

    // MARK: Services

    func service(
        named name: String, using random: inout some RandomNumberGenerator
    ) -> FeatureServiceDefinition? {
        var references: [ServiceReferenceDefinition] = []
        for view in definition.featureViews.shuffled(using: &random).prefix(2) {
            let version = Int.random(in: 0..<5, using: &random)
            var choice = FeatureChoice.all
            if Bool.random(using: &random) {
                let names = view.features.map(\.name).shuffled(using: &random)
                choice = .named(Array(names.prefix(Int.random(in: 1...2, using: &random))))
            }
            references.append(
                ServiceReferenceDefinition(
                    viewName: view.name, version: (1...3).contains(version) ? Int32(version) : nil, features: choice,
                    alias: "as_\(view.name)", location: Self.location))
        }
        return references.isEmpty
            ? nil : FeatureServiceDefinition(name: name, references: references, location: Self.location)
    }
}

/// Names of columns that say their type, as `a_int32` does.
public enum TypedName {
    /// The table that sources of type postgres and query read.
    public static let schema = "random_rows"
    public static let table = "wide"

    static let fixed = [
        "key_string", "key_int32", "key_int64", "key_date", "at_timestamp", "recorded_timestamp",
    ]
    static let data = [
        "a_int32", "b_int32", "a_int64", "a_float32", "b_float32", "a_float64", "a_string", "a_bool", "a_date",
        "a_bytes",
    ]

    static func type(of name: String) -> ValueType {
        ValueType(String(name.split(separator: "_").last ?? "")) ?? .string
    }

    /// Every column by its name and PostgreSQL type, for the table.
    public static let sqlColumns = (fixed + data).map { name in
        let types = [
            "int32": "integer", "int64": "bigint", "float32": "real", "float64": "double precision",
            "string": "text", "bool": "boolean", "date": "date", "bytes": "bytea", "timestamp": "timestamptz",
        ]
        return "\(name) \(types[type(of: name).description] ?? "text")"
    }
}
