import FeatureModel
import PointInTime
import PostgresClient

/// Has PostgreSQL look up the right row for each probe, through the index over the one order.
struct SeekReader {
    private let copy: PostgresCopyOut
    private let featureTypes: [ValueType]
    private let hasEventTimes: Bool
    private let hasVersions: Bool

    /// - Parameters:
    ///   - probes: loaded with times.
    ///   - earliest: of the spine's timestamps that are probed.
    static func open(
        _ history: ViewHistory, probes: ProbeTable, earliest: Timestamp, on connection: PostgresConnection
    ) async throws -> SeekReader {
        let select = select(history, probes: probes, earliest: earliest)
        return SeekReader(
            copy: try await connection.beginCopyOut("COPY (\(query: select)) TO STDOUT (FORMAT binary)"),
            featureTypes: history.featureTypes, hasEventTimes: needsEventTimes(history, earliest),
            hasVersions: history.tellsVersions)
    }

    /// Each column of the answer costs about as much as the next; what all answers have in common is left out.
    private static func needsEventTimes(_ history: ViewHistory, _ earliest: Timestamp) -> Bool {
        history.tellsAge || (history.rule.ttlMicroseconds != nil && history.earliestEventTime(from: earliest) == nil)
    }

    /// Rows come in the order of the probes: a nested loop over a table that one statement filled.
    private static func select(_ history: ViewHistory, probes: ProbeTable, earliest: Timestamp) -> PostgresQuery {
        let features = history.schema.features.enumerated().map { index, feature -> PostgresQuery in
            "\(query: history.table.reading(feature, of: "t")) AS \(identifier: "v\(index)")"
        }
        var conditions = history.keyColumns.map { "t.\(query: $0) = p.\(query: $0)" as PostgresQuery }
        conditions.append("t.event_timestamp <= p.t")
        if let reach = history.reachMicroseconds, history.earliestEventTime(from: earliest) != nil {
            conditions.append("t.event_timestamp >= p.t - \(query: interval(reach))")
        }
        switch history.rule.knownBy {
        case .eventTime: break
        case .recorded: conditions.append("t.recorded_timestamp <= p.t")
        case .arrival(let lag): conditions.append("t.ingested_at + \(query: interval(lag)) <= p.t")
        }
        conditions += history.visibilityConditions
        // The condition on the winner is a step of its own in PostgreSQL's plan, which every row takes.
        let hasTombstones = history.content.hasTombstones
        let inner: [PostgresQuery] =
            ["t.event_timestamp", "t.schema_version"] + (hasTombstones ? ["t.is_deleted"] : []) + features
        let outer =
            ["p.position"] + (needsEventTimes(history, earliest) ? ["f.event_timestamp"] : [])
            + (history.tellsVersions ? ["f.schema_version"] : [])
            + features.indices.map { "f.\(identifier: "v\($0)")" as PostgresQuery }
        let newestFirst = ViewHistory.order.map { "t.\(query: $0) DESC" as PostgresQuery }
        return """
            SELECT \(query: outer.joined(separator: ", ")) FROM \(query: probes.table) p CROSS JOIN LATERAL (
                SELECT \(query: inner.joined(separator: ", ")) FROM \(query: history.table.table) t
                WHERE \(query: conditions.joined(separator: " AND "))
                ORDER BY \(query: newestFirst.joined(separator: ", ")) LIMIT 1
            ) f\(query: hasTombstones ? " WHERE NOT f.is_deleted" : "")
            """
    }

    /// As hours, minutes and seconds, which no version of PostgreSQL turns into days.
    private static func interval(_ microseconds: Int64) -> PostgresQuery {
        let seconds = microseconds / 1_000_000
        let text =
            "\(seconds / 3_600):\(seconds / 60 % 60):\(seconds % 60).\(String(1_000_000 + microseconds % 1_000_000).dropFirst())"
        return "\(literal: text)::interval"
    }

    /// The next answers; nil at the end.
    func next() async throws -> AsOfSeek.Answers? {
        guard let chunk = try await copy.next() else { return nil }
        var positions: [Int32] = []
        var eventTimes: [Int64] = []
        var versions: [Int32] = []
        var features = featureTypes.map { Column(type: $0) }
        positions.reserveCapacity(chunk.rowCount)
        if hasEventTimes { eventTimes.reserveCapacity(chunk.rowCount) }
        if hasVersions { versions.reserveCapacity(chunk.rowCount) }
        for index in features.indices { features[index].reserveCapacity(chunk.rowCount) }
        try chunk.forEachRow { row in
            positions.append(try row.nextInt32().required())
            if hasEventTimes { eventTimes.append(try row.nextTimestamp().required().microsecondsSince1970) }
            if hasVersions { versions.append(try row.nextInt32().required()) }
            for index in features.indices { try features[index].append(nextOf: &row) }
        }
        return AsOfSeek.Answers(
            positions: positions, eventTimes: hasEventTimes ? eventTimes : nil,
            schemaVersions: hasVersions ? versions : nil, features: features)
    }
}
