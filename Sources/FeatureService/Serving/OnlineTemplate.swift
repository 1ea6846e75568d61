public import FeatureCodec
import FeatureDefinitions
public import FeatureModel
public import OnlineStore

/// Everything about an online request that does not depend on its entities, resolved: requests that differ in the values of
/// their keys alone share one. It belongs to one snapshot of the registry.
public final class OnlineTemplate: Sendable {
    /// A key of the request.
    public struct Key: Sendable {
        public let name: String
        /// Nil for a join key of the project that nothing asked for needs: it is repeated and not looked at.
        public let type: ValueType?
    }

    /// A feature of the answer.
    public struct Output: Sendable {
        public let name: String
        public let type: ValueType
        /// Position in `views`.
        public let view: Int
        /// Position among the view's features.
        public let feature: Int
        /// Where it is in a value, by the plan that reads the value (`OnlineRow.plan`).
        public let fields: [OnlineField]
        /// What stands in where a value does not have it.
        public let defaultValue: Value
    }

    /// A view of the answer.
    public struct View: Sendable {
        public let name: String
        public let schemaVersion: Int32
        public let plans: [OnlineRowProjection.Plan]
    }

    public let keys: [Key]
    public let outputs: [Output]
    /// Each view version under each key mapping once.
    public let views: [View]
    private let plan: ServingPlan
    /// For each view the positions in `keys` of its join keys.
    private let keyPositions: [[Int]]
    /// Positions in `keys` of those that something asked for needs, ordered by name.
    private let neededKeys: [Int]
    private let limits: ServingLimits

    init(_ plan: ServingPlan, keys: [Key], limits: ServingLimits) {
        self.keys = keys
        self.limits = limits
        self.plan = plan
        let positions = Dictionary(keys.enumerated().map { ($1.name, $0) }) { first, _ in first }
        keyPositions = plan.selection.views.map { view in view.requestKeys.compactMap { positions[$0.name] } }
        neededKeys = plan.selection.requestKeys.compactMap { positions[$0.name] }
        views = zip(plan.selection.views, plan.read.selections).map { view, selection in
            View(name: view.view.name, schemaVersion: view.schema.version, plans: selection.projection.plans)
        }
        outputs = zip(plan.selection.outputs, plan.outputNames).map { output, name in
            let projection = plan.read.selections[output.view].projection
            return Output(
                name: name, type: projection.features[output.feature].type, view: output.view,
                feature: output.feature, fields: projection.plans.map { $0.fields[output.feature] },
                defaultValue: projection.defaults[output.feature])
        }
    }

    /// Whether one of the features is a time, or a list of times.
    public var hasTimes: Bool {
        outputs.contains { $0.type == .scalar(.timestamp) || $0.type == .array(.timestamp) }
    }

    /// Whether so many entities may be asked for.
    public func allows(entityCount: Int) -> Bool {
        entityCount <= limits.maximumEntities && entityCount * outputs.count <= limits.maximumValues
    }

    /// - Parameter columns: for each key of the request its values, of the key's type and `entityCount` long; of keys without a
    ///   type anything.
    /// - Throws: `join_key_type`.
    public func lookup(columns: [Column], entityCount: Int) throws(LarderError) -> OnlineLookup {
        // A column counts references to each of its parts, so that those which are in order already are handed on together.
        let keys = keyPositions.map { positions in
            positions.elementsEqual(columns.indices) ? columns : positions.map { columns[$0] }
        }
        return try OnlineLookup(plan.read, keys: keys, entityCount: entityCount)
    }

    /// The answer as values.
    /// - Parameters:
    ///   - rows: view by view, entity by entity.
    ///   - bytes: what their ranges are in.
    ///   - columns: as `lookup` took them.
    public func answer(
        _ rows: [OnlineRow], _ bytes: RawSpan, columns: [Column], entityCount: Int
    ) throws(LarderError) -> OnlineResponse {
        OnlineResponse(
            plan, try OnlineReader.answers(rows, bytes, plan.read, entityCount: entityCount), keys: [],
            keyColumns: neededKeys.map { (keys[$0].name, columns[$0]) },
            entityCount: entityCount)
    }
}

extension OnlineFeatures {
    /// Everything in it is its own, and nobody else's.
    ///
    /// - Parameter keyNames: the keys of the request, in its order.
    /// - Throws: as `read`, where the reason does not lie in the values of the keys.
    public func template(
        _ served: ServedProject, _ features: OnlineRequest.Features, usesFullFeatureNames: Bool, keyNames: [String]
    ) throws(LarderError) -> OnlineTemplate {
        let request = OnlineRequest(
            features: features, keys: keyNames.map { OnlineRequest.Key(name: $0, values: []) },
            usesFullFeatureNames: usesFullFeatureNames)
        try checkReferences(request)
        // Not the plan that others have too: what several event loops count references to is slow for all of them.
        let plan = try ServingPlan(features, usesFullFeatureNames: usesFullFeatureNames, in: served)
        _ = try checkShape(request, plan, served)
        let types = Dictionary(plan.selection.requestKeys.map { ($0.name, $0.type) }) { first, _ in first }
        return OnlineTemplate(
            plan, keys: keyNames.map { OnlineTemplate.Key(name: $0, type: types[$0]) }, limits: limits)
    }
}
