import FeatureDefinitions
import FeatureModel
import OfflineStore
import PointInTime
import PostgresClient
import TextFormats

/// Judges rows for a version of a feature view and writes them into its generation.
struct PushedRowWriter: RowWriter {
    let target: WriteTarget
    let ledgerTarget: WriteRecord.Target
    let schemaVersion: Int32
    private let shape: ViewRowShape
    private var writer: ViewRowWriter
    /// Of the rows written so far.
    private(set) var newest: NewestRows

    init(_ push: PushTarget, on connection: PostgresConnection) async throws {
        target = push.target
        ledgerTarget = push.ledgerTarget
        schemaVersion = push.version.version
        shape = ViewRowShape(
            view: push.home.view, generation: push.home.generation, version: push.version, source: push.source)
        writer = try await ViewRowWriter(view: push.home.view, version: push.version, on: connection)
        newest = NewestRows(schema: push.schema)
    }

    var writeID: Int64 { writer.writeID }

    func readOptions(_ choices: RowReadChoices) -> TextReadOptions { shape.readOptions(choices) }

    func checkHeader(of reader: FrameReader) throws(LarderError) { try shape.checkHeader(of: reader) }

    mutating func write(_ read: FrameBatch, mode: WriteMode, verdict: inout RowVerdict) async throws {
        let (rows, violations) = try shape.rows(of: read, now: try await writer.now())
        verdict.add(rows: read.batch.rowCount, firstRow: read.firstRow, violations: violations)
        if mode == .allOrNothing, !verdict.isClean { return }
        let good = verdict.goodRows.map { rows.selecting($0) } ?? rows
        guard good.rowCount > 0 else { return }
        try newest.add(try await writer.append(good))
    }

    mutating func endCopy() async throws { try await writer.endCopy() }

    mutating func finish(actor: String, idempotencyKey: IdempotencyKey?) async throws -> WrittenRows {
        WrittenRows(written: try await writer.finish(actor: actor, idempotencyKey: idempotencyKey))
    }
}

extension HistoryBatch {
    fileprivate func selecting(_ rows: [Int]) -> HistoryBatch {
        HistoryBatch(
            keyColumns: keyColumns.map { FrameBatch.select(rows, of: $0) }, eventTimes: rows.map { eventTimes[$0] },
            recordedTimes: rows.map { recordedTimes[$0] }, sequences: rows.map { sequences[$0] },
            schemaVersions: rows.map { schemaVersions[$0] }, arrivals: rows.map { arrivals[$0] },
            tombstones: rows.map { tombstones[$0] }, features: features.map { FrameBatch.select(rows, of: $0) })
    }
}
