/// Rows of a spine by (key, time), and in spine order where those are equal.
struct SpineOrder: Sendable {
    /// From about this many rows on, sorting is worth a task of its own.
    private static let rowsPerTask = 25_000

    private(set) var rows: [Int32]
    /// The time of each of `rows`.
    private(set) var times: [Int64]
    /// Where each distinct key's rows start in `rows`, and the end of the last.
    private(set) var starts: [Int32] = []

    /// Sorts the rows whose keys lie in a range.
    init(
        _ keys: SpineKeys, _ timestamps: [Int64], keysIn range: ClosedRange<UInt64> = UInt64.min...UInt64.max
    ) {
        var sorter = SpineSorter(keys, timestamps, keysIn: range)
        sorter.sort()
        let entries = sorter.entries
        for index in entries.indices where index == 0 || entries[index].key != entries[index - 1].key {
            starts.append(Int32(index))
        }
        starts.append(Int32(entries.count))
        rows = entries.map(\.row)
        times = entries.map(\.time)
    }

    /// Sorts all rows: ranges of keys side by side, where there are enough rows.
    /// - Parameter tasks: how many at most.
    init(_ keys: SpineKeys, _ timestamps: [Int64], tasks: Int) async {
        let ranges = Self.ranges(of: keys.numbers, count: min(tasks, timestamps.count / Self.rowsPerTask))
        guard ranges.count > 1 else {
            self.init(keys, timestamps)
            return
        }
        let parts = await withTaskGroup(of: (Int, SpineOrder).self, returning: [(Int, SpineOrder)].self) { group in
            for (index, range) in ranges.enumerated() {
                group.addTask { (index, SpineOrder(keys, timestamps, keysIn: range)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        self.init(joining: parts.sorted { $0.0 < $1.0 }.map(\.1))
    }

    /// - Parameter parts: of ranges of keys, ascending.
    private init(joining parts: [SpineOrder]) {
        let count = parts.reduce(0) { $0 + $1.rows.count }
        rows = []
        times = []
        rows.reserveCapacity(count)
        times.reserveCapacity(count)
        starts.reserveCapacity(parts.reduce(1) { $0 + $1.starts.count - 1 })
        for part in parts {
            let offset = Int32(rows.count)
            for start in part.starts.dropLast() { starts.append(start + offset) }
            rows += part.rows
            times += part.times
        }
        starts.append(Int32(count))
    }

    /// Cuts all keys there can be into at most `count` ranges, of about as many rows each as some of the rows tell.
    /// - Parameter keys: of the rows.
    static func ranges(of keys: [UInt64], count: Int) -> [ClosedRange<UInt64>] {
        guard count > 1, !keys.isEmpty else { return [UInt64.min...UInt64.max] }
        let sample = stride(from: 0, to: keys.count, by: keys.count / 1_024 + 1).map { keys[$0] }.sorted()
        var ranges: [ClosedRange<UInt64>] = []
        var start = UInt64.min
        for part in 1..<count {
            let next = sample[sample.count * part / count]
            guard next > start else { continue }
            ranges.append(start...next - 1)
            start = next
        }
        return ranges + [start...UInt64.max]
    }
}
