import FeatureModel
import OfflineStore
import TextFormats

/// How the rows of one write are to be read.
struct RowReadChoices: Sendable {
    /// A further spelling of null in CSV.
    var nullSpelling: String?
    /// Whether batches carry the bytes of their rows.
    var keepsRecords = false
    /// Nullable fields that a CSV header may lack, because the rows were written for a version without them.
    var mayBeMissing: Set<String> = []
}

/// Judges rows by one version of a target and writes those that pass, within the caller's transaction.
protocol RowWriter {
    var target: WriteTarget { get }
    /// As the ledger and the quarantine know the target.
    var ledgerTarget: WriteRecord.Target { get }
    var schemaVersion: Int32 { get }
    /// What the rows carry and the ledger row is recorded under.
    var writeID: Int64 { get }

    func readOptions(_ choices: RowReadChoices) -> TextReadOptions

    /// Input without rows still has to have the right columns.
    func checkHeader(of reader: FrameReader) throws(LarderError)

    /// Judges the rows of a batch and adds them to the verdict. Writes none while the mode is `allOrNothing` and the verdict is
    /// not clean, and the good ones otherwise. A COPY may stay open.
    /// - Throws: what makes the whole input unusable, such as `column_missing`.
    mutating func write(_ read: FrameBatch, mode: WriteMode, verdict: inout RowVerdict) async throws

    /// Ends the COPY that `write` may have left open, so that the connection takes other statements.
    mutating func endCopy() async throws

    /// Settles what has been written and records it in the ledger, as the write's last statement.
    mutating func finish(actor: String, idempotencyKey: IdempotencyKey?) async throws -> WrittenRows
}

/// How many rows a write has written, and what row keys made of them.
struct WrittenRows: Sendable {
    let written: Int64
    /// Rows of earlier writes that a newer one of this write replaced.
    var replaced: Int64 = 0
    /// Of `written`, those that do not count: a newer row has the same row key.
    var outdated: Int64 = 0
}

extension FrameBatch {
    /// The rows at `rows` of columns of this batch; all of them for nil.
    static func select(_ rows: [Int]?, of column: Column) -> Column {
        rows.map { column.gathered(at: $0.map(Int32.init)) } ?? column
    }
}
