import FeatureModel
import PostgresClient

extension PostgresCopyEncoder {
    /// Appends row `row` of a column as one field.
    mutating func append(_ column: Column, row: Int) throws(PostgresError) {
        guard !column.isNull(row) else { return appendNull() }
        switch column.type {
        case .scalar(let scalar):
            switch scalar {
            case .bool: append(bool: column.bools[row])
            case .int32: append(int32: column.int32s[row])
            case .date: try append(date: PostgresDate(daysSince1970: column.int32s[row]))
            case .int64: append(int64: column.int64s[row])
            case .timestamp: try append(timestamp: PostgresTimestamp(microsecondsSince1970: column.int64s[row]))
            case .float32: append(float: column.float32s[row])
            case .float64: append(double: column.float64s[row])
            case .string, .bytes: try append(raw: column.byteRun(row).span.bytes)
            }
        case .array(let element):
            try appendArray(column, column.elementRange(row), of: element)
        case .vector(let dimension):
            try append(Array(column.float32s[row * dimension..<(row + 1) * dimension]))
        }
    }

    private mutating func appendArray(
        _ column: Column, _ range: Range<Int>, of element: ScalarType
    ) throws(PostgresError) {
        switch element {
        case .bool: try append(Array(column.bools[range]))
        case .int32: try append(Array(column.int32s[range]))
        case .date: try append(column.int32s[range].map(PostgresDate.init(daysSince1970:)))
        case .int64: try append(Array(column.int64s[range]))
        case .timestamp: try append(column.int64s[range].map(PostgresTimestamp.init(microsecondsSince1970:)))
        case .float32: try append(Array(column.float32s[range]))
        case .float64: try append(Array(column.float64s[range]))
        case .string: try append(range.map { String(decoding: column.byteRun($0), as: UTF8.self) })
        case .bytes: try append(range.map { Array(column.byteRun($0)) })
        }
    }
}
