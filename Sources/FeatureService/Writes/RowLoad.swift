import Crypto
import FeatureModel
import OfflineStore
import PostgresClient
import TextFormats

/// How the rows of one write come and what is to become of them.
struct RowLoadRequest: Sendable {
    var format: FrameFormat
    /// A further spelling of null in CSV.
    var nullSpelling: String?
    var mode: WriteMode
    var identity: WriteIdentity
    var projectID: Int64
    var actor: String
    /// Of JSON whose elements are the rows, in the bytes of the write, which then come in one piece; nil where the bytes
    /// are rows from end to end.
    var array: Range<Int>?
    /// How many rows there may be.
    var maximumRows = Int.max
}

/// One write under way: bytes are read, rows judged, the good ones written and, in a partial write, the bad ones
/// quarantined; all of it in the caller's transaction.
struct RowLoad<Writer: RowWriter> {
    private let request: RowLoadRequest
    private let connection: PostgresConnection
    private(set) var writer: Writer
    private var reader: RowReader
    private var quarantine: QuarantineWriter
    /// Over the bytes of the rows, where the write counts once.
    private var hash: SHA256?
    private(set) var verdict: RowVerdict

    /// - Throws: when the target's time zone is unknown.
    init(_ request: RowLoadRequest, into writer: Writer, on connection: PostgresConnection) throws(LarderError) {
        self.request = request
        self.connection = connection
        self.writer = writer
        let choices = RowReadChoices(nullSpelling: request.nullSpelling, keepsRecords: request.mode == .partial)
        reader = try RowReader(
            format: request.format, array: request.array, maximumRows: request.maximumRows,
            options: writer.readOptions(choices))
        verdict = RowVerdict(writer.target, keepsReasons: request.mode == .partial)
        quarantine = QuarantineWriter(
            QuarantineOrigin(
                projectID: request.projectID, target: writer.ledgerTarget, schemaVersion: writer.schemaVersion,
                writeID: writer.writeID, actor: request.actor, format: QuarantineFormat(request.format),
                nullSpelling: request.nullSpelling))
        switch request.identity {
        case .bytes:
            var hash = SHA256()
            // What the bytes mean depends on the spelling of null too.
            hash.update(
                data: Array(
                    "\(writer.ledgerTarget.id) \(writer.schemaVersion) \(request.nullSpelling ?? "")\n".utf8))
            self.hash = hash
        case .key(let key, let terms): hash = terms.hash(underKey: key, into: writer.ledgerTarget)
        case .none: break
        }
    }

    /// Takes the next bytes; none says that the input has ended.
    /// - Parameter progress: told the number of rows read so far.
    /// - Throws: what makes the whole input unusable.
    mutating func take(_ bytes: [UInt8], progress: (Int64) -> Void = { _ in }) async throws {
        if bytes.isEmpty { reader.finish() } else { reader.feed(bytes) }
        if let array = request.array, !bytes.isEmpty {
            hash?.update(data: bytes[array])
        } else {
            hash?.update(data: bytes)
        }
        while let read = try reader.next() {
            try await writer.write(read, mode: request.mode, verdict: &verdict)
            progress(verdict.rowCount)
            guard request.mode == .partial, !verdict.badRows.isEmpty else { continue }
            try Quarantine.add(verdict.badRows, of: read, header: reader.frames.header, to: &quarantine)
            if quarantine.isFull { try await flushQuarantine() }
        }
    }

    private mutating func flushQuarantine() async throws {
        try await writer.endCopy()
        try await quarantine.flush(on: connection)
    }

    /// Records the write, once the input has ended.
    /// - Throws: `rows_rejected`, unless the write is partial; `IdempotencyKeyTaken` when an earlier one has its key.
    mutating func finish() async throws -> WriteReport {
        try writer.checkHeader(of: reader.frames)
        if request.mode == .allOrNothing { try verdict.check() }
        try await flushQuarantine()
        let rows = try await record()
        return WriteReport(
            schemaVersion: writer.schemaVersion, rowsWritten: rows.written, rowsReplaced: rows.replaced,
            rowsOutdated: rows.outdated, rowsQuarantined: quarantine.rowCount, violations: verdict.violations,
            violationCount: verdict.violationCount, reasons: verdict.reasons)
    }

    private mutating func record() async throws -> WrittenRows {
        let key = idempotencyKey
        do {
            return try await writer.finish(actor: request.actor, idempotencyKey: key)
        } catch let error as PostgresError {
            guard let key, let constraint = error.constraintName,
                WriteLedger.idempotencyConstraints.contains(constraint)
            else { throw error }
            var name: String?
            if case .key(let text, _) = request.identity { name = text }
            throw IdempotencyKeyTaken(name: name, key: key, target: writer.ledgerTarget)
        }
    }

    private var idempotencyKey: IdempotencyKey? {
        guard let digest = hash.map({ Array($0.finalize()) }) else { return nil }
        switch request.identity {
        case .none: return nil
        case .bytes: return IdempotencyKey(digest: digest, requestDigest: nil)
        case .key(let key, _):
            return IdempotencyKey(
                digest: WriteIdentity.digest(ofKey: key, for: writer.ledgerTarget), requestDigest: digest)
        }
    }
}

extension String {
    /// A message that ends with `(line 3)` or `(line 3, column 5)`, with another line there; without the place for nil.
    func movingPlace(_ line: (Int) -> Int?) -> String {
        guard let place = firstMatch(of: #/ \(line (\d+)((?:, column \d+)?)\)$/#), let found = Int(place.1) else {
            return self
        }
        let rest = self[..<place.range.lowerBound]
        return line(found).map { "\(rest) (line \($0)\(place.2))" } ?? String(rest)
    }
}

extension WriteRecord.Target {
    /// The id of the source or the view.
    var id: Int64 {
        switch self {
        case .source(let id): id
        case .featureView(let id, _): id
        }
    }
}

extension LarderError {
    /// What PostgreSQL's refusal of a write means where the version was retired after it had been chosen.
    init?(retiring error: PostgresError, version: Int32, of target: WriteTarget) {
        guard error.constraintName == "writable_versions" else { return nil }
        self.init(
            .schemaVersionMismatch, "version \(version) of \(target) has just been retired and takes no rows",
            hint: "write rows of a version that is active")
    }
}
