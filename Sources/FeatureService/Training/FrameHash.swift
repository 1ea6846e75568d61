import Crypto
import FeatureModel

/// The canonical hash of a frame's content: equal for equal columns and values, however they were cut into batches, in whatever
/// format they are written.
///
/// Each column has a SHA-256 over one byte a row that says whether there is a value, and one over the values: numbers as their
/// little-endian bytes (every NaN as one), text and bytes with their length in front, lists with the number of their elements in
/// front. The frame's hash is over "larder-frame-1", the number of rows, and each column's name, type and two hashes.
struct FrameHash {
    private struct ColumnHash {
        var validity = SHA256()
        var values = SHA256()
    }

    private let fields: [Field]
    private var columns: [ColumnHash]
    private var rowCount = 0

    init(fields: [Field]) {
        self.fields = fields
        columns = fields.map { _ in ColumnHash() }
    }

    mutating func add(_ batch: RecordBatch) {
        rowCount += batch.rowCount
        for (index, column) in batch.columns.enumerated() {
            var validity: [UInt8] = []
            validity.reserveCapacity(column.count)
            for row in 0..<column.count { validity.append(column.isNull(row) ? 0 : 1) }
            columns[index].validity.update(data: validity)
            columns[index].values.update(data: Self.values(of: column))
        }
    }

    consuming func finalize() -> String {
        var frame = SHA256()
        frame.update(data: Array("larder-frame-1 \(rowCount)".utf8))
        for (field, column) in zip(fields, columns) {
            frame.update(data: Array("\n\(field.name)\n\(field.type)\n".utf8))
            for part in [column.validity, column.values] {
                part.finalize().withUnsafeBytes { frame.update(bufferPointer: $0) }
            }
        }
        return frame.finalize().map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    private static func values(of column: Column) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(column.byteCount)
        for row in 0..<column.count where !column.isNull(row) {
            switch column.type {
            case .scalar: append(column, row, to: &out)
            case .array:
                let elements = column.elementRange(row)
                append(UInt64(elements.count), to: &out)
                for element in elements { append(column, element, to: &out) }
            case .vector(let dimension):
                for element in row * dimension..<(row + 1) * dimension { append(column, element, to: &out) }
            }
        }
        return out
    }

    private static func append(_ column: Column, _ index: Int, to out: inout [UInt8]) {
        switch column.elementType {
        case .bool: out.append(column.bools[index] ? 1 : 0)
        case .int32, .date: append(column.int32s[index], to: &out)
        case .int64, .timestamp: append(column.int64s[index], to: &out)
        case .float32:
            let value = column.float32s[index]
            append((value.isNaN ? Float.nan : value).bitPattern, to: &out)
        case .float64:
            let value = column.float64s[index]
            append((value.isNaN ? Double.nan : value).bitPattern, to: &out)
        case .string, .bytes:
            let run = column.byteRun(index)
            append(UInt64(run.count), to: &out)
            out.append(contentsOf: run)
        }
    }

    private static func append(_ number: some FixedWidthInteger, to out: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { out.append(contentsOf: $0) }
    }
}
