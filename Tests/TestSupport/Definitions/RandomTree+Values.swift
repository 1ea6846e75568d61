import FeatureDefinitions
import FeatureModel

extension RandomTree {
    static let types: [ValueType] = [
        .int32, .int32, .int64, .float32, .float32, .float64, .string, .bool, .date, .bytes, .timestamp,
        .array(.int64), .vector(dimension: 3),
    ]

    /// An expression of exactly that type that depends on nothing, one of two.
    static func expression(of type: ValueType, using random: inout some RandomNumberGenerator) -> String {
        let digit = Int.random(in: 1...2, using: &random)
        return switch type {
        case .int32: "\(digit)"
        case .int64: "\(digit)::bigint"
        case .float32: "\(digit)::real"
        case .float64: "\(digit)::float8"
        case .string: "'\(digit)'::text"
        case .bool: "key_int64 > \(digit)"
        case .date: "'2013-01-0\(digit)'::date"
        case .bytes: "'\\x0\(digit)'::bytea"
        case .timestamp: "'2013-01-0\(digit) 00:00:00+00'::timestamptz"
        case .array: "ARRAY[\(digit)]::bigint[]"
        case .vector: "ARRAY[\(digit), 0, 0]::real[]"
        default: "NULL"
        }
    }

    static func value(of type: ValueType, using random: inout some RandomNumberGenerator) -> Value {
        let digit = Int32.random(in: 0...2, using: &random)
        return switch type {
        case .int32: .int32(digit)
        case .int64: .int64(Int64(digit))
        case .float32: .float32(Float(digit) / 2)
        case .float64: .float64(Double(digit) / 2)
        case .string: .string("text \(digit)")
        case .bool: .bool(digit > 0)
        case .date: .date(CalendarDate(daysSince1970: 15_000 + digit))
        case .bytes: .bytes([UInt8(digit)])
        case .timestamp: .timestamp(Timestamp(microsecondsSince1970: Int64(digit)))
        case .array: .array([.int64(Int64(digit))])
        case .vector: .vector([Float(digit), 0, 1])
        default: .null
        }
    }

    /// One that every value of `value(of:)` meets.
    static func expectation(of type: ValueType, using random: inout some RandomNumberGenerator) -> Expectation? {
        let digit = Int.random(in: 5...7, using: &random)
        return switch type {
        case .int32, .int64: Expectation(minimum: -1, maximum: Double(digit))
        case .float32, .float64: Expectation(maximum: Double(digit), isFinite: true)
        case .string:
            Bool.random(using: &random)
                ? Expectation(maximumLength: digit + 2)
                : Expectation(oneOf: (0...2).map { .string("text \($0)") } + [.string("text \(digit)")])
        case .bytes, .array: Expectation(maximumLength: digit)
        case .vector: Expectation(isFinite: true)
        default: nil
        }
    }
}

extension Array {
    /// A position at random; nil when there is none.
    func randomIndex(using random: inout some RandomNumberGenerator) -> Int? {
        isEmpty ? nil : Int.random(in: indices, using: &random)
    }
}
