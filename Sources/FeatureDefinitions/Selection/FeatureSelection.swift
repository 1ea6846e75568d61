public import FeatureModel

/// The features of a request or a service, resolved to versions, in output order. Training and serving read by it.
public struct FeatureSelection: Sendable, Hashable {
    /// A feature of the output.
    public struct Output: Sendable, Hashable {
        /// Position in `views`.
        public let view: Int
        /// Position in that view's `features`.
        public let feature: Int
    }

    /// Each view version under each key mapping once, in order of first mention.
    public private(set) var views: [ViewSelection] = []
    /// In the order asked for.
    public private(set) var outputs: [Output] = []
    /// Every key a request has to give, ordered by name.
    public private(set) var requestKeys: [JoinKey] = []

    /// The feature behind an output.
    public func feature(_ output: Output) -> FeatureSchema {
        views[output.view].features[output.feature]
    }

    /// Resolves what a service pins.
    ///
    /// - Throws: `internal_error` when the project does not hold what the service pins.
    public static func resolve(
        service: RegisteredFeatureService, in project: RegisteredProject
    ) throws(LarderError) -> FeatureSelection {
        var selection = FeatureSelection()
        for reference in service.references {
            guard let view = project.featureView(id: reference.viewID),
                let schema = view.schema(version: reference.version)
            else {
                throw LarderError(
                    .internalError,
                    "feature service \"\(service.name)\" pins version \(reference.version) of feature view "
                        + "\"\(reference.viewName)\", which the registry does not hold")
            }
            for (id, name) in zip(reference.featureIDs, reference.featureNames) {
                guard let feature = schema.feature(id: id)?.named(name) else {
                    throw LarderError(
                        .internalError,
                        "feature service \"\(service.name)\" pins feature \(id) of feature view "
                            + "\"\(view.name)\", which version \(schema.version) does not have")
                }
                selection.add(
                    feature, of: view, schema: schema, alias: reference.alias,
                    joinKeyMapping: reference.joinKeyMapping)
            }
        }
        try selection.collectRequestKeys()
        return selection
    }

    /// Resolves references such as `view:feature`; without a version they mean the view's newest active one.
    ///
    /// - Throws: `request_invalid`, `feature_view_not_found`, `feature_not_found`, `schema_version_mismatch`,
    ///   `join_key_type`; each names what would work.
    public static func resolve(
        references: [String], in project: RegisteredProject
    ) throws(LarderError) -> FeatureSelection {
        guard !references.isEmpty else {
            throw LarderError(.requestInvalid, "no feature is asked for", hint: "name features as view:feature")
        }
        var selection = FeatureSelection()
        for text in references {
            let reference = try FeatureReference(parsing: text)
            let view = try project.featureView(named: reference.viewName)
            let version = try view.readableVersion(reference.version)
            guard let schema = view.schema(version: version.version) else { continue }
            var features = schema.features
            if let name = reference.featureName {
                features = [try view.feature(named: name, of: version)]
            } else {
                for feature in features { try view.checkReadable(feature, of: version) }
            }
            for feature in features {
                selection.add(feature, of: view, schema: schema, alias: nil, joinKeyMapping: [:])
            }
        }
        try selection.collectRequestKeys()
        return selection
    }

    private mutating func add(
        _ feature: FeatureSchema, of view: RegisteredFeatureView, schema: ViewSchema, alias: String?,
        joinKeyMapping: [String: String]
    ) {
        let candidate = ViewSelection(view: view, schema: schema, alias: alias, joinKeyMapping: joinKeyMapping)
        let index = views.firstIndex { $0.readsSameRows(as: candidate) } ?? views.endIndex
        if index == views.endIndex { views.append(candidate) }
        outputs.append(Output(view: index, feature: views[index].add(feature)))
    }

    private mutating func collectRequestKeys() throws(LarderError) {
        var keys: [String: (key: JoinKey, view: String)] = [:]
        for view in views {
            for key in view.requestKeys {
                if let other = keys[key.name], other.key.type != key.type {
                    throw LarderError(
                        .joinKeyType,
                        "request key \"\(key.name)\" is \(other.key.type) for feature view \"\(other.view)\" and "
                            + "\(key.type) for feature view \"\(view.view.name)\"",
                        hint: "ask for them in two requests, or map one of them in a feature service")
                }
                keys[key.name] = (key, view.view.name)
            }
        }
        requestKeys = keys.values.map(\.key).orderedByName
    }
}

extension FeatureSelection {
    /// The name of each output: the feature's own, `view__feature` when `full`, and `alias__feature` for features
    /// of a reference with an alias.
    ///
    /// - Throws: `ambiguous_feature_names` naming both when two are equal, or one equals a request key.
    public func outputNames(full: Bool) throws(LarderError) -> [String] {
        var taken: [String: Output] = [:]
        var names: [String] = []
        for output in outputs {
            let name = name(of: output, full: full)
            if let other = taken[name] {
                throw LarderError(
                    .ambiguousFeatureNames,
                    "features \"\(referenceText(other))\" and \"\(referenceText(output))\" have the same output name "
                        + "\"\(name)\"", hint: remedy(for: other, output, full: full))
            }
            if requestKeys.contains(where: { $0.name == name }) {
                throw LarderError(
                    .ambiguousFeatureNames,
                    "feature \"\(referenceText(output))\" has the name of the request key \"\(name)\"",
                    hint: "ask for full feature names, which are view__feature")
            }
            taken[name] = output
            names.append(name)
        }
        return names
    }

    /// What tells two features apart that have the same name.
    private func remedy(for first: Output, _ second: Output, full: Bool) -> String {
        let (one, other) = (views[first.view], views[second.view])
        if one.view.id == other.view.id, one.schema.version != other.schema.version {
            let older = min(one.schema.version, other.schema.version)
            return "two versions of a view give the same names: ask for each in a request of its own, or name one in a "
                + "feature service as {view: \(one.view.name)@\(older), as: former}; its features are former__feature"
        }
        let isSame = referenceText(first) == referenceText(second)
        return isSame || full ? "ask for each feature once" : "ask for full feature names, which are view__feature"
    }

    private func name(of output: Output, full: Bool) -> String {
        let view = views[output.view]
        let feature = view.features[output.feature].name
        if let alias = view.alias { return "\(alias)__\(feature)" }
        return full ? "\(view.view.name)__\(feature)" : feature
    }

    private func referenceText(_ output: Output) -> String {
        let view = views[output.view]
        let feature = view.features[output.feature].name
        if let alias = view.alias { return "\(alias):\(feature)" }
        let isNewest = view.schema.version == view.view.activeVersion?.version
        return isNewest ? "\(view.view.name):\(feature)" : "\(view.view.name)@\(view.schema.version):\(feature)"
    }
}

/// Features of one version of one view under one key mapping.
public struct ViewSelection: Sendable, Hashable {
    public let view: RegisteredFeatureView
    /// The whole version that is read.
    public let schema: ViewSchema
    public let alias: String?
    /// Entity key to request key; keys not named here keep their names.
    public let joinKeyMapping: [String: String]
    /// The features asked for, in order of first mention.
    public private(set) var features: [FeatureSchema] = []

    init(view: RegisteredFeatureView, schema: ViewSchema, alias: String?, joinKeyMapping: [String: String]) {
        self.view = view
        self.schema = schema
        self.alias = alias
        self.joinKeyMapping = joinKeyMapping
    }

    /// The view's join keys under the names a request gives them, in the order of `schema.joinKeys`.
    public var requestKeys: [JoinKey] {
        schema.joinKeys.map { JoinKey(name: joinKeyMapping[$0.name] ?? $0.name, type: $0.type) }
    }

    fileprivate func readsSameRows(as other: ViewSelection) -> Bool {
        view.id == other.view.id && schema.version == other.schema.version && alias == other.alias
            && requestKeys == other.requestKeys
    }

    fileprivate mutating func add(_ feature: FeatureSchema) -> Int {
        // By its name too: a renamed feature can be asked for under both.
        if let index = features.firstIndex(where: { $0.id == feature.id && $0.name == feature.name }) { return index }
        features.append(feature)
        return features.endIndex - 1
    }
}
