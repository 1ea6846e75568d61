import FeatureModel
import PostgresClient

extension Column {
    /// Appends the next field of a COPY row.
    mutating func append(nextOf row: inout PostgresCopyRow) throws(PostgresError) {
        switch type {
        case .scalar(let scalar): try appendScalar(scalar, nextOf: &row)
        case .array(let element): try appendArray(of: element, nextOf: &row)
        case .vector(let dimension):
            let values = try row.next([Float].self, columnType: .float4Array)
            guard let values else { return appendNull() }
            guard values.count == dimension else {
                throw PostgresError(.decoding, "\(values.count) elements where \(dimension) are declared")
            }
            append(.vector(values))
        }
    }

    private mutating func appendScalar(_ scalar: ScalarType, nextOf row: inout PostgresCopyRow) throws(PostgresError) {
        switch scalar {
        case .bool: if let value = try row.nextBool() { append(bool: value) } else { appendNull() }
        case .int32: if let value = try row.nextInt32() { append(int32: value) } else { appendNull() }
        case .date: if let value = try row.nextDate() { append(int32: value.daysSince1970) } else { appendNull() }
        case .int64: if let value = try row.nextInt64() { append(int64: value) } else { appendNull() }
        case .timestamp:
            if let value = try row.nextTimestamp() { append(int64: value.microsecondsSince1970) } else { appendNull() }
        case .float32: if let value = try row.nextFloat() { append(float32: value) } else { appendNull() }
        case .float64: if let value = try row.nextDouble() { append(float64: value) } else { appendNull() }
        case .string, .bytes:
            // A UTF8 database holds valid UTF-8 only.
            let found: Void? = try row.withNextField { (bytes) throws(PostgresError) in
                bytes.withUnsafeBytes { append(bytes: $0) }
            }
            if found == nil { appendNull() }
        }
    }

    private mutating func appendArray(of element: ScalarType, nextOf row: inout PostgresCopyRow) throws(PostgresError) {
        let values: [Value]?
        switch element {
        case .bool: values = try row.next([Bool].self, columnType: .boolArray)?.map(Value.bool)
        case .int32: values = try row.next([Int32].self, columnType: .int4Array)?.map(Value.int32)
        case .int64: values = try row.next([Int64].self, columnType: .int8Array)?.map(Value.int64)
        case .float32: values = try row.next([Float].self, columnType: .float4Array)?.map(Value.float32)
        case .float64: values = try row.next([Double].self, columnType: .float8Array)?.map(Value.float64)
        case .string: values = try row.next([String].self, columnType: .textArray)?.map(Value.string)
        case .bytes: values = try row.next([[UInt8]].self, columnType: .byteaArray)?.map(Value.bytes)
        case .timestamp:
            values = try row.next([PostgresTimestamp].self, columnType: .timestamptzArray)?.map {
                .timestamp(Timestamp(microsecondsSince1970: $0.microsecondsSince1970))
            }
        case .date:
            values = try row.next([PostgresDate].self, columnType: .dateArray)?.map {
                .date(CalendarDate(daysSince1970: $0.daysSince1970))
            }
        }
        append(values.map(Value.array) ?? .null)
    }
}
