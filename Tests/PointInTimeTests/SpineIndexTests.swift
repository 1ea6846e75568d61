import FeatureModel
import PointInTime
import Testing

@Suite struct SpineIndexTests {
    private static let joinKeys = [JoinKey(name: "b", type: .string), JoinKey(name: "a", type: .int64)]

    @Test("rows are sorted by key and time, and rows with a null key are set aside")
    func sorting() throws {
        let numbers = try #require(
            Column(type: .int32, values: [.int32(2), .int32(-1), .null, .int32(2), .int32(2), .int32(-1)]))
        let names = try #require(
            Column(
                type: .string,
                values: [.string("x"), .string("y"), .string("x"), .string("aa"), .string("x"), .string("y")]))
        let spine = try SpineIndex(
            joinKeys: Self.joinKeys, keyColumns: [numbers, names], timestamps: [50, 20, 99, 40, 30, 10])
        #expect(spine.joinKeys.map(\.name) == ["a", "b"])
        #expect(spine.rowCount == 6 && spine.distinctKeyCount == 3 && spine.invalidRows == [2])
        #expect(spine.sortedRows == [5, 1, 3, 4, 0] && spine.groupStarts == [0, 2, 3, 5])
        #expect(spine.minimumTimestamp == Timestamp(microsecondsSince1970: 10))
        #expect(spine.maximumTimestamp == Timestamp(microsecondsSince1970: 50))
        let keys = spine.keys(ofGroups: 0..<3)
        #expect(keys[0] == Column(type: .int64, values: [.int64(-1), .int64(2), .int64(2)]))
        #expect(keys[1] == Column(type: .string, values: [.string("y"), .string("aa"), .string("x")]))
    }

    @Test("an empty spine and a spine of null keys have no keys and no times")
    func empty() throws {
        for values in [[], [Value.null, .null]] {
            let column = try #require(Column(type: .int64, values: values))
            let spine = try SpineIndex(
                joinKeys: [JoinKey(name: "a", type: .int64)], keyColumns: [column],
                timestamps: [Int64](repeating: 5, count: values.count))
            #expect(spine.distinctKeyCount == 0 && spine.invalidRows.count == values.count)
            #expect(spine.minimumTimestamp == nil && spine.maximumTimestamp == nil)
        }
    }

    @Test("without join keys all rows are of one entity")
    func withoutEntity() throws {
        let spine = try SpineIndex(joinKeys: [], keyColumns: [], timestamps: [3, 1, 2])
        #expect(spine.distinctKeyCount == 1 && spine.sortedRows == [1, 2, 0])
    }

    @Test("thousands of keys with long common prefixes stay apart and in order")
    func manyKeys() throws {
        var names = Column(type: .string)
        for number in 0..<6_000 { names.append(string: "a common prefix \((number * 7_919) % 3_000)") }
        let spine = try SpineIndex(
            joinKeys: [JoinKey(name: "name", type: .string)], keyColumns: [names],
            timestamps: (0..<6_000).map { Int64(-$0) })
        #expect(spine.distinctKeyCount == 3_000)
        let keys = spine.keys(ofGroups: 0..<spine.distinctKeyCount)[0]
        for row in 1..<keys.count {
            #expect(keys.byteRun(row - 1).lexicographicallyPrecedes(keys.byteRun(row)))
        }
        #expect(spine.groupStarts == (0...3_000).map { Int32($0 * 2) })
        #expect(Set(spine.sortedRows).count == 6_000)
    }

    @Test(
        "rows are in the order of a naive sort, whatever the spread of keys and times",
        arguments: 1...40 as ClosedRange<UInt64>)
    func naiveOrder(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let spread = Int64(1) << Int64.random(in: 0...62, using: &random)
        let timeSpread = Int64(1) << Int64.random(in: 0...62, using: &random)
        var keys = Column(type: .int64)
        var times: [Int64] = []
        for _ in 0..<Int.random(in: 1...3_000, using: &random) {
            if Int.random(in: 0..<20, using: &random) == 0 {
                keys.appendNull()
            } else {
                keys.append(int64: Int64.random(in: -spread...spread, using: &random))
            }
            times.append(Int64.random(in: -timeSpread...timeSpread, using: &random))
        }
        let spine = try SpineIndex(
            joinKeys: [JoinKey(name: "a", type: .int64)], keyColumns: [keys], timestamps: times)
        let rows = times.indices.filter { !keys.isNull($0) }
        let expected = rows.sorted { left, right in
            (keys.int64s[left], times[left], left) < (keys.int64s[right], times[right], right)
        }
        #expect(spine.sortedRows == expected.map(Int32.init), "seed \(seed)")
        #expect(spine.sortedTimes == expected.map { times[$0] })
        #expect(spine.distinctKeyCount == Set(rows.map { keys.int64s[$0] }).count)
        let pairs = Set(rows.map { [keys.int64s[$0], times[$0]] })
        #expect(spine.probeCount == pairs.count)
        #expect(spine.probes(ofGroups: 0..<spine.distinctKeyCount).map { Self.pair(spine, $0) } == Self.ordered(pairs))
        for parts in [1, 2, 7, 5_000] {
            let ranges = spine.groupRanges(count: parts)
            #expect(
                ranges.count <= parts && ranges.first?.lowerBound == 0
                    && ranges.last?.upperBound == spine.distinctKeyCount)
            #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        }
    }

    /// Key and time at a position of the sorted spine.
    private static func pair(_ spine: SpineIndex, _ position: Int32) -> [Int64] {
        [spine.keyColumns[0].int64s[Int(spine.sortedRows[Int(position)])], spine.sortedTimes[Int(position)]]
    }

    private static func ordered(_ pairs: Set<[Int64]>) -> [[Int64]] {
        pairs.sorted { $0.lexicographicallyPrecedes($1) }
    }

    @Test("a key of the wrong type names its column and row")
    func wrongType() throws {
        let column = try #require(Column(type: .float64, values: [.float64(1)]))
        let error = #expect(throws: LarderError.self) {
            try SpineIndex(
                joinKeys: [JoinKey(name: "origin", type: .string)], keyColumns: [column], timestamps: [1])
        }
        #expect(error?.code == .joinKeyType && error?.message.contains("\"origin\" in row 1") == true)
    }
}
