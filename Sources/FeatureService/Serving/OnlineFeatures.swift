import FeatureDefinitions
public import FeatureModel
public import OnlineStore
import TextFormats

/// Answers requests for features of entities as of now, out of the online store.
public struct OnlineFeatures: Sendable {
    public let reader: OnlineReader
    public let limits: ServingLimits

    public init(reader: OnlineReader, limits: ServingLimits = ServingLimits()) {
        self.reader = reader
        self.limits = limits
    }

    /// - Parameter now: what ttl is judged by.
    /// - Throws: `LarderError`: what was asked for is not there (`feature_service_not_found` and the like), a key is missing
    ///   or of the wrong type (`join_key_missing`, `join_key_type`), a limit is exceeded, or the online store cannot answer
    ///   now (`not_materialized`, `online_store_rebuilding`, `online_store_unavailable`, `online_ahead_of_clock`).
    public func read(
        _ served: ServedProject, _ request: OnlineRequest, now: Timestamp
    ) async throws(LarderError) -> OnlineResponse {
        let plan = try plan(served, request)
        let entityCount = try checkShape(request, plan, served)
        let columns = try keyColumns(request, plan)
        let answers = try await reader.read(
            plan.read, keys: plan.keyPositions.map { positions in positions.map { columns[$0] } },
            entityCount: entityCount, now: now)
        return OnlineResponse(
            plan, answers, keys: request.keys,
            keyColumns: zip(plan.selection.requestKeys.map(\.name), columns).map { $0 },
            entityCount: entityCount)
    }

    func plan(_ served: ServedProject, _ request: OnlineRequest) throws(LarderError) -> ServingPlan {
        try checkReferences(request)
        return try served.plan(for: request.features, usesFullFeatureNames: request.usesFullFeatureNames)
    }

    func checkReferences(_ request: OnlineRequest) throws(LarderError) {
        if case .references(let references) = request.features, references.count > limits.maximumFeatures {
            throw tooManyFeatures(references.count)
        }
    }

    /// - Returns: how many entities are asked for; one when the request has no keys because none are needed.
    func checkShape(
        _ request: OnlineRequest, _ plan: ServingPlan, _ served: ServedProject
    ) throws(LarderError) -> Int {
        let needed = plan.selection.requestKeys
        for key in needed where !request.keys.contains(where: { $0.name == key.name }) {
            throw LarderError(
                .joinKeyMissing,
                "join key \"\(key.name)\" is missing, feature view \"\(plan.viewNeeding(key))\" needs it",
                hint: "keys needed: \(needed.map { "\($0.name) (\($0.type))" }.joined(separator: ", "))")
        }
        for key in request.keys where !needed.contains(where: { $0.name == key.name }) {
            guard served.project.hasJoinKey(key.name) else { throw unknownKey(key.name, needed) }
        }
        let count = request.keys.first?.values.count ?? 1
        for key in request.keys where key.values.count != count {
            throw LarderError(
                .requestInvalid,
                "keys \"\(request.keys[0].name)\" and \"\(key.name)\" have \(count) and \(key.values.count) values",
                hint: "give every key one value for each entity")
        }
        guard count <= limits.maximumEntities else {
            throw LarderError(
                .tooManyEntities, "\(count) entities are more than \(limits.maximumEntities)",
                hint: "split the request")
        }
        let features = plan.selection.outputs.count
        guard features <= limits.maximumFeatures else {
            throw tooManyFeatures(features)
        }
        guard count * features <= limits.maximumValues else {
            throw LarderError(
                .limitExceeded,
                "\(count) entities with \(features) features are more than \(limits.maximumValues) values",
                hint: "split the request")
        }
        return count
    }

    private func tooManyFeatures(_ count: Int) -> LarderError {
        LarderError(
            .tooManyFeatures, "\(count) features are more than \(limits.maximumFeatures)", hint: "split the request")
    }

    private func unknownKey(_ name: String, _ needed: [JoinKey]) -> LarderError {
        let names = needed.map(\.name)
        return LarderError(
            .requestInvalid, "\"\(name.prefix(63))\" is no join key of any entity of the project",
            hint: NameRule.nearest(to: name, in: names).map { "did you mean \"\($0)\"?" }
                ?? (names.isEmpty
                    ? "the features asked for need no keys" : "keys needed: \(names.joined(separator: ", "))"))
    }

    private func keyColumns(_ request: OnlineRequest, _ plan: ServingPlan) throws(LarderError) -> [Column] {
        var columns: [Column] = []
        for key in plan.selection.requestKeys {
            let values = request.keys.first { $0.name == key.name }?.values ?? []
            columns.append(try KeyColumnReader(key: key, acceptsText: request.valuesAreText).column(values))
        }
        return columns
    }
}

extension OnlineResponse {
    /// - Parameter answers: one for each view of the plan.
    init(
        _ plan: ServingPlan, _ answers: [OnlineAnswer], keys: [OnlineRequest.Key],
        keyColumns: [(name: String, column: Column)], entityCount: Int
    ) {
        self.init(
            entityCount: entityCount, keys: keys, keyColumns: keyColumns,
            features: zip(plan.selection.outputs, plan.outputNames).map { output, name in
                let view = plan.selection.views[output.view]
                let answer = answers[output.view]
                return Feature(
                    name: name, viewName: view.view.name, viewPosition: output.view,
                    viewLabel: view.alias ?? view.view.name, schemaVersion: view.schema.version,
                    values: answer.columns[output.feature], statuses: answer.statuses[output.feature],
                    eventTimes: answer.eventTimes)
            })
    }
}
