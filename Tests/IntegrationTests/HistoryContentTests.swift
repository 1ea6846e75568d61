import FeatureDefinitions
import FeatureModel
import FeatureService
import PointInTime
import PostgresClient
import Testing

@testable import OfflineStore

private let definitions = Orders.spending

private let orders = "customer_id,at,amount\n1,2013-01-01T00:00:00Z,10\n2,2013-01-01T00:00:00Z,20\n"
private let deletion = "customer_id,at,amount,__deleted\n1,2013-01-01T02:00:00Z,,true\n"
private let correction = "customer_id,at,amount\n2,2013-01-01T00:00:00Z,21\n"

private let spine = """
    customer_id,event_timestamp
    1,2013-01-01T01:00:00Z
    1,2013-01-01T03:00:00Z
    2,2013-01-01T03:00:00Z

    """

/// What a reader leaves out because a generation has no tombstones, or no withdrawn rows.
@Suite struct HistoryContentTests {
    private func withData(_ body: (LarderFixture, OfflineTable) async throws -> Void) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            try await larder.ingest("orders", orders)
            try await larder.materialize()
            let view = try await larder.project().featureView(named: "spending")
            try await body(larder, OfflineTable(view: view, generation: 1))
        }
    }

    private func write(_ text: String, _ larder: LarderFixture) async throws {
        try await larder.ingest("orders", text)
        try await larder.materialize()
    }

    private func content(of table: OfflineTable, _ larder: LarderFixture) async throws -> HistoryContent {
        try await larder.stores.writer.withConnection { try await HistoryContent.read(of: table, on: $0) }
    }

    /// The amounts of a training set.
    private func amounts(_ larder: LarderFixture, by strategy: JoinStrategy) async throws -> [String] {
        var resources = TrainingSetResources()
        resources.strategy = strategy
        let made = try await larder.trainingSet(
            spine: Array(spine.utf8), .csv, .references(["spending:amount"]), to: .csv, resources: resources)
        return String(decoding: made.bytes, as: UTF8.self).split(separator: "\n").dropFirst().map { line in
            String(line.split(separator: ",", omittingEmptySubsequences: false).last ?? "")
        }
    }

    @Test(arguments: JoinStrategy.allCases)
    func `a first tombstone and a first withdrawal count at once`(strategy: JoinStrategy) async throws {
        try await withData { larder, table in
            #expect(
                try await content(of: table, larder) == HistoryContent(hasTombstones: false, hasWithdrawnRows: false))
            #expect(try await amounts(larder, by: strategy) == ["10.0", "10.0", "20.0"])
            try await write(deletion, larder)
            #expect(
                try await content(of: table, larder) == HistoryContent(hasTombstones: true, hasWithdrawnRows: false))
            #expect(try await amounts(larder, by: strategy) == ["10.0", "", "20.0"])
            try await write(correction, larder)
            #expect(
                try await content(of: table, larder) == HistoryContent(hasTombstones: true, hasWithdrawnRows: true))
            #expect(try await amounts(larder, by: strategy) == ["10.0", "", "21.0"])
        }
    }

    @Test(arguments: JoinStrategy.allCases)
    func `a table without the index over tombstones is read as if it had some`(strategy: JoinStrategy) async throws {
        try await withData { larder, table in
            _ = try await larder.stores.owner.withConnection {
                try await $0.execute("DROP INDEX \(identifier: "larder_data", table.tombstoneIndex)")
            }
            #expect(
                try await content(of: table, larder) == HistoryContent(hasTombstones: true, hasWithdrawnRows: false))
            try await write(deletion, larder)
            #expect(try await amounts(larder, by: strategy) == ["10.0", "", "20.0"])
        }
    }

    @Test(arguments: JoinStrategy.allCases)
    func `what was looked up holds in its snapshot, whatever is written meanwhile`(
        strategy: JoinStrategy
    ) async throws {
        try await withData { larder, table in
            let view = try await larder.project().featureView(named: "spending")
            let schema = try #require(view.schema(version: 1))
            let history = ViewHistory(table: table, schema: schema, rule: JoinRule())
            try await SharedSnapshot.with(connections: 2, of: larder.stores.writer) { connections, _ in
                let simplified = try await history.simplified(on: connections[0])
                #expect(simplified.content == HistoryContent(hasTombstones: false, hasWithdrawnRows: false))
                try await write(deletion, larder)
                try await write(correction, larder)
                for connection in connections {
                    let values = try await Self.join(simplified, by: strategy, on: connection)
                    #expect(values == [.float64(10), .float64(20)])
                }
            }
            try await SharedSnapshot.with(connections: 2, of: larder.stores.writer) { connections, _ in
                let simplified = try await history.simplified(on: connections[0])
                #expect(simplified.content == HistoryContent(hasTombstones: true, hasWithdrawnRows: true))
                for connection in connections {
                    let values = try await Self.join(simplified, by: strategy, on: connection)
                    #expect(values == [.null, .float64(21)])
                }
            }
        }
    }

    /// The amounts of both customers in the end.
    private static func join(
        _ history: ViewHistory, by strategy: JoinStrategy, on connection: PostgresConnection
    ) async throws -> [Value] {
        var keys = Column(type: .int64)
        keys.append(int64: 1)
        keys.append(int64: 2)
        let time = try instant("2013-01-01T03:00:00Z").microsecondsSince1970
        let spine = try SpineIndex(
            joinKeys: history.schema.joinKeys, keyColumns: [keys], timestamps: [time, time])
        var join = PartJoin(on: connection)
        let done = try await join.join(
            history, to: spine, spineNumber: 0, groups: 0..<spine.distinctKeyCount, by: strategy)
        var result = AsOfResult(spine: spine, featureTypes: [.float64])
        result.add(done.part, of: spine)
        let amounts = result.column(0)
        return [amounts[0], amounts[1]]
    }
}
