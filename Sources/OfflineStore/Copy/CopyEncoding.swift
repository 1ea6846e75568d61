import FeatureModel
import PostgresClient

extension PostgresCopyEncoder {
    /// Appends row `row` of each column as one field.
    ///
    /// Takes the columns together: a column handed over alone would be copied, which for each value counts eight references
    /// up and down.
    mutating func append(_ columns: [Column], row: Int) throws(PostgresError) {
        for index in columns.indices {
            guard columns[index].validity[row] else {
                appendNull()
                continue
            }
            switch columns[index].type {
            case .scalar(let scalar):
                switch scalar {
                case .bool: append(bool: columns[index].bools[row])
                case .int32: append(int32: columns[index].int32s[row])
                case .date: try append(date: PostgresDate(daysSince1970: columns[index].int32s[row]))
                case .int64: append(int64: columns[index].int64s[row])
                case .timestamp:
                    try append(timestamp: PostgresTimestamp(microsecondsSince1970: columns[index].int64s[row]))
                case .float32: append(float: columns[index].float32s[row])
                case .float64: append(double: columns[index].float64s[row])
                case .string, .bytes:
                    let run = columns[index].byteRun(row)
                    try append(raw: run.span.bytes)
                }
            case .array(let element):
                try appendArray(columns[index], columns[index].elementRange(row), of: element)
            case .vector(let dimension):
                try append(Array(columns[index].float32s[row * dimension..<(row + 1) * dimension]))
            }
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
