import FeatureModel
import Testing

@testable import PointInTime

/// Spines that are large enough to be sorted by several tasks.
@Suite struct SpineOrderTests {
    /// What keys of a spine can be like.
    enum Spread: CaseIterable {
        case oneKey
        case fewKeys
        case manyKeys
        /// All but one lie side by side.
        case outlier
        /// Half of the rows have the same one.
        case skewed
        case anywhere
        case ascending
    }

    private static let rowCount = 80_000

    private static func key(_ spread: Spread, row: Int, _ random: inout SplitMix64) -> Int64 {
        switch spread {
        case .oneKey: 7
        case .fewKeys: Int64.random(in: -2...2, using: &random)
        case .manyKeys: Int64.random(in: 1...50_000, using: &random)
        case .outlier: row == 777 ? .max : Int64.random(in: 1...1_000, using: &random)
        case .skewed: row.isMultiple(of: 2) ? 5_000 : Int64.random(in: 1...10_000, using: &random)
        case .anywhere: Int64.random(in: .min ... .max, using: &random)
        case .ascending: Int64(row / 3)
        }
    }

    @Test("rows sorted by several tasks are in the order of a naive sort", arguments: Spread.allCases)
    func tasks(spread: Spread) async throws {
        var random = SplitMix64(seed: 42)
        var keys = Column(type: .int64)
        var times: [Int64] = []
        for row in 0..<Self.rowCount {
            let key = Self.key(spread, row: row, &random)
            if Int.random(in: 0..<20, using: &random) == 0 {
                keys.appendNull()
            } else {
                keys.append(int64: key)
            }
            times.append(Int64.random(in: -1_000...1_000, using: &random))
        }
        let joinKeys = [JoinKey(name: "a", type: .int64)]
        let alone = try SpineIndex(joinKeys: joinKeys, keyColumns: [keys], timestamps: times)
        let values = keys.int64s
        let expected = times.indices.filter { !keys.isNull($0) }.sorted { left, right in
            if values[left] != values[right] { return values[left] < values[right] }
            return times[left] == times[right] ? left < right : times[left] < times[right]
        }
        #expect(alone.sortedRows == expected.map(Int32.init))
        for tasks in [1, 3] {
            let together = try await SpineIndex(
                joinKeys: joinKeys, keyColumns: [keys], timestamps: times, tasks: tasks)
            #expect(together.sortedRows == alone.sortedRows, "\(tasks) tasks")
            #expect(together.sortedTimes == alone.sortedTimes, "\(tasks) tasks")
            #expect(together.groupStarts == alone.groupStarts, "\(tasks) tasks")
            #expect(together.invalidRows == alone.invalidRows, "\(tasks) tasks")
            #expect(together.minimumTimestamp == alone.minimumTimestamp)
            #expect(together.maximumTimestamp == alone.maximumTimestamp)
        }
    }

    @Test("keys are cut into ranges that hold every key once, and about as many rows each", arguments: Spread.allCases)
    func ranges(spread: Spread) {
        var random = SplitMix64(seed: 43)
        let keys = (0..<Self.rowCount).map { row in
            UInt64(bitPattern: Self.key(spread, row: row, &random)) ^ (1 << 63)
        }
        for count in [2, 3, 4] {
            let ranges = SpineOrder.ranges(of: keys, count: count)
            #expect(ranges.count <= count)
            #expect(ranges.first?.lowerBound == UInt64.min && ranges.last?.upperBound == UInt64.max)
            #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound + 1 == $1.lowerBound })
            guard [.manyKeys, .outlier, .anywhere, .ascending].contains(spread) else { continue }
            #expect(ranges.count == count)
            for range in ranges {
                let rows = keys.count { range.contains($0) }
                #expect(rows > Self.rowCount / count * 7 / 10, "\(rows) rows in one of \(count) ranges")
            }
        }
    }

    @Test("one task is asked for one range, and no rows for one as well")
    func oneRange() {
        #expect(SpineOrder.ranges(of: [1, 2, 3], count: 1) == [UInt64.min...UInt64.max])
        #expect(SpineOrder.ranges(of: [1, 2, 3], count: 0) == [UInt64.min...UInt64.max])
        #expect(SpineOrder.ranges(of: [], count: 4) == [UInt64.min...UInt64.max])
    }
}
