import FeatureDefinitions
public import FeatureModel
public import TextFormats

/// What is registered, as JSON documents. Members without a value are left out.
extension ServedProject {
    /// The kinds of objects that can be looked up, spelled as in paths.
    public enum Collection: String, Sendable, CaseIterable {
        case entities
        case sources
        case featureViews = "feature-views"
        case featureServices = "feature-services"
    }

    /// `{"project": ..., "revision": ..., "<collection>": [...]}`, by name.
    public func list(_ collection: Collection) -> JSONValue {
        let documents: [JSONValue] =
            switch collection {
            case .entities: project.entities.filter { !$0.isRemoved }.map(Self.document)
            case .sources: project.sources.filter { !$0.isRemoved }.map(Self.document)
            case .featureViews: project.featureViews.filter { !$0.isRemoved }.map(document)
            case .featureServices: project.featureServices.filter { !$0.isRemoved }.map(Self.document)
            }
        let member = collection.rawValue.split(separator: "-").joined(separator: "_")
        return .object([
            .init("project", .string(project.name)), .init("revision", .integer(project.revision)),
            .init(member, .array(documents)),
        ])
    }

    /// - Throws: `entity_not_found` and the like, with the nearest name.
    public func describe(_ collection: Collection, named name: String) throws(LarderError) -> JSONValue {
        switch collection {
        case .entities: Self.document(try project.entity(named: name))
        case .sources: Self.document(try project.source(named: name))
        case .featureViews: document(try project.featureView(named: name))
        case .featureServices: Self.document(try project.featureService(named: name))
        }
    }

    private static func document(_ entity: RegisteredEntity) -> JSONValue {
        .object(
            present([
                ("name", .string(entity.name)), ("description", text(entity.description)),
                ("join_keys", .array(entity.joinKeys.map(document))),
            ]))
    }

    private static func document(_ key: JoinKey) -> JSONValue {
        .object([.init("name", .string(key.name)), .init("type", .string(key.type.description))])
    }

    private static func document(_ source: RegisteredSource) -> JSONValue {
        var members = present([
            ("name", .string(source.name)), ("description", text(source.description)),
            ("type", .string(source.kind.name)), ("timestamp", text(source.timestampColumn)),
            ("created_timestamp", text(source.createdTimestampColumn)), ("timezone", text(source.timeZone)),
            ("row_key", source.rowKey.isEmpty ? nil : .array(source.rowKey.map { .string($0) })),
            ("compatibility", .string(source.compatibility.rawValue)),
            ("schema_version", source.activeVersion.map { .integer($0.version) }),
        ])
        switch source.kind {
        case .postgres(let table): members.append(.init("table", .string(table.description)))
        case .query(let sql): members.append(.init("query", .string(sql)))
        case .table, .push: break
        }
        let versions = source.versions.map { version in
            JSONValue.object([
                .init("version", .integer(version.version)), .init("state", .string(version.state.rawValue)),
                .init(
                    "columns",
                    .array(
                        version.columns.map { column in
                            .object([
                                .init("id", .integer(column.id)), .init("name", .string(column.name)),
                                .init("type", .string(column.type.description)),
                                .init("nullable", .bool(column.isNullable)),
                            ])
                        })),
            ])
        }
        return .object(members + [.init("versions", .array(versions))])
    }

    private func document(_ view: RegisteredFeatureView) -> JSONValue {
        .object(
            Self.present([
                ("name", .string(view.name)), ("description", Self.text(view.description)),
                ("owner", Self.text(view.owner)),
                (
                    "tags",
                    view.tags.isEmpty
                        ? nil : .object(view.tags.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })
                ),
                ("entities", .array((view.current?.entityNames ?? []).map { .string($0) })),
                ("join_keys", .array((view.current?.joinKeys ?? []).map(Self.document))),
                ("source", Self.text(view.current?.sourceName)),
                ("ttl", view.ttlMicroseconds.map { .string(DurationText.format(microseconds: $0)) }),
                ("online", .bool(view.isOnline)),
                ("published", .bool(isPublished(view, generation: view.currentGeneration))),
                ("compatibility", .string(view.compatibility.rawValue)), ("where", Self.text(view.current?.filter)),
                ("generation", .integer(view.currentGeneration)),
                ("generations", .array(view.generations.map { document($0, of: view) })),
                ("schema_version", view.activeVersion.map { .integer($0.version) }),
                ("versions", .array(view.versions.map(Self.document))),
            ]))
    }

    private func isPublished(_ view: RegisteredFeatureView, generation: Int32) -> Bool {
        keySpaces[GenerationID(featureViewID: view.id, generation: generation)] != nil
    }

    private func document(_ generation: GenerationState, of view: RegisteredFeatureView) -> JSONValue {
        .object(
            Self.present([
                ("generation", .integer(generation.number)), ("state", .string(generation.state.rawValue)),
                ("current", .bool(generation.number == view.currentGeneration)),
                ("published", .bool(isPublished(view, generation: generation.number))),
                ("entities", .array(generation.entityNames.map { .string($0) })),
                ("join_keys", .array(generation.joinKeys.map(Self.document))),
                ("source", .string(generation.sourceName)), ("where", Self.text(generation.filter)),
                ("computation_hash", .string(generation.computationHash)),
            ]))
    }

    private static func document(_ version: ViewVersion) -> JSONValue {
        .object([
            .init("version", .integer(version.version)), .init("state", .string(version.state.rawValue)),
            .init("generation", .integer(version.generation)), .init("shape_hash", .string(version.shapeHash)),
            .init("computation_hash", .string(version.computationHash)),
            .init("features", .array(version.features.map(document))),
        ])
    }

    private static func document(_ feature: RegisteredFeature) -> JSONValue {
        var members = present([
            ("id", .integer(feature.id)), ("name", .string(feature.name)),
            ("type", .string(feature.type.description)), ("nullable", .bool(feature.schema.isNullable)),
            ("expr", text(feature.expression)), ("description", text(feature.description)),
            ("aliases", feature.aliases.isEmpty ? nil : .array(feature.aliases.map { .string($0) })),
        ])
        if let value = feature.schema.defaultValue { members.append(.init("default", value.json)) }
        return .object(members)
    }

    private static func document(_ service: RegisteredFeatureService) -> JSONValue {
        let references = service.references.map { reference in
            JSONValue.object(
                present([
                    ("view", .string(reference.viewName)), ("version", .integer(reference.version)),
                    ("as", text(reference.alias)),
                    (
                        "join_keys",
                        reference.joinKeyMapping.isEmpty
                            ? nil
                            : .object(
                                reference.joinKeyMapping.sorted { $0.key < $1.key }
                                    .map { .init($0.key, .string($0.value)) })
                    ),
                    ("features", .array(reference.featureNames.map { .string($0) })),
                ]))
        }
        return .object(
            present([
                ("name", .string(service.name)), ("description", text(service.description)),
                ("features", .array(references)),
            ]))
    }

    private static func present(_ members: [(String, JSONValue?)]) -> [JSONValue.Member] {
        members.compactMap { name, value in value.map { .init(name, $0) } }
    }

    private static func text(_ text: String?) -> JSONValue? {
        text.map { .string($0) }
    }
}

extension Value {
    /// The value as answers write it.
    fileprivate var json: JSONValue {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .array(let values): .array(values.map(\.json))
        default: Self.parsed(self)
        }
    }

    private static func parsed(_ value: Value) -> JSONValue {
        var bytes: [UInt8] = []
        JSONText.write(value, into: &bytes)
        return (try? JSONValue.parse(bytes)) ?? .null
    }
}
