public import FeatureDefinitions
import FeatureModel
import OnlineStore
import PostgresClient
public import TextFormats

/// Writes rows straight into a feature view of a push source, and publishes them.
///
/// The rows are in PostgreSQL when `run` returns: all of them in one transaction with their ledger row. Publishing comes
/// after that and may be left to the next materialize.
public struct WriteViewRows: Sendable {
    public enum Rows: Sendable {
        /// `-` is standard input.
        case file(path: String, FrameFormat)
        case payload(RowPayload)
    }

    public struct Request: Sendable {
        public var view: String
        public var rows: Rows
        /// Nil takes the newest active version of the current generation.
        public var schemaVersion: Int32?
        public var mode: WriteMode
        public var destination: WriteDestination
        /// A second write with the same one into the same generation writes nothing, and is refused unless it is the
        /// same write. Nil makes each write count.
        public var idempotencyKey: String?
        /// A further spelling of null in CSV.
        public var nullSpelling: String?

        public init(
            view: String, rows: Rows, schemaVersion: Int32? = nil, mode: WriteMode = .allOrNothing,
            destination: WriteDestination = .both, idempotencyKey: String? = nil, nullSpelling: String? = nil
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
    ///   `request_invalid` for an idempotency key that is none, `rows_rejected`, `idempotency_key_reused`, and what reading
    ///   the rows throws; nothing is written then.
    public func run(
        _ request: Request, in project: RegisteredProject, progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> ViewWriteReport {
        let view = try project.featureView(named: request.view)
        let (push, warning) = try PushTarget.choose(view, request.schemaVersion, in: project)
        let identity = try WriteIdentity(key: request.idempotencyKey, request.terms)
        var written = Written(report: WriteReport(schemaVersion: push.version.version))
        do {
            written = try await stores.writer.withConnection { connection in
                try await connection.transaction(isolation: .readCommitted) { connection in
                    try await write(request, identity, to: push, in: project, on: connection, progress: progress)
                }
            }
        } catch let taken as IdempotencyKeyTaken {
            // Its rows may not be published yet.
            written.writeID = try await stores.earlierWrite(taken, into: push.target)
            written.report.wasThereBefore = true
        } catch let error as PostgresError {
            throw push.translated(error)
        }
        WriteMetrics.countWritten(written.report.rowsWritten, into: push.target)
        WriteMetrics.countRejected(written.report.reasons, of: push.target)
        if let warning { written.report.warnings.append(warning) }
        var report = ViewWriteReport(write: written.report, generation: push.home.generation.number)
        let hasRows = written.report.rowsWritten > 0 || written.report.wasThereBefore
        guard request.destination != .offline, hasRows else { return report }
        guard view.isOnline else {
            if let warning = request.destination.warning(about: view) { report.write.warnings.append(warning) }
            return report
        }
        guard let writeID = written.writeID else { return report }
        report.online = await PublishWrittenRows(stores: stores, project: project, home: push.home)
            .run(written.newest, ofWrites: [writeID])
        return report
    }

    private struct Written {
        var report: WriteReport
        /// Nil when nothing is known to be written.
        var writeID: Int64?
        /// Nil when they are to be read from the table.
        var newest: [OnlineBatch]?
    }

    private func write(
        _ request: Request, _ identity: WriteIdentity, to push: PushTarget, in project: RegisteredProject,
        on connection: PostgresConnection, progress: @Sendable (Int64) -> Void
    ) async throws -> Written {
        let writer = try await PushedRowWriter(push, on: connection)
        var load = try RowLoad(
            RowLoadRequest(
                format: request.rows.format, nullSpelling: request.nullSpelling, mode: request.mode,
                identity: identity, projectID: project.id, actor: stores.actor, array: request.rows.array,
                maximumRows: request.rows.maximumRows),
            into: writer, on: connection)
        do {
            try await feed(request.rows, to: &load, progress: progress)
            return Written(
                report: try await load.finish(), writeID: load.writer.writeID, newest: load.writer.newest.batches)
        } catch let error as LarderError where error.code == .rowsRejected {
            WriteMetrics.countRejected(load.verdict.reasons, of: push.target)
            throw error
        }
    }

    private func feed(
        _ rows: Rows, to load: inout RowLoad<PushedRowWriter>, progress: @Sendable (Int64) -> Void
    ) async throws {
        switch rows {
        case .payload(let payload):
            if !payload.bytes.isEmpty { try await load.take(payload.bytes, progress: progress) }
            try await load.take([], progress: progress)
        case .file(let path, _):
            let input = try ByteInput(path: path)
            while true {
                let bytes = try input.next()
                try await load.take(bytes, progress: progress)
                if bytes.isEmpty { break }
            }
        }
    }
}

extension WriteViewRows.Request {
    var terms: WriteTerms {
        WriteTerms(
            format: rows.format, isArray: rows.array != nil, nullSpelling: nullSpelling, schemaVersion: schemaVersion,
            mode: mode, destination: destination)
    }
}

extension WriteViewRows.Rows {
    fileprivate var format: FrameFormat {
        switch self {
        case .file(_, let format): format
        case .payload(let payload): payload.format
        }
    }

    fileprivate var array: Range<Int>? {
        switch self {
        case .file: nil
        case .payload(let payload): payload.array
        }
    }

    fileprivate var maximumRows: Int {
        switch self {
        case .file: .max
        case .payload(let payload): payload.maximumRows
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
        return .object(members + online.members)
    }
}
