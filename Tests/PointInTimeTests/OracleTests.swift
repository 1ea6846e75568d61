import FeatureModel
import PointInTime
import Testing

@Suite struct OracleTests {
    /// How often each thing the worlds are made for was seen.
    private struct Tally {
        var rows = 0
        var statuses: [AsOfStatus: Int] = [:]
        var knownBy: [String: Int] = [:]
        var globals = 0
        var emptySpines = 0
        var emptyHistories = 0
    }

    @Test("the join agrees with the naive oracle in 4,000 random worlds, row by row")
    func joinAgreesWithOracle() throws {
        var tally = Tally()
        for seed in UInt64(1)...4_000 {
            let world = RandomWorld(seed: seed)
            // One difference tells enough; the rest of the worlds would say the same.
            guard try agrees(world, &tally) else { return }
        }
        #expect(tally.rows > 20_000)
        for status in AsOfStatus.allCases { #expect(tally.statuses[status, default: 0] > 500, "\(status)") }
        for mode in ["eventTime", "recorded", "arrival"] { #expect(tally.knownBy[mode, default: 0] > 500, "\(mode)") }
        #expect(tally.globals > 100 && tally.emptySpines > 100 && tally.emptyHistories > 100)
    }

    private func agrees(_ world: RandomWorld, _ tally: inout Tally) throws -> Bool {
        let spine = try SpineIndex(
            joinKeys: world.joinKeys, keyColumns: world.spineKeyColumns(), timestamps: world.spineTimestamps)
        var join = AsOfJoin(
            spine: spine, rule: world.rule, joinKeys: world.joinKeys, featureTypes: world.featureTypes)
        for batch in world.historyBatches() { try join.consume(batch) }
        let result = join.finish()
        let columns = world.featureTypes.indices.map { result.column($0) }
        count(world, result, &tally)
        guard result.rowCount == world.spineKeys.count else {
            Issue.record("seed \(world.seed): \(result.rowCount) rows for \(world.spineKeys.count)")
            return false
        }
        for row in 0..<result.rowCount {
            let expected = NaiveOracle.answer(
                keys: world.spineKeys[row], at: world.spineTimestamps[row], history: world.history, rule: world.rule,
                featureCount: world.featureTypes.count)
            let status = result.statusOfRow[row]
            let hasEventTime = status == .found || status == .outsideMaxAge
            let eventTime = hasEventTime ? result.eventTimeOfRow[row] : nil
            let values = columns.map { $0[row] }
            guard status == expected.status, values == expected.features, eventTime == expected.eventTime else {
                Issue.record(
                    """
                    seed \(world.seed), spine row \(row), \(world.rule): keys \(world.spineKeys[row]) at \
                    \(world.spineTimestamps[row]) gave \(status) \(values) \(String(describing: eventTime)), the \
                    oracle says \(expected)
                    """)
                return false
            }
        }
        return true
    }

    private func count(_ world: RandomWorld, _ result: AsOfResult, _ tally: inout Tally) {
        tally.rows += result.rowCount
        for status in result.statusOfRow { tally.statuses[status, default: 0] += 1 }
        switch world.rule.knownBy {
        case .eventTime: tally.knownBy["eventTime", default: 0] += 1
        case .recorded: tally.knownBy["recorded", default: 0] += 1
        case .arrival: tally.knownBy["arrival", default: 0] += 1
        }
        if world.joinKeys.isEmpty { tally.globals += 1 }
        if world.spineKeys.isEmpty { tally.emptySpines += 1 }
        if world.history.isEmpty { tally.emptyHistories += 1 }
    }
}
