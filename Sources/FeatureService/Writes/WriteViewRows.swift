public import FeatureDefinitions
import FeatureModel
import OfflineStore
import PostgresClient
import PointInTime
public import TextFormats

/// Writes rows straight into a feature view of a push source, and publishes them.
///
/// The rows are in PostgreSQL when `run` returns: all of them in one transaction with their ledger row. Publishing comes
/// after that and may be left to the next materialize.
public struct WriteViewRows: Sendable {
    public struct Request: Sendable {
        public var view: String
        public var rows: RowInput
        /// Nil takes the newest active version of the current generation.
        public var schemaVersion: Int32?
        public var mode: WriteMode
        public var destination: WriteDestination
        /// A second write with the same one into the same generation writes nothing.
        public var idempotencyKey: [UInt8]?
        /// A further spelling of null in CSV.
        public var nullSpelling: String?

        public init(
            view: String, rows: RowInput, schemaVersion: Int32? = nil, mode: WriteMode = .allOrNothing,
            destination: WriteDestination = .both, idempotencyKey: [UInt8]? = nil, nullSpelling: String? = nil
        ) {
            self.view = view
            self.rows = rows
            self.schemaVersion = schemaVersion
            self.mode = mode
            self.destination = destination
            self.idempotencyKey = idempotencyKey
            self.nullSpelling = nullSpelling
        }
    }

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Parameter progress: told the number of rows read so far.
    /// - Throws: `LarderError` `feature_view_not_found`, `feature_view_not_writable`, `schema_version_mismatch`,
    ///   `rows_rejected`, and what reading the rows throws; nothing is written then.
    public func run(
        _ request: Request, in project: RegisteredProject, progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> ViewWriteReport {
        let view = try project.featureView(named: request.view)
        let (target, warning) = try PushTarget.choose(view, request.schemaVersion, in: project)
        var written = Written(report: WriteReport(schemaVersion: target.version.version))
        do {
            written = try await stores.writer.withConnection { connection in
                try await connection.transaction(isolation: .readCommitted) { connection in
                    try await write(request, to: target, on: connection, progress: progress)
                }
            }
        } catch let error as PostgresError where error.constraintName == "write_view_idempotency" {
            written.report.wasThereBefore = true
            written.writeID = try await earlierWrite(request, target)
        } catch let error as PostgresError where error.sqlState == .checkViolation {
            throw target.changedMeanwhile
        }
        WriteMetrics.countWritten(written.report.rowsWritten, into: .featureView(view.name))
        if let warning { written.report.warnings.append(warning) }
        var report = ViewWriteReport(write: written.report, generation: target.home.generation.number)
        guard request.destination != .offline else { return report }
        guard view.isOnline else {
            report.write.warnings.append("feature view \"\(view.name)\" is not online; nothing was published")
            return report
        }
        guard let writeID = written.writeID else { return report }
        report.online = await PublishWrittenRows(stores: stores, project: project, home: target.home)
            .run(written.newest?.batches, ofWrite: writeID)
        return report
    }

    private struct Written {
        var report: WriteReport
        /// Nil when nothing is known to be written.
        var writeID: Int64?
        /// Nil when they were written earlier.
        var newest: NewestRows?
    }

    private func write(
        _ request: Request, to target: PushTarget, on connection: PostgresConnection,
        progress: @Sendable (Int64) -> Void
    ) async throws -> Written {
        let shape = target.shape
        var input = try RowInputReader(request.rows, options: shape.readOptions(null: request.nullSpelling))
        var writer = try await ViewRowWriter(view: target.home.view, version: target.version, on: connection)
        var verdict = RowVerdict(.featureView(target.home.view.name))
        var newest = NewestRows(schema: target.schema)
        while let read = try input.next() {
            let (rows, violations) = try shape.rows(of: read, now: try await writer.now())
            verdict.add(rows: read.batch.rowCount, firstRow: read.firstRow, violations: violations)
            progress(verdict.rowCount)
            guard verdict.isClean else { continue }
            try newest.add(try await writer.append(rows))
        }
        if input.reader.isTyped, let fields = input.reader.fields { try shape.check(fields) }
        if !verdict.isClean { WriteMetrics.countRejected(verdict.reasons, of: verdict.target) }
        try verdict.check()
        let rowsWritten = try await writer.finish(actor: stores.actor, idempotencyKey: request.idempotencyKey)
        return Written(
            report: WriteReport(schemaVersion: target.version.version, rowsWritten: rowsWritten),
            writeID: writer.writeID, newest: newest)
    }

    /// The write that had the idempotency key first. Its rows may not be published yet.
    private func earlierWrite(_ request: Request, _ target: PushTarget) async throws -> Int64? {
        guard let key = request.idempotencyKey else { return nil }
        return try await stores.writer.withConnection { connection in
            try await WriteLedger.writeID(
                featureViewID: target.home.view.id, generation: target.home.generation.number, idempotencyKey: key,
                on: connection)
        }
    }
}

/// What a push did.
public struct ViewWriteReport: Sendable {
    public var write: WriteReport
    /// The generation that the rows went into: that of their version.
    public let generation: Int32
    public var online: OnlineOutcome

    init(write: WriteReport, generation: Int32, online: OnlineOutcome = .none) {
        self.write = write
        self.generation = generation
        self.online = online
    }

    /// The report as JSON, the same over HTTP and from the command line.
    public var document: JSONValue {
        guard case .object(var members) = write.document else { return write.document }
        members.insert(.init("generation", .integer(generation)), at: 1)
        members.append(.init("online", .string(online.name)))
        if case .pending(let reason) = online {
            var reasons: [JSONValue.Member] = [
                .init("code", .string(reason.code.name)), .init("detail", .string(reason.message)),
            ]
            if let hint = reason.hint { reasons.append(.init("hint", .string(hint))) }
            members.append(.init("online_pending", .object(reasons)))
        }
        return .object(members)
    }
}
