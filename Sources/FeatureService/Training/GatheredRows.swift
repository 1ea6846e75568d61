import FeatureModel
import TextFormats

/// Batches put together.
struct GatheredRows {
    private(set) var fields: [Field] = []
    private(set) var columns: [Column] = []
    private(set) var rowCount = 0

    init() {}

    init(_ batch: RecordBatch) { append(batch) }

    /// The columns of an input that may have no rows.
    mutating func begin(_ batch: RecordBatch) {
        if fields.isEmpty { append(batch) }
    }

    mutating func append(_ batch: RecordBatch) {
        if fields.isEmpty || rowCount == 0 {
            fields = batch.fields
            columns = batch.columns
        } else {
            for index in columns.indices { columns[index].append(contentsOf: batch.columns[index]) }
        }
        rowCount += batch.rowCount
    }

    var batch: RecordBatch { RecordBatch(fields: fields, columns: columns, rowCount: rowCount) }

    /// Takes the first rows away.
    mutating func takeFirst(_ count: Int) -> RecordBatch {
        let first = batch.slice(0..<count)
        let rest = count == rowCount ? RecordBatch(fields: fields) : batch.slice(count..<rowCount)
        (columns, rowCount) = (rest.columns, rest.rowCount)
        return first
    }

    /// What the values take in memory, in bytes.
    var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }
}

extension Column {
    /// What the values take in memory, in bytes.
    var byteCount: Int {
        bools.count + 4 * (int32s.count + float32s.count) + 8 * (int64s.count + float64s.count)
            + bytes.count + 8 * (byteOffsets.count + listOffsets.count) + validity.bits.count
    }
}

extension RecordBatch {
    func keeping(_ names: Set<String>) -> RecordBatch {
        let kept = fields.indices.filter { names.contains(fields[$0].name) }
        return RecordBatch(fields: kept.map { fields[$0] }, columns: kept.map { columns[$0] }, rowCount: rowCount)
    }

    /// The text columns of an input that tells no types, as the types that all of their values have.
    func converted(to types: [String: ValueType]) -> RecordBatch {
        var fields = fields
        var columns = columns
        for index in columns.indices {
            guard let type = types[fields[index].name],
                let typed = TypeInference.convert(columns[index], to: type)
            else { continue }
            columns[index] = typed
            fields[index] = Field(name: fields[index].name, type: type)
        }
        return RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
    }
}
