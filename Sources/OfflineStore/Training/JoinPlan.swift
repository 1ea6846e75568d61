import FeatureModel

/// How a view is joined to a part of a spine.
public enum JoinStrategy: String, Sendable, CaseIterable {
    /// PostgreSQL looks up the right row of each (key, time), in key order.
    case seek
    /// The whole history of the spine's keys is read, key by key, and merged.
    case mergeKeys = "merge_keys"
    /// The whole history between the first and the last key is read, and merged.
    case mergeRange = "merge_range"
}

/// What a view's history and a spine are like, as far as it decides how to join them.
public struct JoinStatistics: Sendable, Equatable {
    /// Rows of the history, withdrawn ones included.
    public var historyRows: Int64
    /// Rows of the history for each key of the spine, on average of some of its keys.
    public var rowsPerKey: Double
    /// Distinct keys of the spine.
    public var keys: Int
    /// Distinct (key, time) of the spine.
    public var probes: Int
}

/// Estimated costs of each strategy, and the cheapest.
public struct JoinPlan: Sendable, Equatable {
    public let statistics: JoinStatistics
    public let strategy: JoinStrategy
    /// Microseconds of work, of PostgreSQL and Larder together, on one processor.
    public let costs: [JoinStrategy: Double]

    /// - Parameter forced: overrides the choice.
    init(_ statistics: JoinStatistics, model: JoinCostModel, forced: JoinStrategy? = nil) {
        self.statistics = statistics
        costs = Dictionary(uniqueKeysWithValues: JoinStrategy.allCases.map { ($0, model.cost(of: $0, statistics)) })
        let cheapest = JoinStrategy.allCases.min { model.cost(of: $0, statistics) < model.cost(of: $1, statistics) }
        strategy = forced ?? cheapest ?? .mergeRange
    }
}

/// What each piece of work costs, in microseconds on one processor.
///
/// The figures were measured on a view of ten features and ten million rows on a warm cache (`dev/bench training-set`,
/// docs/performance.md). What matters is their ratio, which moves little from one machine to another.
struct JoinCostModel {
    /// For a row that is read and not chosen, and for one that is looked up: reading its features.
    let microsecondsPerRowOfFeatures: Double

    init(features: [ViewHistoryFeature]) {
        microsecondsPerRowOfFeatures = features.reduce(0) { $0 + ($1.isVariableWidth ? 0.2 : 0.1) }
    }

    /// Sending a probe and descending the index.
    private static let probe = 3.0
    /// Sending a key and descending the index.
    private static let key = 3.0
    /// Reading a row of the history: keys, order, flags, and comparing them.
    private static let row = 0.7

    func cost(of strategy: JoinStrategy, _ statistics: JoinStatistics) -> Double {
        let row = Self.row + microsecondsPerRowOfFeatures
        switch strategy {
        case .seek: return Double(statistics.probes) * (Self.probe + microsecondsPerRowOfFeatures)
        case .mergeKeys: return Double(statistics.keys) * (Self.key + statistics.rowsPerKey * row)
        case .mergeRange: return Double(statistics.historyRows) * row
        }
    }
}

struct ViewHistoryFeature {
    let isVariableWidth: Bool
}

extension ViewHistory {
    var costModel: JoinCostModel {
        JoinCostModel(
            features: featureTypes.map { type in
                switch type {
                case .scalar(.string), .scalar(.bytes), .array, .vector: ViewHistoryFeature(isVariableWidth: true)
                case .scalar: ViewHistoryFeature(isVariableWidth: false)
                }
            })
    }
}
