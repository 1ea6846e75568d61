public import FeatureModel

/// Values as `{"type": "int64", "text": "42"}`, arrays and vectors as `{"type": "array", "elements": [...]}`.
extension Value: Codable {
    private enum CodingKeys: String, CodingKey {
        case type
        case text
        case elements
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let type = try container.decode(String.self, forKey: .type)
        switch type {
        case "null":
            self = .null
        case "array":
            self = .array(try container.decode([Value].self, forKey: .elements))
        case "vector":
            self = .vector(
                try container.decode([String].self, forKey: .elements).map { text in
                    guard let number = Float(text) else { throw Self.corrupted(container, text) }
                    return number
                })
        default:
            let text = try container.decode(String.self, forKey: .text)
            guard let scalar = ScalarType(rawValue: type), let value = Value(storedText: text, type: scalar) else {
                throw Self.corrupted(container, text)
            }
            self = value
        }
    }

    private static func corrupted(_ container: KeyedDecodingContainer<CodingKeys>, _ text: String) -> DecodingError {
        .dataCorruptedError(forKey: .type, in: container, debugDescription: "\"\(text)\" is no value of the type")
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(storedType, forKey: .type)
        switch self {
        case .null: break
        case .array(let values): try container.encode(values, forKey: .elements)
        case .vector(let numbers): try container.encode(numbers.map(\.description), forKey: .elements)
        default: try container.encode(storedText, forKey: .text)
        }
    }

    /// The word for the value's type in stored documents and hashes.
    var storedType: String {
        switch self {
        case .null: "null"
        case .bool: ScalarType.bool.rawValue
        case .int32: ScalarType.int32.rawValue
        case .int64: ScalarType.int64.rawValue
        case .float32: ScalarType.float32.rawValue
        case .float64: ScalarType.float64.rawValue
        case .string: ScalarType.string.rawValue
        case .bytes: ScalarType.bytes.rawValue
        case .timestamp: ScalarType.timestamp.rawValue
        case .date: ScalarType.date.rawValue
        case .array: "array"
        case .vector: "vector"
        }
    }

    /// Text that reads back as the same value: floats in their shortest exact form, bytes as hexadecimal, times as
    /// microseconds and days since 1970.
    var storedText: String {
        switch self {
        case .null: ""
        case .bool(let value): value.description
        case .int32(let value): value.description
        case .int64(let value): value.description
        case .float32(let value): value.description
        case .float64(let value): value.description
        case .string(let value): value
        case .bytes(let bytes): Hexadecimal.text(of: bytes)
        case .timestamp(let value): value.microsecondsSince1970.description
        case .date(let value): value.daysSince1970.description
        case .array(let values): values.map(\.storedText).joined(separator: ",")
        case .vector(let numbers): numbers.map(\.description).joined(separator: ",")
        }
    }

    private init?(storedText text: String, type: ScalarType) {
        let value: Value? =
            switch type {
            case .bool: Bool(text).map(Value.bool)
            case .int32: Int32(text).map(Value.int32)
            case .int64: Int64(text).map(Value.int64)
            case .float32: Float(text).map(Value.float32)
            case .float64: Double(text).map(Value.float64)
            case .string: .string(text)
            case .bytes: Hexadecimal.bytes(of: text).map(Value.bytes)
            case .timestamp: Int64(text).map { .timestamp(Timestamp(microsecondsSince1970: $0)) }
            case .date: Int32(text).map { .date(CalendarDate(daysSince1970: $0)) }
            }
        guard let value else { return nil }
        self = value
    }
}

/// Bytes as lowercase hexadecimal digits.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(of bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 0xF)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func bytes(of text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: characters.count, by: 2) {
            guard let high = digits.firstIndex(of: characters[index]),
                let low = digits.firstIndex(of: characters[index + 1])
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}
