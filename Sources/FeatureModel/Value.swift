/// One value of any type, for defaults, join keys, requests and tests. Bulk data travels in `Column`s.
public enum Value: Sendable {
    case null
    case bool(Bool)
    case int32(Int32)
    case int64(Int64)
    case float32(Float)
    case float64(Double)
    case string(String)
    case bytes([UInt8])
    case timestamp(Timestamp)
    case date(CalendarDate)
    /// Elements are of one scalar type and never null.
    case array([Value])
    case vector([Float])

    public var isNull: Bool {
        if case .null = self { true } else { false }
    }
}

/// Equality is identity of content: floats are compared by bit pattern, so that NaN equals itself and -0.0
/// differs from 0.0, and strings as UTF-8 bytes, never by canonical equivalence.
extension Value: Hashable {
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int32(let a), .int32(let b)): a == b
        case (.int64(let a), .int64(let b)): a == b
        case (.float32(let a), .float32(let b)): a.bitPattern == b.bitPattern
        case (.float64(let a), .float64(let b)): a.bitPattern == b.bitPattern
        case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
        case (.bytes(let a), .bytes(let b)): a == b
        case (.timestamp(let a), .timestamp(let b)): a == b
        case (.date(let a), .date(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.vector(let a), .vector(let b)): a.lazy.map(\.bitPattern).elementsEqual(b.lazy.map(\.bitPattern))
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int32(let value): hasher.combine(value)
        case .int64(let value): hasher.combine(value)
        case .float32(let value): hasher.combine(value.bitPattern)
        case .float64(let value): hasher.combine(value.bitPattern)
        case .string(let value):
            for byte in value.utf8 { hasher.combine(byte) }
        case .bytes(let value): hasher.combine(value)
        case .timestamp(let value): hasher.combine(value)
        case .date(let value): hasher.combine(value)
        case .array(let values): hasher.combine(values)
        case .vector(let values):
            for value in values { hasher.combine(value.bitPattern) }
        }
    }
}

extension Value: CustomStringConvertible {
    public var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int32(let value): "\(value)"
        case .int64(let value): "\(value)"
        case .float32(let value): "\(value)"
        case .float64(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .bytes(let value):
            "\\x" + value.map { byte in byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16) }.joined()
        case .timestamp(let value): value.description
        case .date(let value): value.description
        case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        case .vector(let values): "[" + values.map { "\($0)" }.joined(separator: ", ") + "]"
        }
    }
}
