/// A type without structure: what a join key, a column or an array element can be.
public enum ScalarType: String, Sendable, Hashable, CaseIterable {
    case bool
    case int32
    case int64
    case float32
    case float64
    case string
    case bytes
    /// An instant: `Int64` microseconds since 1970-01-01T00:00:00Z.
    case timestamp
    /// A calendar day: `Int32` days since 1970-01-01.
    case date
}

/// The type of a column or a feature.
public enum ValueType: Sendable, Hashable {
    case scalar(ScalarType)
    /// One dimension, no null elements.
    case array(ScalarType)
    /// `vector<float32, n>`: exactly `dimension` elements.
    case vector(dimension: Int)

    /// The largest vector dimension a definition may declare.
    public static let maximumVectorDimension = 16_384

    public static let bool = ValueType.scalar(.bool)
    public static let int32 = ValueType.scalar(.int32)
    public static let int64 = ValueType.scalar(.int64)
    public static let float32 = ValueType.scalar(.float32)
    public static let float64 = ValueType.scalar(.float64)
    public static let string = ValueType.scalar(.string)
    public static let bytes = ValueType.scalar(.bytes)
    public static let timestamp = ValueType.scalar(.timestamp)
    public static let date = ValueType.scalar(.date)

    /// The spellings accepted in a definition, for error messages.
    public static let spellings =
        ScalarType.allCases.map(\.rawValue) + ["array<T>", "vector<float32, n>"]

    /// Whether values of the type may be join keys: string, integer, bytes, date or bool.
    public var isKeyType: Bool {
        switch self {
        case .scalar(.string), .scalar(.int32), .scalar(.int64), .scalar(.bytes), .scalar(.date), .scalar(.bool): true
        default: false
        }
    }

    /// Whether a value of `other` is accepted on write where this type is declared, without loss: the same
    /// type, `int32 -> int64`, `float32 -> float64`, and integers to `float64` (each row is checked for 2^53).
    public func acceptsOnWrite(_ other: ValueType) -> Bool {
        if self == other { return true }
        switch (self, other) {
        case (.scalar(.int64), .scalar(.int32)), (.scalar(.float64), .scalar(.float32)),
            (.scalar(.float64), .scalar(.int32)), (.scalar(.float64), .scalar(.int64)):
            return true
        default:
            return false
        }
    }
}

extension ValueType: CustomStringConvertible {
    public var description: String {
        switch self {
        case .scalar(let scalar): scalar.rawValue
        case .array(let element): "array<\(element.rawValue)>"
        case .vector(let dimension): "vector<float32, \(dimension)>"
        }
    }
}

extension ValueType: LosslessStringConvertible {
    /// Parses the spelling of a definition file, e.g. `int64`, `array<string>`, `vector<float32, 8>`. Spaces may stand
    /// only around what is between the angle brackets.
    public init?(_ description: String) {
        if let scalar = ScalarType(rawValue: description) {
            self = .scalar(scalar)
            return
        }
        guard let open = description.firstIndex(of: "<"), description.last == ">" else { return nil }
        let arguments = description[description.index(after: open)...].dropLast()
            .split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed)
        switch (description[..<open], arguments.count) {
        case ("array", 1):
            guard let element = ScalarType(rawValue: arguments[0]) else { return nil }
            self = .array(element)
        case ("vector", 2):
            guard arguments[0] == ScalarType.float32.rawValue, let dimension = Int(arguments[1]),
                String(dimension) == arguments[1], (1...Self.maximumVectorDimension).contains(dimension)
            else { return nil }
            self = .vector(dimension: dimension)
        default:
            return nil
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
