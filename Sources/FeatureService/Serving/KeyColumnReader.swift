import FeatureModel
import TextFormats

/// Turns the values of a request's key into a column of the key's type, or says which value does not fit.
struct KeyColumnReader {
    let key: JoinKey
    /// Whether numbers and truth values may be text.
    let acceptsText: Bool

    /// - Throws: `join_key_type` naming key, position (from 0) and what was expected.
    func column(_ values: [JSONValue]) throws(LarderError) -> Column {
        var column = Column(type: key.type)
        column.reserveCapacity(values.count)
        for (position, json) in values.enumerated() {
            guard let value = value(json), column.append(value) else {
                throw LarderError(
                    .joinKeyType,
                    "join key \"\(key.name)\" has \(Self.excerpt(json)) at position \(position), "
                        + "expected \(expected(insteadOf: json))")
            }
        }
        return column
    }

    private func value(_ json: JSONValue) -> Value? {
        switch (key.type, json) {
        case (_, .null): .null
        case (.scalar(.bool), .bool(let value)): .bool(value)
        case (.scalar(.bool), .string(let text)) where acceptsText: Bool(text).map { .bool($0) }
        case (.scalar(.int64), .number(let digits)): Self.integer(digits).map { .int64($0) }
        case (.scalar(.int32), .number(let digits)): Self.int32(digits)
        case (.scalar(.int64), .string(let text)) where acceptsText: Int64(text).map { .int64($0) }
        case (.scalar(.int32), .string(let text)) where acceptsText: Int32(text).map { .int32($0) }
        // PostgreSQL's text cannot hold NUL, so that no entity has such a key.
        case (.scalar(.string), .string(let text)): text.utf8.contains(0) ? nil : .string(text)
        case (.scalar(.date), .string(let text)): CalendarDate(text).map { .date($0) }
        case (.scalar(.bytes), .string(let text)): Base64.decode(Array(text.utf8).span).map { .bytes($0) }
        default: nil
        }
    }

    private static func int32(_ digits: String) -> Value? {
        integer(digits).flatMap { Int32(exactly: $0) }.map { .int32($0) }
    }

    private static func integer(_ digits: String) -> Int64? {
        if let value = Int64(digits) { return value }
        // Who writes `12.0` has a double, and from 2^53 on that no longer tells which integer was meant.
        return JSONValue.integer(digits).flatMap { $0.magnitude < 1 << 53 ? $0 : nil }
    }

    private func expected(insteadOf json: JSONValue) -> String {
        switch key.type {
        case .scalar(.int64) where Self.isInteger(json):
            "an integer of 64 bits, without point or exponent from 2^53 on"
        case .scalar(.bool): "true or false"
        case .scalar(.int32): "an integer of 32 bits"
        case .scalar(.int64): "an integer of 64 bits"
        case .scalar(.date): "a date as \"YYYY-MM-DD\""
        case .scalar(.bytes): "base64 text"
        default: "a string"
        }
    }

    /// Also one that is written so that it does not tell which.
    private static func isInteger(_ json: JSONValue) -> Bool {
        if case .number(let digits) = json { JSONValue.integer(digits) != nil } else { false }
    }

    private static func excerpt(_ json: JSONValue) -> String {
        switch json {
        case .string(let text):
            text.utf8.contains(0) ? "a string with a NUL character" : "the string \"\(text.prefix(40))\""
        case .number(let digits): "the number \(digits.prefix(40))"
        case .bool(let value): "\(value)"
        case .array: "an array"
        case .object: "an object"
        case .null: "null"
        }
    }
}
