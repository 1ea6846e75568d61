import FeatureDefinitions
import FeatureModel
import OfflineStore
import PointInTime
import PostgresClient
import Synchronization

/// Joins every view to one segment of a spine, on several connections side by side.
struct SegmentJoin {
    /// A part has about this many spine rows: few enough that the parts come out even, and that a session keeps what it is sent
    /// in memory.
    private static let rowsPerPart = 65_536
    /// A merge reads from the first to the last key of a part, whatever the spine has: not worth cutting fine.
    private static let mergePartsPerConnection = 4

    /// One view to be joined.
    private struct ViewTask {
        let view: Int
        let history: ViewHistory
        let spine: Int
        let strategy: JoinStrategy
    }

    /// What one connection does in one go.
    private struct Unit {
        let tasks: [ViewTask]
        let groups: Range<Int>
    }

    /// What has been joined. Each part goes in as soon as it is made, so that no two copies of all of them exist.
    private final class Joined: Sendable {
        private let state: Mutex<(results: [AsOfResult], works: [PartJoin.Work])>

        init(_ results: [AsOfResult]) {
            state = Mutex((results, results.map { _ in PartJoin.Work() }))
        }

        func add(_ part: AsOfPart, _ work: PartJoin.Work, of spine: SpineIndex, view: Int) {
            state.withLock { state in
                state.results[view].add(part, of: spine)
                state.works[view] = state.works[view] + work
            }
        }

        func take() -> (results: [AsOfResult], works: [PartJoin.Work]) {
            state.withLock { state in
                defer { state = ([], []) }
                return state
            }
        }
    }

    /// What is left to do, for whoever is free.
    private final class Queue: Sendable {
        private let units: [Unit]
        private let position = Atomic<Int>(0)

        init(_ units: [Unit]) {
            self.units = units
        }

        func next() -> Unit? {
            let index = position.add(1, ordering: .relaxed).oldValue
            return index < units.count ? units[index] : nil
        }
    }

    private let plan: TrainingSetPlan
    private let connections: [PostgresConnection]
    /// By connection. What one has made in its transaction is there for the segments that follow.
    private var joins: [PartJoin]
    /// Spines of earlier segments.
    private var firstSpine = 0

    init(_ plan: TrainingSetPlan, on connections: [PostgresConnection]) {
        self.plan = plan
        self.connections = connections
        joins = connections.map { PartJoin(on: $0) }
    }

    struct Outcome {
        /// By view of the selection.
        var results: [AsOfResult]
        var plans: [JoinPlan]
        var works: [PartJoin.Work]
        var sorting: Duration
        var joining: Duration
    }

    mutating func run(_ segment: SpineSegment, _ resources: TrainingSetResources) async throws -> Outcome {
        let start = ContinuousClock.now
        var spines: [SpineIndex] = []
        var numbers: [[String]: Int] = [:]
        var tasks: [ViewTask] = []
        var plans: [JoinPlan] = []
        for (view, selection) in plan.selection.views.enumerated() {
            let names = selection.requestKeys.map(\.name)
            let number = numbers[names] ?? spines.count
            if number == spines.count {
                spines.append(try await spineIndex(segment, selection))
                numbers[names] = number
            }
            let plan = try await plan.histories[view].plan(
                for: spines[number], forced: resources.strategy, on: connections[0])
            plans.append(plan)
            tasks.append(
                ViewTask(view: view, history: self.plan.histories[view], spine: number, strategy: plan.strategy))
        }
        let sorted = ContinuousClock.now
        let joined = Joined(
            tasks.map { task in
                AsOfResult(spine: spines[task.spine], featureTypes: task.history.schema.features.map(\.type))
            })
        try await join(resources.joinsNothing ? [] : units(of: tasks, spines), spines, into: joined)
        var (results, works) = joined.take()
        firstSpine += spines.count
        for view in results.indices { plan.fillDefaults(in: &results[view], ofView: view) }
        return Outcome(
            results: results, plans: plans, works: works, sorting: sorted - start,
            joining: ContinuousClock.now - sorted)
    }

    /// Views that share a spine and a strategy are joined part by part, one after the other, so that each part is sent once.
    private func units(of tasks: [ViewTask], _ spines: [SpineIndex]) -> [Unit] {
        var units: [Unit] = []
        for spine in spines.indices {
            for strategy in JoinStrategy.allCases {
                let sharing = tasks.filter { $0.spine == spine && $0.strategy == strategy }
                guard !sharing.isEmpty else { continue }
                let rows = spines[spine].sortedRows.count
                let wanted =
                    strategy == .mergeRange
                    ? connections.count * Self.mergePartsPerConnection
                    : max(connections.count, rows / Self.rowsPerPart)
                let ranges = spines[spine].groupRanges(count: wanted)
                units += ranges.map { Unit(tasks: sharing, groups: $0) }
            }
        }
        return units
    }

    private mutating func join(_ units: [Unit], _ spines: [SpineIndex], into joined: Joined) async throws {
        let queue = Queue(units)
        let firstSpine = firstSpine
        joins = try await withThrowingTaskGroup(of: (connection: Int, join: PartJoin).self) { group in
            for (connection, join) in joins.enumerated() {
                group.addTask {
                    var join = join
                    while let unit = queue.next() {
                        try Task.checkCancellation()
                        for task in unit.tasks {
                            let done = try await join.join(
                                task.history, to: spines[task.spine], spineNumber: firstSpine + task.spine,
                                groups: unit.groups, by: task.strategy)
                            joined.add(done.part, done.work, of: spines[task.spine], view: task.view)
                        }
                    }
                    return (connection, join)
                }
            }
            return try await group.reduce(into: joins) { $0[$1.connection] = $1.join }
        }
    }

    /// The spine by the keys of a view, which it may know under other names. The sessions wait for it, so there is a
    /// processor for each of them.
    private func spineIndex(
        _ segment: SpineSegment, _ view: ViewSelection
    ) async throws(LarderError) -> SpineIndex {
        var keys: [JoinKey] = []
        var columns: [Column] = []
        for (key, requested) in zip(view.schema.joinKeys, view.requestKeys) {
            let column = try segment.keyColumn(requested)
            keys.append(JoinKey(name: key.name, type: column.type))
            columns.append(column)
        }
        return try await SpineIndex(
            joinKeys: keys, keyColumns: columns, timestamps: segment.timestamps, tasks: connections.count)
    }
}
