import FeatureModel
import OfflineStore
import TextFormats

extension Quarantine {
    /// Puts the bad rows of a batch into the quarantine, as they came: text as its own bytes, Arrow as JSON objects.
    ///
    /// - Parameters:
    ///   - bad: of the batch; see `RowVerdict.badRows`.
    ///   - header: the header line, where the rows are CSV.
    static func add(
        _ bad: [RowVerdict.BadRow], of read: FrameBatch, header: [UInt8]?, to writer: inout QuarantineWriter
    ) throws {
        let objects = read.records == nil ? read.batch.jsonObjects(at: bad.map(\.index)) : []
        for (place, row) in bad.enumerated() {
            try writer.append(
                QuarantineWriter.Row(
                    number: Int64(read.firstRow + row.index), line: read.line(of: row.index).map(Int64.init),
                    record: read.records.map { Array($0[row.index]) } ?? objects[place],
                    codes: row.violations.map(\.code), reasons: QuarantineReasons.encode(row.violations)),
                header: header)
        }
    }
}

extension QuarantineFormat {
    init(_ format: FrameFormat) {
        switch format {
        case .csv: self = .csv
        case .ndjson: self = .ndjson
        case .arrow, .arrows: self = .json
        }
    }
}

extension RecordBatch {
    /// Rows as JSON objects. Float32 values are written with the digits of float64, which both read back as the same number.
    fileprivate func jsonObjects(at rows: [Int]) -> [[UInt8]] {
        guard !rows.isEmpty else { return [] }
        let chosen = columns.map { column in
            let picked = column.gathered(at: rows.map(Int32.init))
            return column.type == .float32 ? picked.widened(to: .float64) { _ in } ?? picked : picked
        }
        let fields = zip(fields, chosen).map { Field(name: $0.name, type: $1.type, isNullable: $0.isNullable) }
        var text: [UInt8] = []
        NDJSONWriter(fields: fields).write(
            RecordBatch(fields: fields, columns: chosen, rowCount: rows.count), into: &text)
        // JSON text holds no line feeds of its own.
        return text.split(separator: UInt8(ascii: "\n")).map(Array.init)
    }
}
