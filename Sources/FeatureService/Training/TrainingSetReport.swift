import FeatureDefinitions
public import OfflineStore
import PointInTime

/// What a training set came to, and how it was made.
public struct TrainingSetReport: Sendable {
    /// One view: how many spine rows it had an answer for, and what that took.
    public struct View: Sendable {
        /// The view's name, or its alias.
        public let name: String
        public internal(set) var found = 0
        /// No row, or, unless ages are told, one beyond its ttl.
        public internal(set) var notFound = 0
        /// Nil unless ages are told: with the rows' times.
        public internal(set) var outsideMaxAge: Int?
        public internal(set) var invalidKey = 0
        /// Of the first segment.
        public internal(set) var plan: JoinPlan?
        /// Of all segments together.
        public internal(set) var estimatedMicroseconds = 0.0
        public internal(set) var work = PartJoin.Work()
    }

    /// Where the time went, by the clock.
    public struct Phases: Sendable {
        /// Reading the spine.
        public internal(set) var reading: Duration = .zero
        /// Sorting it by key and choosing how to join.
        public internal(set) var sorting: Duration = .zero
        public internal(set) var joining: Duration = .zero
        /// Putting rows back in the spine's order, and writing them.
        public internal(set) var writing: Duration = .zero
    }

    public internal(set) var phases = Phases()
    /// Whether it was made, and not only planned.
    public internal(set) var isMade = true
    public internal(set) var rowCount = 0
    public let columns: [String]
    public internal(set) var views: [View]
    public internal(set) var segmentCount = 0
    /// Of a training set that was given a name.
    public internal(set) var saved: SavedTrainingSet?

    init(plan: TrainingSetPlan, columns: [String]) {
        self.columns = columns
        views = plan.selection.views.map { view in
            View(name: view.outputName, outsideMaxAge: plan.options.includesTimestamps ? 0 : nil)
        }
    }

    mutating func add(_ outcome: SegmentJoin.Outcome) {
        segmentCount += 1
        phases.sorting += outcome.sorting
        phases.joining += outcome.joining
        rowCount += outcome.results.first?.rowCount ?? 0
        for index in views.indices {
            views[index].plan = views[index].plan ?? outcome.plans[index]
            views[index].estimatedMicroseconds += outcome.plans[index].costs[outcome.plans[index].strategy] ?? 0
            views[index].work = views[index].work + outcome.works[index]
            let counts = outcome.results[index].statusCounts
            views[index].found += counts[.found] ?? 0
            views[index].invalidKey += counts[.invalidKey] ?? 0
            views[index].notFound += counts[.notFound] ?? 0
            if let known = views[index].outsideMaxAge {
                views[index].outsideMaxAge = known + (counts[.outsideMaxAge] ?? 0)
            } else {
                views[index].notFound += counts[.outsideMaxAge] ?? 0
            }
        }
    }
}

extension AsOfResult {
    fileprivate var statusCounts: [AsOfStatus: Int] {
        var counts = [Int](repeating: 0, count: AsOfStatus.allCases.count)
        for status in statusOfRow { counts[Int(status.rawValue)] += 1 }
        return Dictionary(uniqueKeysWithValues: AsOfStatus.allCases.map { ($0, counts[Int($0.rawValue)]) })
    }
}
