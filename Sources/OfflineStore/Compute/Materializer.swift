public import FeatureDefinitions
public import FeatureModel
import PointInTime
public import PostgresClient
import Registry

/// Bounds of a backfill in event time, both inclusive.
public struct EventTimeBounds: Sendable {
    public let start: Timestamp?
    public let end: Timestamp?

    public init(start: Timestamp?, end: Timestamp?) {
        self.start = start
        self.end = end
    }

    public static let none = EventTimeBounds(start: nil, end: nil)

    var isBounded: Bool { start != nil || end != nil }

    func conditions(on column: PostgresQuery) -> [PostgresQuery] {
        var conditions: [PostgresQuery] = []
        if let start {
            let literal = PostgresTimestamp(microsecondsSince1970: start.microsecondsSince1970)
            conditions.append("\(query: column) >= \(literal: literal)")
        }
        if let end {
            let literal = PostgresTimestamp(microsecondsSince1970: end.microsecondsSince1970)
            conditions.append("\(query: column) <= \(literal: literal)")
        }
        return conditions
    }
}

/// What a run from raw to offline did.
public struct MaterializationResult: Sendable, Equatable {
    public var rowsRead: Int64 = 0
    public var rowsWritten: Int64 = 0
    public var rowsWithdrawn: Int64 = 0
    /// Rows of an earlier generation that the new one does not take; only where rows are copied.
    public var rowsSkipped: Int64 = 0

    public init(rowsRead: Int64 = 0, rowsWritten: Int64 = 0, rowsWithdrawn: Int64 = 0, rowsSkipped: Int64 = 0) {
        self.rowsRead = rowsRead
        self.rowsWritten = rowsWritten
        self.rowsWithdrawn = rowsWithdrawn
        self.rowsSkipped = rowsSkipped
    }
}

/// Computes a feature view from its source into its offline table: raw -> offline.
///
/// The source is read through the restricted login in one REPEATABLE READ transaction, every row passes the checks, and the
/// rows, the watermark and the ledger row commit together. A table source is followed by what has committed since the last
/// run; everything else is recomputed and compared with what is stored.
public struct Materializer: Sendable {
    let view: RegisteredFeatureView
    let version: ViewVersion
    let schema: ViewSchema
    let sql: SourceSQL
    let table: OfflineTable
    /// Versions of the generation whose rows have every feature of `version`: they need not be computed again.
    let completeVersions: Set<Int32>
    let actor: String
    let projectID: Int64

    /// - Parameter version: of the generation; the one that rows are written under.
    public init(
        view: RegisteredFeatureView, generation: GenerationState, version: ViewVersion, source: RegisteredSource,
        projectID: Int64, actor: String
    ) {
        self.view = view
        self.projectID = projectID
        self.version = version
        schema = ViewSchema(
            version: version.version, joinKeys: generation.joinKeys, features: version.features.map(\.schema))
        sql = SourceSQL(view: view, generation: generation, version: version, source: source)
        table = OfflineTable(view: view, generation: generation.number)
        let ids = Set(version.features.map(\.id))
        let complete = view.versions(ofGeneration: generation.number).filter {
            ids.isSubset(of: $0.features.lazy.map(\.id))
        }
        completeVersions = Set(complete.map(\.version))
        self.actor = actor
    }

    /// Connections of one run, each used by it alone.
    public struct Connections: Sendable {
        public let source: PostgresConnection
        public let reader: PostgresConnection
        public let writer: PostgresConnection

        public init(source: PostgresConnection, reader: PostgresConnection, writer: PostgresConnection) {
            self.source = source
            self.reader = reader
            self.writer = writer
        }
    }

    /// - Parameters:
    ///   - bounds: limit the run to a range of event time; the watermark then stays where it is.
    ///   - isFull: compare everything, also where following commits would do.
    ///   - progress: told the number of rows read so far.
    /// - Throws: `LarderError` `rows_rejected`, `duplicate_source_rows`, `source_query_failed` or
    ///   `materialization_conflict`; nothing is written then.
    public func run(
        on connections: Connections, bounds: EventTimeBounds, isFull: Bool,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> MaterializationResult {
        do {
            return try await compute(on: connections, bounds: bounds, isFull: isFull, progress: progress)
        } catch let failure as SourceFailure {
            throw await explanation(of: failure, on: connections.source)
        }
    }

    private func compute(
        on connections: Connections, bounds: EventTimeBounds, isFull: Bool,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> MaterializationResult {
        // What an earlier query may have set in this session, or locked, is not for this one.
        try await connections.source.execute("DISCARD ALL")
        return try await connections.writer.transaction(isolation: .readCommitted) { writer in
            try await WatermarkStore.lock(table, stage: .offline, on: writer)
            let incarnation = try await Incarnation.current(on: writer)
            let watermark = try await WatermarkStore.read(table, stage: .offline, incarnation: incarnation, on: writer)
            let writeID = try await WriteLedger.reserveWriteID(on: writer)
            var run = MaterializationRun(
                plan: self,
                rows: OfflineTableWriter(table: table, schema: schema, writeID: writeID, connection: writer),
                progress: progress)
            let follows =
                sql.isTable && !isFull && !bounds.isBounded && watermark.canFollow(under: completeVersions)
            let snapshot = try await connections.source.transaction(isolation: .repeatableRead, readOnly: true) {
                source in
                // Rows are sorted by key, and few sessions do this at a time.
                try await source.execute("SET LOCAL work_mem = '64MB'")
                // A query finds the project's table sources under their own names.
                try await source.execute(
                    "SET LOCAL search_path = \(identifier: ProjectSchema.sources(projectID)), public")
                let snapshot = try await currentSnapshot(on: source)
                if follows {
                    try await run.follow(since: watermark.snapshot, of: incarnation, source: source)
                } else {
                    try await connections.reader.transaction(isolation: .repeatableRead, readOnly: true) { reader in
                        try await run.compare(bounds: bounds, source: source, reader: reader)
                    }
                }
                return snapshot
            }
            let result = try await run.finish()
            try await commit(
                result, watermark: watermark, snapshot: bounds.isBounded ? nil : snapshot, writeID: writeID,
                incarnation: incarnation, on: writer)
            return result
        }
    }

    private func currentSnapshot(on source: PostgresConnection) async throws -> String {
        let rows = try await source.query(
            "SELECT pg_current_snapshot()::text AS snapshot, pg_is_in_recovery() AS is_replica")
        guard let row = rows.first else { throw PostgresError(.decoding, "no snapshot") }
        guard try !row.decode("is_replica", as: Bool.self) else {
            throw LarderError(
                .sourceQueryFailed, "\(sql.subject): the source login is connected to a replica",
                hint: "point LARDER_POSTGRES_SOURCE_URL at the primary: progress is tracked by its transactions")
        }
        return try row.decode("snapshot", as: String.self)
    }

    /// - Parameter snapshot: nil for a bounded run.
    private func commit(
        _ result: MaterializationResult, watermark: Watermark, snapshot: String?, writeID: Int64,
        incarnation: Incarnation, on writer: PostgresConnection
    ) async throws {
        let position = WatermarkStore.Position(
            snapshot: snapshot ?? watermark.snapshot, horizon: nil,
            mustCompare: snapshot == nil,
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

extension Watermark {
    /// Whether what has committed since is all there is to compute.
    /// - Parameter versions: those that lack no feature of the one rows are written under.
    fileprivate func canFollow(under versions: Set<Int32>) -> Bool {
        if mustCompare { return false }
        return run == 0 || (snapshot != nil && schemaVersion.map(versions.contains) == true)
    }
}
