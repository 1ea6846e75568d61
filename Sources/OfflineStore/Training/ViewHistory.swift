public import FeatureModel
public import PointInTime
public import PostgresClient

/// One generation of a view as a training set reads it: which features, by which rule, seen from when.
public struct ViewHistory: Sendable {
    public let table: OfflineTable
    /// The join keys, and of the features those that are asked for.
    public let schema: ViewSchema
    public let rule: JoinRule
    public private(set) var visibility: HistoryVisibility
    /// As `simplified(on:)` found it; until then everything is possible.
    private(set) var content = HistoryContent()
    /// Whether rows beyond their ttl are told from no row at all, and event times of rows are asked for.
    public let tellsAge: Bool
    /// Whether the schema versions of chosen rows are asked for.
    public let tellsVersions: Bool

    public init(
        table: OfflineTable, schema: ViewSchema, rule: JoinRule, visibility: HistoryVisibility = .current,
        tellsAge: Bool = true, tellsVersions: Bool = true
    ) {
        self.table = table
        self.schema = schema
        self.rule = rule
        self.visibility = visibility
        self.tellsAge = tellsAge
        self.tellsVersions = tellsVersions
    }

    /// This history, reading what counts now where the past that is asked for is no different, and without conditions
    /// that every row meets. For the snapshot of the running transaction only.
    public func simplified(on connection: PostgresConnection) async throws -> ViewHistory {
        var history = self
        history.visibility = try await visibility.simplified(for: table, on: connection)
        history.content = try await HistoryContent.read(of: table, on: connection)
        return history
    }

    /// Whether anything had been written by the time that is seen, or the generation was computed and came out empty.
    public func isFilled(on connection: PostgresConnection) async throws -> Bool {
        let hasArrived: PostgresQuery
        let isComputed: PostgresQuery
        switch visibility {
        case .current:
            hasArrived = "true"
            isComputed = """
                EXISTS (SELECT FROM larder.watermark m
                        WHERE m.feature_view_id = \(table.featureViewID) AND m.generation = \(table.generation)
                          AND m.stage = \(MaterializationStage.offline.rawValue) AND m.schema_version IS NOT NULL)
                """
        case .asOf(let time):
            hasArrived = "l.arrived_at <= \(PostgresTimestamp(microsecondsSince1970: time.microsecondsSince1970))"
            isComputed = "false"
        }
        return try await connection.query(
            """
            SELECT \(query: isComputed) OR EXISTS (
                SELECT FROM larder.write l
                WHERE l.feature_view_id = \(table.featureViewID) AND l.generation = \(table.generation)
                  AND \(query: hasArrived)) AS filled
            """
        ).onlyValue(as: Bool.self)
    }

    /// What a row `t` has to meet to be seen.
    var visibilityConditions: [PostgresQuery] {
        visibility.conditions(on: table, hasWithdrawnRows: content.hasWithdrawnRows)
    }

    var featureTypes: [ValueType] { schema.features.map(\.type) }

    var keyColumns: [PostgresQuery] { schema.joinKeys.indices.map(OfflineTable.keyColumn) }

    /// The one order within a key.
    static let order: [PostgresQuery] = ["event_timestamp", "recorded_timestamp", "sequence", "schema_version"]

    /// How far back an answer can matter, in microseconds; nil without a ttl.
    var reachMicroseconds: Int64? {
        guard let ttl = rule.ttlMicroseconds else { return nil }
        guard tellsAge else { return ttl }
        let (sum, overflow) = ttl.addingReportingOverflow(MaxAge.graceMicroseconds)
        return overflow ? nil : sum
    }

    /// The earliest event time that can matter to rows from `time` on; nil where there is no such bound, or where it lies
    /// before the times that PostgreSQL is sure to hold.
    func earliestEventTime(from time: Timestamp) -> Timestamp? {
        guard let reach = reachMicroseconds, time.isFinite else { return nil }
        let bound = time.advanced(byMicroseconds: -reach)
        return bound.isRepresentable ? bound : nil
    }
}
