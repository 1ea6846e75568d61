import FeatureDefinitions
import FeatureModel
import OfflineStore
import PostgresClient
import TextFormats

/// Judges and writes rows of a table source.
struct SourceRowWriter: RowWriter {
    let target: WriteTarget
    let ledgerTarget: WriteRecord.Target
    let schemaVersion: Int32
    private let shape: RawRowShape
    private var writer: RawTableWriter

    init(source: RegisteredSource, version: SourceVersion, on connection: PostgresConnection) async throws {
        target = .source(source.name)
        ledgerTarget = .source(source.id)
        schemaVersion = version.version
        shape = RawRowShape(source: source, version: version)
        writer = try await RawTableWriter(source: source, version: version, on: connection)
    }

    var writeID: Int64 { writer.writeID }

    func readOptions(_ choices: RowReadChoices) -> TextReadOptions { shape.readOptions(choices) }

    func checkHeader(of reader: FrameReader) throws(LarderError) { try shape.checkHeader(of: reader) }

    mutating func write(_ read: FrameBatch, mode: WriteMode, verdict: inout RowVerdict) async throws {
        let rows = try shape.rows(of: read, verdict: &verdict)
        if mode == .allOrNothing, !verdict.isClean { return }
        let good = verdict.goodRows
        let count = good?.count ?? read.batch.rowCount
        guard count > 0 else { return }
        try await writer.append(
            columns: rows.columns.map { FrameBatch.select(good, of: $0) },
            tombstones: rows.tombstones.map { FrameBatch.select(good, of: $0) }, rowCount: count)
    }

    mutating func endCopy() async throws { try await writer.endCopy() }

    mutating func finish(actor: String, idempotencyKey: IdempotencyKey?) async throws -> WrittenRows {
        let result = try await writer.finish(actor: actor, idempotencyKey: idempotencyKey)
        return WrittenRows(
            written: result.rowsWritten, replaced: result.rowsReplaced, outdated: result.rowsOutdated)
    }
}

extension RegisteredSource {
    /// The version that rows are written for, and a warning where it is deprecated.
    /// - Parameter number: nil takes the newest active version.
    /// - Throws: `source_not_ingestible`, or `schema_version_mismatch` with the difference to the newest active version.
    func ingestibleVersion(_ number: Int32?) throws(LarderError) -> (version: SourceVersion, warning: String?) {
        guard kind == .table else {
            throw LarderError(
                .sourceNotIngestible, "source \"\(name)\" is of type \(kind.name), which takes no files",
                hint: "only sources of type table do")
        }
        return try writableVersion(number)
    }
}
