public import FeatureDefinitions
import FeatureModel
import PointInTime
public import PostgresClient
import Registry

/// Fills a generation of pushed rows from the one before it: what nobody can compute again is copied. Rows that the new
/// generation's version would refuse stay behind; later pushes into the old generation follow, and so do withdrawals.
///
/// A copy keeps its place in the one order but for the schema version, and its arrival.
public struct CopyGeneration: Sendable {
    let view: RegisteredFeatureView
    let version: ViewVersion
    let schema: ViewSchema
    let table: OfflineTable
    let actor: String
    /// Nil for a first generation, or when no earlier one has the same join keys.
    let predecessor: GenerationState?

    /// - Parameters:
    ///   - generation: to fill.
    ///   - version: of the generation; the one that rows are written under.
    public init(view: RegisteredFeatureView, generation: GenerationState, version: ViewVersion, actor: String) {
        self.view = view
        self.version = version
        self.actor = actor
        schema = ViewSchema(
            version: version.version, joinKeys: generation.joinKeys, features: version.features.map(\.schema))
        table = OfflineTable(view: view, generation: generation.number)
        predecessor = view.predecessor(of: generation)
    }

    /// - Parameters:
    ///   - reader: reads the earlier generation; on the primary, as `writer` is.
    ///   - bounds: limit the run to a range of event time; the watermark then stays where it is.
    ///   - isFull: look at every row, also where following commits would do.
    ///   - progress: told the number of rows read so far.
    /// - Returns: in `rowsSkipped` how many rows were looked at and did not pass the checks.
    /// - Throws: `materialization_conflict`; nothing is written then.
    public func run(
        reader: PostgresConnection, writer: PostgresConnection, bounds: EventTimeBounds, isFull: Bool,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> MaterializationResult {
        try await writer.transaction(isolation: .readCommitted) { writer in
            try await WatermarkStore.lock(table, stage: .offline, on: writer)
            let incarnation = try await Incarnation.current(on: writer)
            let watermark = try await WatermarkStore.read(table, stage: .offline, incarnation: incarnation, on: writer)
            let writeID = try await WriteLedger.reserveWriteID(on: writer)
            var copy = GenerationCopy(
                plan: self,
                rows: OfflineTableWriter(table: table, schema: schema, writeID: writeID, connection: writer),
                progress: progress)
            let follows = !isFull && !bounds.isBounded && !watermark.mustCompare && watermark.snapshot != nil
            let isFirst = watermark.run == 0 && !bounds.isBounded
            let snapshot = try await reader.transaction(isolation: .repeatableRead, readOnly: true) { reader in
                let snapshot = try await reader.query("SELECT pg_current_snapshot()::text AS snapshot")
                    .onlyValue(as: String.self)
                if let predecessor {
                    let scope: GenerationCopy.Scope =
                        if follows, let since = watermark.snapshot {
                            .since(snapshot: since, incarnation: incarnation)
                        } else if isFirst {
                            .everything
                        } else {
                            .missing(bounds)
                        }
                    try await copy.run(from: predecessor, scope, reader: reader)
                }
                return snapshot
            }
            let result = try await copy.finish()
            try await commit(
                result, watermark: watermark, snapshot: bounds.isBounded ? nil : snapshot, writeID: writeID,
                incarnation: incarnation, on: writer)
            return result
        }
    }

    /// - Parameter snapshot: nil for a bounded run.
    private func commit(
        _ result: MaterializationResult, watermark: Watermark, snapshot: String?, writeID: Int64,
        incarnation: Incarnation, on writer: PostgresConnection
    ) async throws {
        let position = WatermarkStore.Position(
            snapshot: snapshot ?? watermark.snapshot, horizon: nil, mustCompare: snapshot == nil,
            schemaVersion: snapshot == nil ? watermark.schemaVersion : schema.version)
        try await WatermarkStore.move(
            table, stage: .offline, from: watermark, to: position, incarnation: incarnation, on: writer)
        guard result.rowsWritten > 0 || result.rowsWithdrawn > 0 else { return }
        try await WriteLedger.record(
            WriteRecord(
                kind: .materialize, target: .featureView(view.id, generation: table.generation), actor: actor,
                schemaVersion: schema.version),
            id: writeID, incarnation: incarnation, rowsWritten: result.rowsWritten,
            rowsWithdrawn: result.rowsWithdrawn, on: writer)
    }
}

/// One copy under way.
private struct GenerationCopy {
    enum Scope {
        /// Into a generation that was never filled.
        case everything
        /// What committed since the snapshot.
        case since(snapshot: String, incarnation: Incarnation)
        /// What the new generation has no row for at its place.
        case missing(EventTimeBounds)
    }

    private let plan: CopyGeneration
    private let checker: RowChecker
    private let progress: @Sendable (Int64) -> Void
    private var rows: OfflineTableWriter
    private var rowsRead: Int64 = 0
    private var rowsSkipped: Int64 = 0

    init(plan: CopyGeneration, rows: OfflineTableWriter, progress: @escaping @Sendable (Int64) -> Void) {
        self.plan = plan
        self.rows = rows
        self.progress = progress
        checker = RowChecker(
            rules: plan.version.features.map {
                .init(name: $0.name, isNullable: $0.schema.isNullable, expectation: $0.expectation)
            })
    }

    mutating func run(
        from predecessor: GenerationState, _ scope: Scope, reader: PostgresConnection
    ) async throws {
        let source = OfflineTable(view: plan.view, generation: predecessor.number)
        let reading = CopiedFeatures(plan.version, of: plan.view, from: predecessor.number)
        let schema = ViewSchema(
            version: plan.schema.version, joinKeys: plan.schema.joinKeys, features: reading.readFeatures)
        if let condition = withdrawn(scope, source) {
            let select = StoredRowStream.select(from: source, schema: schema, where: [condition])
            var stream = try await StoredRowStream.open(select, schema: schema, on: reader)
            while let batch = try await stream.next() {
                for row in 0..<batch.rows.rowCount { try await rows.withdraw(batch.rows, row: row) }
            }
        }
        let select = StoredRowStream.select(from: source, schema: schema, where: wanted(scope, source))
        var stream = try await StoredRowStream.open(select, schema: schema, on: reader)
        while let batch = try await stream.next() { try await copy(reading.converted(batch.rows)) }
    }

    private mutating func copy(_ batch: HistoryBatch) async throws {
        var bad: Set<Int> = []
        checker.check(
            batch.features, firstRow: Int(rowsRead) + 1, isTombstone: { batch.tombstones[$0] },
            report: { row, _ in bad.insert(row) })
        for row in 0..<batch.rowCount where !bad.contains(row) { try await rows.append(batch, row: row) }
        rowsRead += Int64(batch.rowCount)
        rowsSkipped += Int64(bad.count)
        progress(rowsRead)
    }

    private func wanted(_ scope: Scope, _ source: OfflineTable) -> [PostgresQuery] {
        let counts: PostgresQuery = "t.withdrawn_by IS NULL"
        switch scope {
        case .everything: return [counts]
        case .since(let snapshot, let incarnation):
            let writes = WriteLedger.writes(into: source, since: snapshot, incarnation)
            return [counts, "t.write_id IN (\(query: writes))"]
        case .missing(let bounds):
            return [counts, "NOT EXISTS (\(query: copies))"] + bounds.conditions(on: "t.event_timestamp")
        }
    }

    /// Rows whose copies have to go; nil where there are no copies.
    private func withdrawn(_ scope: Scope, _ source: OfflineTable) -> PostgresQuery? {
        switch scope {
        case .everything: return nil
        case .since(let snapshot, let incarnation):
            return "t.withdrawn_by IN (\(query: WriteLedger.writes(into: source, since: snapshot, incarnation)))"
        case .missing: return "t.withdrawn_by IS NOT NULL AND EXISTS (\(query: copies) AND n.withdrawn_by IS NULL)"
        }
    }

    /// Rows of the new generation at the place of `t`. Sequences are drawn once, so that only a copy can be there.
    private var copies: PostgresQuery {
        let place =
            plan.schema.joinKeys.indices.map(OfflineTable.keyColumn) + [
                "event_timestamp", "recorded_timestamp", "sequence",
            ]
        let matches = place.map { "n.\(query: $0) = t.\(query: $0)" as PostgresQuery }
        return "SELECT FROM \(query: plan.table.table) n WHERE \(query: matches.joined(separator: " AND "))"
    }

    mutating func finish() async throws -> MaterializationResult {
        try await rows.flush()
        return MaterializationResult(
            rowsRead: rowsRead, rowsWritten: rows.rowsWritten, rowsWithdrawn: rows.rowsWithdrawn,
            rowsSkipped: rowsSkipped)
    }
}

/// How the features of a version are read off rows of an earlier generation: by id, in the widest type that they had there.
private struct CopiedFeatures {
    private let wanted: [RegisteredFeature]
    /// One for each of `wanted` that the earlier generation has in a type that can be widened.
    let readFeatures: [FeatureSchema]
    /// For each of `wanted`, its place in `readFeatures`.
    private let places: [Int?]
    /// By version of the earlier generation, the ids its rows have.
    private let ids: [Int32: Set<Int32>]

    init(_ version: ViewVersion, of view: RegisteredFeatureView, from generation: Int32) {
        wanted = version.features
        let versions = view.versions(ofGeneration: generation)
        var readFeatures: [FeatureSchema] = []
        var places: [Int?] = []
        for feature in version.features {
            let former = versions.last { $0.feature(id: feature.id) != nil }?.feature(id: feature.id)
            if let former, feature.type.acceptsOnWrite(former.type) {
                places.append(readFeatures.count)
                readFeatures.append(former.schema)
            } else {
                places.append(nil)
            }
        }
        self.readFeatures = readFeatures
        self.places = places
        ids = Dictionary(uniqueKeysWithValues: versions.map { ($0.version, Set($0.features.map(\.id))) })
    }

    /// The rows with the wanted features; where a row's own version lacks one, its default, or null.
    func converted(_ batch: HistoryBatch) -> HistoryBatch {
        HistoryBatch(
            keyColumns: batch.keyColumns, eventTimes: batch.eventTimes, recordedTimes: batch.recordedTimes,
            sequences: batch.sequences, schemaVersions: batch.schemaVersions, arrivals: batch.arrivals,
            tombstones: batch.tombstones, features: wanted.indices.map { column(of: wanted[$0], at: places[$0], batch) }
        )
    }

    private func column(of feature: RegisteredFeature, at place: Int?, _ batch: HistoryBatch) -> Column {
        // An integer that no float64 holds becomes a null, which the row check then judges.
        let stored = place.flatMap { batch.features[$0].widened(to: feature.type, onLoss: { _ in }) }
        let absent = feature.schema.defaultValue ?? .null
        var result = Column(type: feature.type)
        result.reserveCapacity(batch.rowCount)
        for row in 0..<batch.rowCount {
            if let stored, ids[batch.schemaVersions[row]]?.contains(feature.id) == true {
                result.append(from: stored, row: row)
            } else {
                result.append(absent)
            }
        }
        return result
    }
}
