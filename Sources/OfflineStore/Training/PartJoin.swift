import FeatureModel
public import PointInTime
public import PostgresClient

/// Joins parts of spines to histories on one connection, which is in a transaction of its own.
public struct PartJoin: Sendable {
    /// What was done, for who wants to compare it with what was estimated.
    public struct Work: Sendable, Equatable {
        /// Rows that PostgreSQL sent: of the history when merging, answers when seeking.
        public var rowsRead: Int64 = 0
        /// On this connection.
        public var duration: Duration = .zero

        public init() {}

        public static func + (left: Work, right: Work) -> Work {
            var sum = left
            sum.rowsRead += right.rowsRead
            sum.duration += right.duration
            return sum
        }
    }

    private let connection: PostgresConnection
    private var tables: [[ValueType]: ProbeTable] = [:]
    private var loaded: [[ValueType]: Load] = [:]

    /// What a probe table holds.
    private struct Load: Equatable {
        let content: ProbeTable.Content
        let spine: Int
        let groups: Range<Int>
    }

    public init(on connection: PostgresConnection) {
        self.connection = connection
    }

    /// Joins one view to some keys of a spine.
    /// - Parameters:
    ///   - spineNumber: tells the spines of the running transaction apart, so that several views share what was sent of one.
    ///   - groups: the distinct keys to answer for.
    public mutating func join(
        _ history: ViewHistory, to spine: SpineIndex, spineNumber: Int, groups: Range<Int>, by strategy: JoinStrategy
    ) async throws -> (part: AsOfPart, work: Work) {
        let start = ContinuousClock.now
        var work = Work()
        var part: AsOfPart
        switch strategy {
        case .seek:
            let probes = try await probes(.times, history, spine, spineNumber, groups)
            part = try await seek(history, spine, groups, probes, &work)
        case .mergeKeys where !history.schema.joinKeys.isEmpty:
            let probes = try await probes(.keys, history, spine, spineNumber, groups)
            part = try await merge(history, spine, groups, .listed(probes), &work)
        case .mergeKeys, .mergeRange:
            part = try await merge(history, spine, groups, .range, &work)
        }
        work.duration = ContinuousClock.now - start
        return (part, work)
    }

    private func seek(
        _ history: ViewHistory, _ spine: SpineIndex, _ groups: Range<Int>, _ probes: ProbeTable, _ work: inout Work
    ) async throws -> AsOfPart {
        var seek = AsOfSeek(
            spine: spine, groups: groups, ttlMicroseconds: history.rule.ttlMicroseconds,
            featureTypes: history.featureTypes)
        let reader = try await SeekReader.open(
            history, probes: probes, earliest: spine.minimumTimestamp ?? .negativeInfinity, on: connection)
        while let answers = try await reader.next() {
            work.rowsRead += Int64(answers.positions.count)
            try seek.consume(answers)
        }
        return seek.finish()
    }

    private func merge(
        _ history: ViewHistory, _ spine: SpineIndex, _ groups: Range<Int>, _ keys: HistoryReader.Keys,
        _ work: inout Work
    ) async throws -> AsOfPart {
        var join = AsOfJoin(
            spine: spine, groups: groups, rule: history.rule,
            joinKeys: history.schema.joinKeys.map { JoinKey(name: $0.name, type: $0.storedType) },
            featureTypes: history.featureTypes)
        var reader = try await HistoryReader.open(history, spine: spine, groups: groups, keys: keys, on: connection)
        while let batch = try await reader.next() {
            work.rowsRead += Int64(batch.rowCount)
            try join.consume(batch)
        }
        return join.finishPart()
    }

    private mutating func probes(
        _ content: ProbeTable.Content, _ history: ViewHistory, _ spine: SpineIndex, _ spineNumber: Int,
        _ groups: Range<Int>
    ) async throws -> ProbeTable {
        let types = history.schema.joinKeys.map(\.storedType)
        let table: ProbeTable
        let isNew = tables[types] == nil
        if let known = tables[types] {
            table = known
        } else {
            table = try await ProbeTable.create(tables.count, keyTypes: types, on: connection)
            tables[types] = table
        }
        let load = Load(content: content, spine: spineNumber, groups: groups)
        if loaded[types] != load {
            loaded[types] = nil
            try await table.load(content, of: spine, groups: groups, isEmpty: isNew)
            loaded[types] = load
        }
        return table
    }
}
