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

    init(_ plan: TrainingSetPlan, on connections: [PostgresConnection]) {
        self.plan = plan
        self.connections = connections
    }

    struct Outcome {
        /// By view of the selection.
        var results: [AsOfResult]
        var plans: [JoinPlan]
        var works: [PartJoin.Work]
        var sorting: Duration
        var joining: Duration
    }

    func run(_ segment: SpineSegment, _ resources: TrainingSetResources) async throws -> Outcome {
        let start = ContinuousClock.now
        var spines: [SpineIndex] = []
        var numbers: [[String]: Int] = [:]
        var tasks: [ViewTask] = []
        var plans: [JoinPlan] = []
        for (view, selection) in plan.selection.views.enumerated() {
            let names = selection.requestKeys.map(\.name)
            let number = numbers[names] ?? spines.count
            if number == spines.count {
                spines.append(try Self.spineIndex(segment, selection))
                numbers[names] = number
            }
            let plan = try await plan.histories[view].plan(
                for: spines[number], forced: resources.strategy, on: connections[0])
            plans.append(plan)
            tasks.append(
                ViewTask(view: view, history: self.plan.histories[view], spine: number, strategy: plan.strategy))
        }
        let sorted = ContinuousClock.now
        var results = tasks.map { task in
            AsOfResult(spine: spines[task.spine], featureTypes: task.history.schema.features.map(\.type))
        }
        var works = tasks.map { _ in PartJoin.Work() }
        try await join(resources.joinsNothing ? [] : units(of: tasks, spines), spines) { view, part, work in
            results[view].add(part, of: spines[tasks[view].spine])
            works[view] = works[view] + work
        }
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

    /// - Parameter take: told each part, one at a time.
    private func join(
        _ units: [Unit], _ spines: [SpineIndex], take: (Int, AsOfPart, PartJoin.Work) -> Void
    ) async throws {
        let queue = Queue(units)
        try await withThrowingTaskGroup(of: [(view: Int, part: AsOfPart, work: PartJoin.Work)].self) { group in
            for connection in connections {
                group.addTask {
                    var join = PartJoin(on: connection)
                    var parts: [(view: Int, part: AsOfPart, work: PartJoin.Work)] = []
                    while let unit = queue.next() {
                        try Task.checkCancellation()
                        for task in unit.tasks {
                            let done = try await join.join(
                                task.history, to: spines[task.spine], spineNumber: task.spine, groups: unit.groups,
                                by: task.strategy)
                            parts.append((task.view, done.part, done.work))
                        }
                    }
                    return parts
                }
            }
            for try await parts in group {
                for done in parts { take(done.view, done.part, done.work) }
            }
        }
    }

    /// The spine by the keys of a view, which it may know under other names.
    private static func spineIndex(_ segment: SpineSegment, _ view: ViewSelection) throws(LarderError) -> SpineIndex {
        var keys: [JoinKey] = []
        var columns: [Column] = []
        for (key, requested) in zip(view.schema.joinKeys, view.requestKeys) {
            let column = try segment.keyColumn(requested)
            keys.append(JoinKey(name: key.name, type: column.type))
            columns.append(column)
        }
        return try SpineIndex(joinKeys: keys, keyColumns: columns, timestamps: segment.timestamps)
    }
}
