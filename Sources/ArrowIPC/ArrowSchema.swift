import FeatureModel

// Numbers of Arrow's flatbuffer schema: https://github.com/apache/arrow/tree/main/format

enum MessageHeader {
    static let schema: UInt8 = 1
    static let dictionaryBatch: UInt8 = 2
    static let recordBatch: UInt8 = 3
}

enum TypeTag {
    static let null: UInt8 = 1
    static let int: UInt8 = 2
    static let floatingPoint: UInt8 = 3
    static let binary: UInt8 = 4
    static let utf8: UInt8 = 5
    static let bool: UInt8 = 6
    static let date: UInt8 = 8
    static let timestamp: UInt8 = 10
    static let list: UInt8 = 12
    static let fixedSizeBinary: UInt8 = 15
    static let fixedSizeList: UInt8 = 16
    static let largeBinary: UInt8 = 19
    static let largeUtf8: UInt8 = 20
    static let largeList: UInt8 = 21
    static let binaryView: UInt8 = 23
    static let utf8View: UInt8 = 24

    /// Names of all tags by number, for messages.
    static let names = [
        "None", "Null", "Int", "FloatingPoint", "Binary", "Utf8", "Bool", "Decimal", "Date", "Time", "Timestamp",
        "Interval", "List", "Struct", "Union", "FixedSizeBinary", "FixedSizeList", "Map", "Duration", "LargeBinary",
        "LargeUtf8", "LargeList", "RunEndEncoded", "BinaryView", "Utf8View", "ListView", "LargeListView",
    ]
}

/// Version 5 of the metadata, written by every implementation since Arrow 1.0; version 4 differs in unions only,
/// which are not read.
enum MetadataVersion {
    static let v4: Int16 = 3
    static let v5: Int16 = 4
}

enum TimestampUnit: Int16 {
    case second = 0
    case millisecond = 1
    case microsecond = 2
    case nanosecond = 3
}

/// The Arrow types that are read.
indirect enum ArrowType: Sendable {
    case null
    case int(bitWidth: Int, isSigned: Bool)
    case float16
    case float32
    case float64
    case bool
    /// Utf8 and Binary, with 32-bit or 64-bit offsets.
    case bytes(isText: Bool, isLarge: Bool)
    /// Utf8View and BinaryView.
    case byteView(isText: Bool)
    case fixedSizeBinary(byteWidth: Int)
    case dateDay
    case dateMillisecond
    case timestamp(TimestampUnit)
    case list(ArrowField, isLarge: Bool)
    case fixedSizeList(ArrowField, size: Int)
}

extension ArrowType {
    /// Whether it says of no value what type it is: Null, and lists of it.
    var isUntyped: Bool {
        switch self {
        case .null: true
        case .list(let child, _), .fixedSizeList(let child, _): child.type.isUntyped
        default: false
        }
    }
}

/// How a column's values are looked up in a dictionary sent apart.
struct DictionaryEncoding: Sendable {
    let id: Int64
    let indexBitWidth: Int
    let isSigned: Bool
}

/// A column as a peer's schema declares it.
struct ArrowField: Sendable {
    let name: String
    let isNullable: Bool
    /// Of the values, where there is a dictionary.
    let type: ArrowType
    let dictionary: DictionaryEncoding?
    /// What the column becomes.
    let valueType: ValueType

    var field: Field { Field(name: name, type: valueType, isNullable: isNullable) }
}
