import FeatureModel

/// Reads values of every scalar type from text, as CSV fields and JSON strings state them.
struct ValueParser {
    private let rounding: SubMicrosecondRounding
    private let ambiguity: LocalTimeAmbiguity
    private let longIntegers: LongIntegers
    private var zone: LocalTimeZone?

    init(_ options: TextReadOptions) throws(LarderError) {
        rounding = options.rounding
        ambiguity = options.ambiguity
        longIntegers = options.longIntegers
        zone = try options.zone
    }

    /// Appends a value to a column of that scalar type; nothing is appended when it throws.
    mutating func append(
        _ text: Span<UInt8>, as type: ScalarType, to column: inout Column
    ) throws(ValueFault) {
        switch type {
        case .bool: column.append(bool: try Self.bool(text))
        case .int32: column.append(int32: try Self.int32(text))
        case .int64: column.append(int64: try Self.int64(text))
        case .float32: column.append(float32: try float32(text, isStrict: false))
        case .float64: column.append(float64: try float64(text, isStrict: false))
        case .string:
            try Self.checkString(text)
            Self.append(checked: text, to: &column)
        case .bytes: column.append(bytes: try Self.bytes(text))
        case .timestamp: column.append(int64: try timestamp(text).microsecondsSince1970)
        case .date: column.append(int32: try Self.date(text).daysSince1970)
        }
    }

    /// Appends a string to a column of strings.
    /// - Parameter text: UTF-8 without NUL.
    static func append(checked text: Span<UInt8>, to column: inout Column) {
        text.withUnsafeBytes { column.append(bytes: $0) }
    }

    /// The types that JSON writes as strings.
    mutating func value(ofString text: Span<UInt8>, as type: ScalarType) throws(ValueFault) -> Value {
        switch type {
        case .string:
            try Self.checkString(text)
            return .string(NumberText.string(text))
        case .bytes: return .bytes(try Self.bytes(text))
        case .timestamp: return .timestamp(try timestamp(text))
        case .date: return .date(try Self.date(text))
        case .float32:
            guard let value = Self.special(text) else { throw .wrongType(text, type) }
            return .float32(Float(value))
        case .float64:
            guard let value = Self.special(text) else { throw .wrongType(text, type) }
            return .float64(value)
        case .bool: throw .wrongType(text, type, hint: "; write true or false without quotes")
        case .int32, .int64: throw .wrongType(text, type, hint: "; write it without quotes")
        }
    }

    /// The types that JSON writes as numbers.
    func value(ofNumber text: Span<UInt8>, as type: ScalarType) throws(ValueFault) -> Value {
        switch type {
        case .int32: return .int32(try Self.int32(text, isNumber: true))
        case .int64: return .int64(try Self.int64(text, isNumber: true))
        case .float32: return .float32(try float32(text, isStrict: true))
        case .float64: return .float64(try float64(text, isStrict: true))
        case .bool: throw .wrongType(text, type, hint: "; write true or false")
        case .string, .bytes, .timestamp, .date: throw .wrongType(text, type, hint: "; write it as a string")
        }
    }

    static func bool(_ text: Span<UInt8>) throws(ValueFault) -> Bool {
        if text.equals("true") { return true }
        if text.equals("false") { return false }
        throw .wrongType(text, ScalarType.bool, hint: " (true, false)")
    }

    /// - Parameter isNumber: whether it is a number of JSON, which may have a point or an exponent.
    static func int64(_ text: Span<UInt8>, isNumber: Bool = false) throws(ValueFault) -> Int64 {
        try integer(text, .int64, isNumber: isNumber)
    }

    static func int32(_ text: Span<UInt8>, isNumber: Bool = false) throws(ValueFault) -> Int32 {
        guard let value = Int32(exactly: try integer(text, .int32, isNumber: isNumber)) else {
            throw .outOfRange(text, ScalarType.int32)
        }
        return value
    }

    private static func integer(
        _ text: Span<UInt8>, _ type: ScalarType, isNumber: Bool
    ) throws(ValueFault) -> Int64 {
        do {
            return try NumberText.integer(text)
        } catch .outOfRange {
            throw .outOfRange(text, type)
        } catch {
            guard isNumber else { throw .wrongType(text, type) }
            return try wholeNumber(text, type)
        }
    }

    /// An integer that is written as a float, as pandas has a column of integers with a null.
    private static func wholeNumber(_ text: Span<UInt8>, _ type: ScalarType) throws(ValueFault) -> Int64 {
        let integer = NumberText.decimal(text, isStrict: true)?.integer
        if let integer, integer.magnitude < 1 << 53 { return integer }
        guard let value = NumberText.double(text, isStrict: true), value.magnitude >= 0x1p53 else {
            throw .wrongType(text, type)
        }
        guard type == .int64, Int64(exactly: value) != nil else { throw .outOfRange(text, type) }
        throw .inexactInteger(text)
    }

    func float64(_ text: Span<UInt8>, isStrict: Bool) throws(ValueFault) -> Double {
        guard let value = NumberText.double(text, isStrict: isStrict) else {
            guard !isStrict, let special = Self.special(text) else { throw .wrongType(text, ScalarType.float64) }
            return special
        }
        // Every integer below is a float64.
        if value.magnitude < 0x1p53 { return value }
        guard value.isFinite else { throw .outOfRange(text, ScalarType.float64) }
        guard NumberText.isKept(text, as: value, longIntegers) else { throw .inexact(text, nearest: value) }
        return value
    }

    func float32(_ text: Span<UInt8>, isStrict: Bool) throws(ValueFault) -> Float {
        guard let value = NumberText.float(text, isStrict: isStrict) else {
            guard !isStrict, let special = Self.special(text) else { throw .wrongType(text, ScalarType.float32) }
            return Float(special)
        }
        // Every integer below is a float32.
        if value.magnitude < 0x1p24 { return value }
        guard value.isFinite else { throw .outOfRange(text, ScalarType.float32) }
        guard NumberText.isKept(text, as: value, longIntegers) else { throw .inexact(text, nearest: value) }
        return value
    }

    /// What floats have that is no number.
    static func special(_ text: Span<UInt8>) -> Double? {
        if text.equals("NaN") { return .nan }
        if text.equals("Infinity") { return .infinity }
        if text.equals("-Infinity") { return -.infinity }
        return nil
    }

    static func checkString(_ text: Span<UInt8>) throws(ValueFault) {
        var isASCII = true
        for index in text.indices {
            let byte = text[index]
            if byte == 0 { throw .nul }
            if byte >= 0x80 {
                isASCII = false
                break
            }
        }
        if isASCII { return }
        do {
            _ = try UTF8Span(validating: text)
        } catch {
            throw .invalidUTF8
        }
        for index in text.indices where text[index] == 0 { throw .nul }
    }

    static func bytes(_ text: Span<UInt8>) throws(ValueFault) -> [UInt8] {
        guard let bytes = Base64.decode(text) else { throw .wrongType(text, ScalarType.bytes, hint: " (base64)") }
        return bytes
    }

    static func date(_ text: Span<UInt8>) throws(ValueFault) -> CalendarDate {
        let hyphen = UInt8(ascii: "-")
        guard text.count == 10, text[4] == hyphen, text[7] == hyphen, let year = text.digits(0..<4),
            let month = text.digits(5..<7), let day = text.digits(8..<10),
            let date = CalendarDate(year: year, month: month, day: day)
        else { throw .wrongType(text, ScalarType.date, hint: " (YYYY-MM-DD)") }
        return date
    }

    mutating func timestamp(_ text: Span<UInt8>) throws(ValueFault) -> Timestamp {
        switch TimestampText.parse(text, rounding: rounding) {
        case .instant(let instant): return instant
        case .civil(let civil):
            guard let instant = zone?.timestamp(of: civil, ambiguity: ambiguity) else { throw .withoutZone(text) }
            guard instant.isRepresentable else { throw .outOfRange(text, ScalarType.timestamp) }
            return instant
        case nil: throw .wrongType(text, ScalarType.timestamp, hint: " (RFC 3339, as in 2013-01-01T05:00:00Z)")
        }
    }
}

extension Span where Element == UInt8 {
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in indices where self[index] != text.utf8Start[index] { return false }
        return true
    }

    func equals(_ bytes: [UInt8]) -> Bool { equals(bytes.span) }

    func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// The number that a run of digits states.
    func digits(_ range: Range<Int>) -> Int? {
        var value = 0
        for index in range {
            let digit = self[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
