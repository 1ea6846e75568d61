import FeatureModel

/// Why a text is not a value of its column's type.
struct ValueFault: Error {
    /// Of a `RowViolation`.
    let code: String
    let message: String

    static func wrongType(_ text: Span<UInt8>, _ type: ScalarType, hint: String = "") -> ValueFault {
        wrongType(text, .scalar(type), hint: hint)
    }

    static func wrongType(_ text: Span<UInt8>, _ type: ValueType, hint: String = "") -> ValueFault {
        ValueFault(code: "wrong_type", message: "\(excerpt(text)) is not a value of type \(type)\(hint)")
    }

    static func outOfRange(_ text: Span<UInt8>, _ type: ScalarType) -> ValueFault {
        ValueFault(code: "out_of_range", message: "\(excerpt(text)) is out of range for \(type.rawValue)")
    }

    static func inexact(_ text: Span<UInt8>, nearest: Double) -> ValueFault {
        var digits: [UInt8] = []
        ScalarText.write(nearest, into: &digits)
        return inexact(text, .float64, nearest: digits, others: [])
    }

    static func inexact(_ text: Span<UInt8>, nearest: Float) -> ValueFault {
        var digits: [UInt8] = []
        ScalarText.write(nearest, into: &digits)
        var others: [ScalarType] = []
        if let double = NumberText.double(text, isStrict: false),
            double.magnitude < 0x1p53 || NumberText.isKept(text, as: double, .roundTripping)
        {
            others = [.float64]
        }
        return inexact(text, .float32, nearest: digits, others: others)
    }

    /// - Parameter others: float types that hold the integer.
    private static func inexact(
        _ text: Span<UInt8>, _ type: ScalarType, nearest: [UInt8], others: [ScalarType]
    ) -> ValueFault {
        var types = others
        if (try? NumberText.integer(text)) != nil { types.append(.int64) }
        types.append(.string)
        return ValueFault(
            code: "inexact",
            message: "\(excerpt(text)) is not exact as \(type.rawValue), whose nearest value is "
                + "\(String(decoding: nearest, as: UTF8.self)): write that, or declare "
                + types.map(\.rawValue).joined(separator: " or "))
    }

    /// An int64 that is written as a float, from 2^53 on.
    static func inexactInteger(_ text: Span<UInt8>) -> ValueFault {
        ValueFault(
            code: "inexact",
            message: "\(excerpt(text)) does not tell which integer is meant, because from 2^53 on floats skip some: "
                + "write its digits, without point or exponent")
    }

    static func withoutZone(_ text: Span<UInt8>) -> ValueFault {
        ValueFault(
            code: "timestamp_without_zone",
            message: "\(excerpt(text)) has no offset from UTC; write one (as in 2013-01-01T05:00:00Z), or say "
                + "`timezone:` in the source, or the option `timezone` (`--timezone`) for a spine")
    }

    static let invalidUTF8 = ValueFault(code: "invalid_utf8", message: "the text is not UTF-8")
    static let nul = ValueFault(code: "nul_in_string", message: "the string holds a NUL character")
    static let null = ValueFault(code: "null_not_allowed", message: "null where a value is required")

    /// The text in quotes, shortened, with what a terminal would act on replaced.
    static func excerpt(_ text: Span<UInt8>) -> String {
        let maximum = 48
        let shown = text.extracting(0..<min(text.count, maximum))
        var string = ""
        for scalar in NumberText.string(shown).unicodeScalars {
            string.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar)
        }
        return text.count > maximum ? "\"\(string)...\"" : "\"\(string)\""
    }
}
