import FeatureModel
import PostgresClient

extension Column {
    /// The values of a key column without nulls as an array constant, for COPY, which takes no parameters.
    func keyArrayLiteral(_ key: JoinKey) -> PostgresQuery {
        let elements = (0..<count).map { row -> String in
            switch self[row] {
            case .bool(let value): value ? "t" : "f"
            case .int32(let value): "\(value)"
            case .int64(let value): "\(value)"
            case .date(let value): value.description
            case .bytes(let value): Self.quoted("\\x" + value.map { Self.hexadecimal($0) }.joined())
            case .string(let value): Self.quoted(value)
            default: "NULL"
            }
        }
        let array = "{\(elements.joined(separator: ","))}"
        let type: PostgresQuery = if case .scalar(let scalar) = key.storedType { scalar.sqlTypeName } else { "text" }
        return "\(literal: array)::\(query: type)[]"
    }

    /// The value of a key column's first row, which is not null, as a constant.
    func keyLiteral(_ key: JoinKey) -> PostgresQuery {
        switch self[0] {
        case .bool(let value): "\(literal: value)"
        // A cast binds tighter than a minus, and the least number has no positive counterpart.
        case .int32(let value): "(\(literal: Int64(value)))::bigint"
        case .int64(let value): "(\(literal: value))::bigint"
        case .date(let value): "\(literal: PostgresDate(daysSince1970: value.daysSince1970))"
        case .bytes(let value): "\(literal: value)"
        case .string(let value): "\(literal: value)"
        default: "NULL"
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    /// An element of PostgreSQL's array text, in double quotes.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            if character == "\"" || character == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(character)
        }
        return result + "\""
    }
}
