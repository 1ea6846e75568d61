public import FeatureModel

/// Writes values as JSON: NaN and infinities as strings, bytes as base64, timestamps as RFC 3339 in UTC.
public enum JSONText {
    /// - Parameter row: a row of the column; nulls are `null`.
    public static func write(_ column: Column, row: Int, into out: inout [UInt8]) {
        guard !column.isNull(row) else { return out.append(contentsOf: "null".utf8) }
        switch column.type {
        case .scalar: writeElement(column, row, into: &out)
        case .array: writeList(column, column.elementRange(row), into: &out)
        case .vector(let dimension): writeList(column, row * dimension..<(row + 1) * dimension, into: &out)
        }
    }

    private static func writeList(_ column: Column, _ elements: Range<Int>, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "["))
        for index in elements {
            if index > elements.lowerBound { out.append(UInt8(ascii: ",")) }
            writeElement(column, index, into: &out)
        }
        out.append(UInt8(ascii: "]"))
    }

    private static func writeElement(_ column: Column, _ index: Int, into out: inout [UInt8]) {
        switch column.elementType {
        case .bool: write(column.bools[index], into: &out)
        case .int32: ScalarText.write(Int64(column.int32s[index]), into: &out)
        case .int64: ScalarText.write(column.int64s[index], into: &out)
        case .float32: write(column.float32s[index], into: &out)
        case .float64: write(column.float64s[index], into: &out)
        case .string: writeString(column.byteRun(index), into: &out)
        case .bytes: quoted(into: &out) { Base64.encode(column.byteRun(index), into: &$0) }
        case .timestamp: write(Timestamp(microsecondsSince1970: column.int64s[index]), into: &out)
        case .date: write(CalendarDate(daysSince1970: column.int32s[index]), into: &out)
        }
    }

    public static func write(_ value: Value, into out: inout [UInt8]) {
        switch value {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): write(value, into: &out)
        case .int32(let value): ScalarText.write(Int64(value), into: &out)
        case .int64(let value): ScalarText.write(value, into: &out)
        case .float32(let value): write(value, into: &out)
        case .float64(let value): write(value, into: &out)
        case .string(let value): writeString(value, into: &out)
        case .bytes(let value): quoted(into: &out) { Base64.encode(value, into: &$0) }
        case .timestamp(let value): write(value, into: &out)
        case .date(let value): write(value, into: &out)
        case .array(let values): writeArray(values, into: &out) { write($0, into: &$1) }
        case .vector(let values): writeArray(values, into: &out) { write($0, into: &$1) }
        }
    }

    private static func writeArray<Element>(
        _ elements: [Element], into out: inout [UInt8], _ write: (Element, inout [UInt8]) -> Void
    ) {
        out.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            write(element, &out)
        }
        out.append(UInt8(ascii: "]"))
    }

    public static func write(_ value: Bool, into out: inout [UInt8]) {
        out.append(contentsOf: (value ? "true" : "false").utf8)
    }

    public static func write(_ value: Int64, into out: inout [UInt8]) {
        ScalarText.write(value, into: &out)
    }

    public static func write(_ value: Double, into out: inout [UInt8]) {
        guard value.isFinite else { return quoted(into: &out) { ScalarText.write(value, into: &$0) } }
        ScalarText.write(value, into: &out)
    }

    public static func write(_ value: Float, into out: inout [UInt8]) {
        guard value.isFinite else { return quoted(into: &out) { ScalarText.write(value, into: &$0) } }
        ScalarText.write(value, into: &out)
    }

    public static func write(_ value: Timestamp, into out: inout [UInt8]) {
        quoted(into: &out) { TimestampText.write(value, into: &$0) }
    }

    public static func write(_ value: CalendarDate, into out: inout [UInt8]) {
        quoted(into: &out) { $0.append(contentsOf: value.description.utf8) }
    }

    private static func quoted(into out: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        out.append(UInt8(ascii: "\""))
        body(&out)
        out.append(UInt8(ascii: "\""))
    }

    public static func writeString(_ text: String, into out: inout [UInt8]) {
        var text = text
        text.withUTF8 { writeString($0, into: &out) }
    }

    /// - Parameter utf8: valid UTF-8.
    public static func writeString(_ utf8: ArraySlice<UInt8>, into out: inout [UInt8]) {
        utf8.withUnsafeBufferPointer { writeString($0, into: &out) }
    }

    /// - Parameter utf8: valid UTF-8.
    public static func writeString(_ utf8: UnsafeBufferPointer<UInt8>, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var copied = 0
        for index in utf8.indices {
            let byte = utf8[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            out.append(contentsOf: utf8[copied..<index])
            writeEscape(byte, into: &out)
            copied = index + 1
        }
        out.append(contentsOf: utf8[copied...])
        out.append(UInt8(ascii: "\""))
    }

    private static func writeEscape(_ byte: UInt8, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: out.append(UInt8(ascii: "b"))
        case 0x09: out.append(UInt8(ascii: "t"))
        case 0x0A: out.append(UInt8(ascii: "n"))
        case 0x0C: out.append(UInt8(ascii: "f"))
        case 0x0D: out.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(byte)
        default:
            let digits = Array("0123456789abcdef".utf8)
            out.append(contentsOf: "u00".utf8)
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
    }
}

// MARK: - Into memory that the caller set aside

extension JSONText {
    /// At most 20 bytes.
    public static func write(_ value: Int64, into out: inout ByteCursor) {
        ScalarText.write(value, into: &out)
    }

    /// At most 24 bytes.
    public static func write(_ value: Double, into out: inout ByteCursor) {
        if value.isFinite { return ScalarText.write(value, into: &out) }
        out.append(UInt8(ascii: "\""))
        ScalarText.write(value, into: &out)
        out.append(UInt8(ascii: "\""))
    }

    /// At most 16 bytes.
    public static func write(_ value: Float, into out: inout ByteCursor) {
        if value.isFinite { return ScalarText.write(value, into: &out) }
        out.append(UInt8(ascii: "\""))
        ScalarText.write(value, into: &out)
        out.append(UInt8(ascii: "\""))
    }
}
