public import FeatureModel

/// Writes record batches as CSV (RFC 4180) with LF line ends. Null is an unquoted empty field, the empty string is
/// `""`, lists are JSON inside a quoted field.
public struct CSVWriter: Sendable {
    public let fields: [Field]

    public init(fields: [Field]) {
        self.fields = fields
    }

    public func header() -> [UInt8] {
        var out: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            Self.writeText(Array(field.name.utf8)[...], into: &out)
        }
        out.append(UInt8(ascii: "\n"))
        return out
    }

    /// Appends the rows of a batch, whose fields are those of the writer.
    public func write(_ batch: RecordBatch, into out: inout [UInt8]) {
        precondition(batch.fields == fields, "the batch has other fields than its file")
        var list: [UInt8] = []
        for row in 0..<batch.rowCount {
            for index in batch.columns.indices {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                // Passed in place: a copy of a column for each of its values would be what costs most.
                Self.write(batch.columns[index], row: row, into: &out, list: &list)
            }
            out.append(UInt8(ascii: "\n"))
        }
    }

    /// - Parameter list: room for the JSON of a list.
    private static func write(_ column: Column, row: Int, into out: inout [UInt8], list: inout [UInt8]) {
        guard !column.isNull(row) else { return }
        switch column.type {
        case .scalar(let scalar): write(column, row: row, as: scalar, into: &out)
        case .array, .vector:
            list.removeAll(keepingCapacity: true)
            JSONText.write(column, row: row, into: &list)
            writeText(list[...], into: &out)
        }
    }

    private static func write(_ column: Column, row: Int, as type: ScalarType, into out: inout [UInt8]) {
        switch type {
        case .bool: JSONText.write(column.bools[row], into: &out)
        case .int32: ScalarText.write(Int64(column.int32s[row]), into: &out)
        case .int64: ScalarText.write(column.int64s[row], into: &out)
        case .float32: ScalarText.write(column.float32s[row], into: &out)
        case .float64: ScalarText.write(column.float64s[row], into: &out)
        case .string: writeText(column.byteRun(row), into: &out)
        case .bytes:
            let run = column.byteRun(row)
            if run.isEmpty { out.append(contentsOf: "\"\"".utf8) } else { Base64.encode(run, into: &out) }
        case .timestamp: TimestampText.write(Timestamp(microsecondsSince1970: column.int64s[row]), into: &out)
        case .date: out.append(contentsOf: CalendarDate(daysSince1970: column.int32s[row]).description.utf8)
        }
    }

    private static func writeText(_ text: ArraySlice<UInt8>, into out: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let needsQuotes =
            text.isEmpty
            || text.contains {
                $0 == quote || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
            }
        guard needsQuotes else { return out.append(contentsOf: text) }
        out.append(quote)
        for byte in text {
            if byte == quote { out.append(quote) }
            out.append(byte)
        }
        out.append(quote)
    }
}
