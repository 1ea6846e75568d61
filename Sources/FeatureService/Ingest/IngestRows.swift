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

    public struct Result: Sendable, Equatable {
        public let schemaVersion: Int32
        public let rowsWritten: Int64
        public let rowsReplaced: Int64
        /// The same bytes were ingested into this version before; nothing was written now.
        public let wasThereBefore: Bool
    }

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Parameter progress: told the number of rows read so far.
    /// - Throws: `LarderError`; the table is as it was then.
    public func run(
        _ request: Request, in project: RegisteredProject, progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> Result {
        let source = try project.source(named: request.source)
        let version = try source.ingestibleVersion(request.schemaVersion)
        do {
            return try await stores.writer.withConnection { connection in
                try await connection.transaction(isolation: .readCommitted) { connection in
                    try await load(request, source, version, on: connection, progress: progress)
                }
            }
        } catch let error as PostgresError where error.constraintName == "write_idempotency" {
            return Result(schemaVersion: version.version, rowsWritten: 0, rowsReplaced: 0, wasThereBefore: true)
        }
    }

    private func load(
        _ request: Request, _ source: RegisteredSource, _ version: SourceVersion, on connection: PostgresConnection,
        progress: @Sendable (Int64) -> Void
    ) async throws -> Result {
        let shape = RawRowShape(source: source, version: version)
        let input = try ByteInput(path: request.path)
        var reader = try FrameReader(format: request.format, options: shape.readOptions(null: request.nullSpelling))
        var writer = try await RawTableWriter(source: source, version: version, on: connection)
        var verdict = RowVerdict()
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
        try verdict.check(source: source.name)
        let result = try await writer.finish(actor: stores.actor, idempotencyKey: Array(hash.finalize()))
        return Result(
            schemaVersion: version.version, rowsWritten: result.rowsWritten, rowsReplaced: result.rowsWithdrawn,
            wasThereBefore: false)
    }
}

extension RegisteredSource {
    /// The version a load is for.
    /// - Throws: `source_not_ingestible`, or `schema_version_mismatch` with the versions there are.
    fileprivate func ingestibleVersion(_ number: Int32?) throws(LarderError) -> SourceVersion {
        guard kind == .table else {
            throw LarderError(
                .sourceNotIngestible, "source \"\(name)\" is of type \(kind.name), which takes no files",
                hint: "only sources of type table do")
        }
        let active = versions.filter { $0.state == .active }
        let chosen =
            number.map { number in versions.last { $0.version == number && $0.state != .retired } } ?? active.last
        guard let chosen else {
            let known = active.map { String($0.version) }.joined(separator: ", ")
            throw LarderError(
                .schemaVersionMismatch, "source \"\(name)\" takes no version \(number.map(String.init) ?? "at all")",
                hint: "active versions: \(known)")
        }
        return chosen
    }
}

/// What is wrong with the rows of a load so far.
struct RowVerdict {
    private(set) var rowCount: Int64 = 0
    private var violationCount = 0
    private var badRows = 0
    private var violations: [RowViolation] = []

    var isClean: Bool { violationCount == 0 }

    mutating func add(rows: Int, violations found: [RowViolation]) {
        rowCount += Int64(rows)
        violationCount += found.count
        badRows += Set(found.map(\.row)).count
        violations += found.prefix(RowViolation.maximumReported - violations.count)
    }

    /// - Throws: `rows_rejected` with every reason of the first rows, and exact counts.
    func check(source: String) throws(LarderError) {
        guard !isClean else { return }
        let reasons = violationCount == 1 ? "1 reason" : "\(violationCount) reasons"
        throw LarderError(
            .rowsRejected,
            "\(badRows) of \(rowCount) rows for source \"\(source)\" are refused for \(reasons); nothing was written",
            hint: "correct the rows and ingest the file again", rows: violations, violationCount: violationCount)
    }
}
