import FeatureModel
import PointInTime
import Testing

/// One rule of the join a test, on the smallest input that shows it.
@Suite struct AsOfJoinTests {
    private struct Row {
        var key: Int64 = 1
        var eventTime: Int64
        var recorded: Int64 = .min
        var sequence: Int64 = 0
        var version: Int32 = 1
        var arrival: Int64 = 0
        var isTombstone = false
        var value: Int64?
    }

    private static let joinKeys = [JoinKey(name: "id", type: .int64)]

    private static func spine(_ rows: [(key: Int64?, time: Int64)]) throws -> SpineIndex {
        var keys = Column(type: .int64)
        for row in rows { keys.append(row.key.map(Value.int64) ?? .null) }
        return try SpineIndex(joinKeys: joinKeys, keyColumns: [keys], timestamps: rows.map(\.time))
    }

    private static func batch(_ rows: [Row]) -> HistoryBatch {
        var keys = Column(type: .int64)
        var values = Column(type: .int64)
        for row in rows {
            keys.append(int64: row.key)
            values.append(row.value.map(Value.int64) ?? .null)
        }
        return HistoryBatch(
            keyColumns: [keys], eventTimes: rows.map(\.eventTime), recordedTimes: rows.map(\.recorded),
            sequences: rows.map(\.sequence), schemaVersions: rows.map(\.version), arrivals: rows.map(\.arrival),
            tombstones: rows.map(\.isTombstone), features: [values])
    }

    private static func join(
        _ spine: [(key: Int64?, time: Int64)], _ batches: [[Row]], _ rule: JoinRule = JoinRule()
    ) throws -> AsOfResult {
        var join = AsOfJoin(spine: try self.spine(spine), rule: rule, joinKeys: joinKeys, featureTypes: [.int64])
        for rows in batches { try join.consume(batch(rows)) }
        return join.finish()
    }

    @Test("a row counts from exactly its event time on")
    func eventTimeIsInclusive() throws {
        let result = try Self.join([(1, 99), (1, 100), (1, 101)], [[Row(eventTime: 100, value: 7)]])
        #expect(result.statusOfRow == [.notFound, .found, .found])
        #expect(result.column(0) == Column(type: .int64, values: [.null, .int64(7), .int64(7)]))
        #expect(result.eventTimeOfRow[1...] == [100, 100])
    }

    @Test("the chosen row's null is the answer, without a look-back past it")
    func nullIsAnAnswer() throws {
        let result = try Self.join([(1, 10)], [[Row(eventTime: 1, value: 7), Row(eventTime: 2, value: nil)]])
        #expect(result.statusOfRow == [.found] && result.column(0)[0] == .null)
        #expect(result.status(feature: 0, row: 0) == .nullValue)
    }

    @Test("a tombstone that wins is not found whatever the ttl, and a later row lives again")
    func tombstone() throws {
        let history = [
            Row(eventTime: 1, value: 7), Row(eventTime: 5, isTombstone: true), Row(eventTime: 9, value: 8),
        ]
        for ttl in [nil, 0, 1_000] as [Int64?] {
            let result = try Self.join([(1, 5), (1, 9)], [history], JoinRule(ttlMicroseconds: ttl))
            #expect(result.statusOfRow == [.notFound, .found], "\(String(describing: ttl))")
        }
    }

    @Test("exactly ttl old still counts, and exactly ttl and grace old is still told")
    func ttlEdges() throws {
        let ttl: Int64 = 1_000
        let edge = ttl + MaxAge.graceMicroseconds
        let result = try Self.join(
            [(1, ttl), (1, ttl + 1), (1, edge), (1, edge + 1)], [[Row(eventTime: 0, value: 7)]],
            JoinRule(ttlMicroseconds: ttl))
        #expect(result.statusOfRow == [.found, .outsideMaxAge, .outsideMaxAge, .notFound])
        #expect(result.column(0) == Column(type: .int64, values: [.int64(7), .null, .null, .null]))
        #expect(result.eventTimeOfRow[1] == 0 && result.status(feature: 0, row: 1) == .outsideMaxAge)
    }

    @Test("each part of the one order breaks the tie of the parts before it", arguments: [0, 1, 2, 3])
    func ties(part: Int) throws {
        var older = Row(eventTime: 5, recorded: 5, sequence: 5, version: 5, value: 1)
        var newer = Row(eventTime: 5, recorded: 5, sequence: 5, version: 5, value: 2)
        if part == 0 { (older.eventTime, newer.recorded, newer.sequence, newer.version) = (4, 4, 4, 4) }
        if part == 1 { (older.recorded, newer.sequence, newer.version) = (4, 4, 4) }
        if part == 2 { (older.sequence, newer.version) = (4, 4) }
        if part == 3 { older.version = 4 }
        #expect(try Self.join([(1, 10)], [[older, newer]]).column(0)[0] == .int64(2))
        #expect(throws: LarderError.self) { try Self.join([(1, 10)], [[newer, older]]) }
        #expect(throws: LarderError.self) { try Self.join([(1, 10)], [[newer], [older]]) }
        #expect(throws: LarderError.self) { try Self.join([(1, 10)], [[newer, newer]]) }
    }

    @Test("known by recorded or arrival time, a row known late leaves the answer to one known in time")
    func knownBy() throws {
        let history = [
            Row(eventTime: 1, recorded: 3, arrival: 2, value: 1), Row(eventTime: 2, recorded: 9, arrival: 8, value: 2),
        ]
        let spine: [(key: Int64?, time: Int64)] = [(1, 2), (1, 5), (1, 9)]
        let recorded = try Self.join(spine, [history], JoinRule(knownBy: .recorded))
        #expect(recorded.column(0) == Column(type: .int64, values: [.null, .int64(1), .int64(2)]))
        let arrival = try Self.join(spine, [history], JoinRule(knownBy: .arrival(availabilityLagMicroseconds: 2)))
        #expect(arrival.column(0) == Column(type: .int64, values: [.null, .int64(1), .int64(1)]))
    }

    @Test("spine rows with a null key are invalid, and the others keep their places")
    func invalidKey() throws {
        let result = try Self.join([(nil, 10), (2, 10), (nil, 10), (1, 10)], [[Row(eventTime: 1, value: 7)]])
        #expect(result.statusOfRow == [.invalidKey, .notFound, .invalidKey, .found])
        #expect(result.status(feature: 0, row: 0) == .invalidKey && result.status(feature: 0, row: 1) == .notFound)
    }

    @Test("spine rows that repeat share one chosen row")
    func repeatedSpineRows() throws {
        let result = try Self.join([(1, 10), (1, 11), (1, 10)], [[Row(eventTime: 1, version: 3, value: 7)]])
        #expect(result.winnerOfRow == [0, 0, 0] && result.winners[0].count == 1)
        #expect(result.winnerSchemaVersions == [3])
    }

    @Test("every cut of the history into batches gives the same answer")
    func batches() throws {
        let rows = (0..<4).flatMap { key in
            (0..<5).map { Row(key: Int64(key), eventTime: Int64($0), value: Int64(key * 10 + $0)) }
        }
        let spine = (0..<40).map { (key: Int64?(Int64($0 % 5)), time: Int64($0 % 7) - 1) }
        let whole = try Self.join(spine, [rows])
        for cut in rows.indices {
            let result = try Self.join(spine, [Array(rows[..<cut]), [], Array(rows[cut...])])
            #expect(result.column(0) == whole.column(0), "cut at \(cut)")
            #expect(result.statusOfRow == whole.statusOfRow, "cut at \(cut)")
        }
    }

    @Test("only chosen rows are kept, however long the history")
    func memoryDoesNotGrowWithHistory() throws {
        let rows = (0..<20_000).map { Row(eventTime: Int64($0), value: Int64($0)) }
        let result = try Self.join([(1, 100_000), (1, 7), (2, 7)], [rows])
        #expect(result.winners[0] == Column(type: .int64, values: [.int64(7), .int64(19_999)]))
    }

    @Test("history with a null key or of other feature types is an error, not an answer")
    func brokenHistory() throws {
        var join = AsOfJoin(
            spine: try Self.spine([(1, 1)]), rule: JoinRule(), joinKeys: Self.joinKeys, featureTypes: [.string])
        let error = #expect(throws: LarderError.self) { try join.consume(Self.batch([Row(eventTime: 1)])) }
        #expect(error?.code == .internalError)
        var nullKey = Column(type: .int64)
        nullKey.appendNull()
        let batch = HistoryBatch(
            keyColumns: [nullKey], eventTimes: [1], recordedTimes: [1], sequences: [1], schemaVersions: [1],
            arrivals: [1], tombstones: [false], features: [])
        var other = AsOfJoin(
            spine: try Self.spine([(1, 1)]), rule: JoinRule(), joinKeys: Self.joinKeys, featureTypes: [])
        #expect(throws: LarderError.self) { try other.consume(batch) }
    }
}
