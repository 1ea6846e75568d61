import FeatureDefinitions
import FeatureModel
import OfflineStore
import PointInTime
import PostgresClient

/// What is joined to every segment of a spine.
struct TrainingSetPlan {
    let selection: FeatureSelection
    let options: TrainingSetOptions
    let projectID: Int64
    /// By view of the selection.
    private(set) var histories: [ViewHistory]

    /// - Throws: `LarderError` `request_invalid` for a ttl of a view that is not asked for.
    init(
        _ selection: FeatureSelection, projectID: Int64, options: TrainingSetOptions
    ) throws(LarderError) {
        self.selection = selection
        self.projectID = projectID
        self.options = options
        for name in options.ttlOfView.keys where !selection.views.contains(where: { $0.outputName == name }) {
            throw LarderError(
                .requestInvalid, "a ttl is given for \"\(name)\", which is no view of this training set",
                hint: "its views: \(selection.views.map(\.outputName).joined(separator: ", "))")
        }
        histories = selection.views.map { view in
            let generation = view.view.version(view.schema.version)?.generation ?? view.view.currentGeneration
            return ViewHistory(
                table: OfflineTable(view: view.view, generation: generation),
                schema: ViewSchema(
                    version: view.schema.version, joinKeys: view.schema.joinKeys, features: view.features),
                rule: Self.rule(of: view, options), visibility: options.asOf.map(HistoryVisibility.asOf) ?? .current,
                tellsAge: options.includesTimestamps,
                tellsVersions: view.features.contains { !view.versions(lacking: $0).isEmpty })
        }
    }

    private static func rule(of view: ViewSelection, _ options: TrainingSetOptions) -> JoinRule {
        let known: KnownBy =
            switch options.knownBy {
            case .eventTime: .eventTime
            case .recorded: .recorded
            case .arrival: .arrival(availabilityLagMicroseconds: view.view.availabilityLagMicroseconds)
            }
        return JoinRule(
            ttlMicroseconds: options.ttlOfView[view.outputName] ?? view.view.ttlMicroseconds, knownBy: known)
    }

    /// A row written under a version that lacks a feature has the feature's default.
    func fillDefaults(in result: inout AsOfResult, ofView index: Int) {
        let view = selection.views[index]
        for (position, feature) in view.features.enumerated() {
            let lacking = view.versions(lacking: feature)
            guard let value = feature.defaultValue, !lacking.isEmpty else { continue }
            result.replaceWinners(ofFeature: position, writtenUnder: lacking, by: value)
        }
    }

    /// This plan, reading what counts now wherever a past state is no different.
    func simplified(on connection: PostgresConnection) async throws -> TrainingSetPlan {
        var plan = self
        for index in histories.indices {
            plan.histories[index] = try await histories[index].simplified(on: connection)
        }
        return plan
    }

    /// How much of the spine is read at first, before its width is known: a few columns are the rule, and a spine of many is
    /// stopped by its bytes.
    func firstLimit(_ resources: TrainingSetResources) -> SegmentLimit {
        SegmentLimit(
            rows: segmentRows(memoryBytes: resources.memoryBytes, spineRowBytes: 32), bytes: resources.memoryBytes / 4)
    }

    /// Rows of a segment that fit into `bytes`, were all of them found.
    func segmentRows(memoryBytes bytes: Int, spineRowBytes: Int) -> Int {
        // The rest is for what comes and goes: buffers of connections, parts being put together, batches being written.
        let held = bytes - max(Self.transientBytes, bytes / 8)
        let perRow = selection.views.reduce(spineRowBytes + 40) { sum, view in
            sum + 30 + view.features.reduce(0) { $0 + $1.type.usualBytes }
        }
        return max(1_024, min(Self.maximumSegmentRows, held / perRow))
    }

    private static let transientBytes = 48 << 20

    /// Beyond, a key's rows lie close enough together in a segment as it is.
    private static let maximumSegmentRows = 1 << 20
}

extension ViewSelection {
    var outputName: String { alias ?? view.name }

    /// The versions whose rows have a feature's default instead of a value.
    func versions(lacking feature: FeatureSchema) -> Set<Int32> {
        guard feature.defaultValue != nil else { return [] }
        return Set(view.versions.filter { $0.feature(id: feature.id) == nil }.map(\.version))
    }
}

extension ValueType {
    /// What a value usually takes, in bytes.
    fileprivate var usualBytes: Int {
        switch self {
        case .scalar(.string), .scalar(.bytes): 20
        case .scalar(.bool): 1
        case .scalar(.int32), .scalar(.float32), .scalar(.date): 4
        case .scalar: 8
        case .array: 96
        case .vector(let dimension): dimension * 4
        }
    }
}
