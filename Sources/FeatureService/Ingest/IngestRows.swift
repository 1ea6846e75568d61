import Crypto
public import FeatureDefinitions
import FeatureModel
import OfflineStore
import PostgresClient
import TextFormats

/// Loads a file into a table source: all of its rows, or none.
public struct IngestRows: Sendable {
    public struct Request: Sendable {
        public var source: String
        /// `-` is standard input.
        public var path: String
        public var format: FrameFormat
        /// Nil takes the newest active version.
        public var schemaVersion: Int32?
        /// A further spelling of null in CSV.
        public var nullSpelling: String?

        public init(
            source: String, path: String, format: FrameFormat, schemaVersion: Int32? = nil, nullSpelling: String? = nil
        ) {
            self.source = source
            self.path = path
            self.format = format
            self.schemaVersion = schemaVersion
            self.nullSpelling = nullSpelling
        }
    }

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Parameter progress: told the number of rows read so far.
    /// - Throws: `LarderError`; the table is as it was then.
    public func run(
        _ request: Request, in project: RegisteredProject, progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> WriteReport {
        let source = try project.source(named: request.source)
        let (version, warning) = try source.ingestibleVersion(request.schemaVersion)
        var report = WriteReport(schemaVersion: version.version)
        do {
            report = try await stores.writer.withConnection { connection in
                try await connection.transaction(isolation: .readCommitted) { connection in
                    try await load(request, source, version, on: connection, progress: progress)
                }
            }
        } catch let error as PostgresError where error.constraintName == "write_idempotency" {
            report.wasThereBefore = true
        }
        WriteMetrics.countWritten(report.rowsWritten, into: .source(source.name))
        if let warning { report.warnings.append(warning) }
        return report
    }

    private func load(
        _ request: Request, _ source: RegisteredSource, _ version: SourceVersion, on connection: PostgresConnection,
        progress: @Sendable (Int64) -> Void
    ) async throws -> WriteReport {
        let shape = RawRowShape(source: source, version: version)
        let input = try ByteInput(path: request.path)
        var reader = try FrameReader(format: request.format, options: shape.readOptions(null: request.nullSpelling))
        var writer = try await RawTableWriter(source: source, version: version, on: connection)
        var verdict = RowVerdict(.source(source.name))
        var hash = SHA256()
        // What the bytes mean depends on the spelling of null too.
        hash.update(data: Array("\(source.id) \(version.version) \(request.nullSpelling ?? "")\n".utf8))
        while true {
            let bytes = try input.next()
            if bytes.isEmpty { try reader.finish() } else { try reader.feed(bytes) }
            hash.update(data: bytes)
            while let read = try reader.next() {
                let rows = try shape.rows(of: read, verdict: &verdict)
                progress(verdict.rowCount)
                guard verdict.isClean else { continue }
                try await writer.append(
                    columns: rows.columns, tombstones: rows.tombstones, rowCount: read.batch.rowCount)
            }
            if bytes.isEmpty { break }
        }
        try shape.checkHeader(of: reader)
        if !verdict.isClean { WriteMetrics.countRejected(verdict.reasons, of: verdict.target) }
        try verdict.check()
        let result = try await writer.finish(actor: stores.actor, idempotencyKey: Array(hash.finalize()))
        return WriteReport(
            schemaVersion: version.version, rowsWritten: result.rowsWritten, rowsReplaced: result.rowsWithdrawn)
    }
}

extension RegisteredSource {
    /// The version a load is for, and a warning where it is deprecated.
    /// - Throws: `source_not_ingestible`, or `schema_version_mismatch` with the difference to the newest active version.
    fileprivate func ingestibleVersion(_ number: Int32?) throws(LarderError) -> (SourceVersion, String?) {
        guard kind == .table else {
            throw LarderError(
                .sourceNotIngestible, "source \"\(name)\" is of type \(kind.name), which takes no files",
                hint: "only sources of type table do")
        }
        return try writableVersion(number)
    }
}
