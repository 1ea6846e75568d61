public import FeatureModel

/// How the features a reader asks for come out of values written under any version of a view.
///
/// Features are matched by id. What a writer's version stored narrower is widened; what it did not have is filled in
/// with the reader's default, or null, and reported `DEFAULTED`.
public struct OnlineRowProjection: Sendable {
    /// Where one requested feature comes from in values of one writer version.
    public enum Source: Sendable, Equatable {
        /// Position in the writer's schema, stored as the reader declares it.
        case stored(Int)
        /// Position in the writer's schema; int32 there, int64 here.
        case widenedToInt64(Int)
        /// Position in the writer's schema; float32 there, float64 here.
        case widenedToFloat64(Int)
        /// Not there; the feature's default or null stands in.
        case filledIn
    }

    /// One writer version, resolved.
    public struct Plan: Sendable {
        public let layout: OnlineRowLayout
        /// One for each requested feature.
        public let sources: [Source]
        /// The same, as places in a value.
        public let fields: [OnlineField]
    }

    /// The requested features as the reader declares them, in the order of the request.
    public let features: [FeatureSchema]
    /// What stands in where a value does not have a feature.
    public let defaults: [Value]
    /// One for each version that values may have been written under, oldest first.
    public let plans: [Plan]
    private let positions: [Int32: Int]

    /// - Parameters:
    ///   - reader: the version that the answer is given in.
    ///   - featureIDs: the features asked for, each one of the reader's.
    ///   - layouts: every version values may have been written under, by version.
    /// - Throws: `internal_error` when a feature is not the reader's, or a writer's type cannot be read as the reader's;
    ///   versions that share a key space never get there.
    public init(
        reader: ViewSchema, featureIDs: [Int32], layouts: [Int32: OnlineRowLayout]
    ) throws(LarderError) {
        var features: [FeatureSchema] = []
        for id in featureIDs {
            guard let feature = reader.feature(id: id) else {
                throw LarderError(.internalError, "schema version \(reader.version) has no feature with id \(id)")
            }
            features.append(feature)
        }
        var plans: [Plan] = []
        var positions: [Int32: Int] = [:]
        for (version, layout) in layouts.sorted(by: { $0.key < $1.key }) {
            var sources: [Source] = []
            for feature in features { sources.append(try Self.source(of: feature, in: layout.schema)) }
            positions[version] = plans.count
            plans.append(
                Plan(layout: layout, sources: sources, fields: sources.map { OnlineField($0, of: layout) }))
        }
        self.features = features
        defaults = features.map { $0.defaultValue ?? .null }
        self.plans = plans
        self.positions = positions
    }

    private static func source(of feature: FeatureSchema, in writer: ViewSchema) throws(LarderError) -> Source {
        guard let position = writer.features.firstIndex(where: { $0.id == feature.id }) else { return .filledIn }
        switch (writer.features[position].type, feature.type) {
        case (let stored, let wanted) where stored == wanted: return .stored(position)
        case (.scalar(.int32), .scalar(.int64)): return .widenedToInt64(position)
        case (.scalar(.float32), .scalar(.float64)): return .widenedToFloat64(position)
        case (let stored, let wanted):
            throw LarderError(
                .internalError,
                "feature \"\(feature.name)\" is stored as \(stored) by schema version \(writer.version), "
                    + "which cannot be read as \(wanted)")
        }
    }

    /// Which of `plans` reads values of a writer version; nil when the version is not among the layouts.
    public func position(ofVersion version: Int32) -> Int? {
        positions[version]
    }

    /// Appends the requested features of one value, one to each column, and says how each came about.
    ///
    /// - Parameters:
    ///   - body: of an online value that is no tombstone, without its header.
    ///   - plan: which of `plans` reads values of the version that the header names.
    ///   - columns: one for each requested feature, of the reader's type.
    ///   - statuses: for each requested feature those of the rows so far; `PRESENT`, `NULL_VALUE` or `DEFAULTED` is added.
    /// - Throws: with nothing appended, when the body is malformed.
    public func append(
        _ body: RawSpan, plan: Int, to columns: inout [Column], statuses: inout [[FeatureStatus]]
    ) throws(CodecError) {
        let plan = plans[plan]
        let reader = try OnlineRowReader(body, layout: plan.layout)
        for index in plan.sources.indices {
            statuses[index].append(append(index, from: plan.sources[index], reader, body, to: &columns[index]))
        }
    }

    private func append(
        _ index: Int, from source: Source, _ reader: OnlineRowReader, _ body: RawSpan, to column: inout Column
    ) -> FeatureStatus {
        switch source {
        case .filledIn:
            column.append(defaults[index])
            return .defaulted
        case .stored(let position), .widenedToInt64(let position), .widenedToFloat64(let position):
            guard !reader.isNull(position, in: body) else {
                column.appendNull()
                return .nullValue
            }
            switch source {
            case .widenedToInt64: column.append(int64: Int64(reader.int32(position, in: body)))
            case .widenedToFloat64: column.append(float64: Double(reader.float32(position, in: body)))
            default: reader.append(position, in: body, to: &column)
            }
            return .present
        }
    }
}
