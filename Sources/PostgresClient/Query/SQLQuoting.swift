/// Quoting for the few places in SQL text that take no parameters.
enum SQLQuoting {
    /// Quotes each part as an identifier and joins them with dots.
    static func identifier(_ parts: [String]) throws(PostgresError) -> String {
        var quoted: [String] = []
        for part in parts {
            guard !part.isEmpty else { throw PostgresError(.invalidQuery, "identifier is empty") }
            guard !part.utf8.contains(0) else { throw PostgresError(.invalidQuery, "identifier holds a NUL character") }
            guard part.utf8.count <= Limits.identifierBytes else {
                throw PostgresError(
                    .invalidQuery, "identifier \"\(part)\" is longer than \(Limits.identifierBytes) bytes",
                    hint: "PostgreSQL would cut it, and could then take it for another one")
            }
            quoted.append(enclosed(part, in: "\""))
        }
        return quoted.joined(separator: ".")
    }

    /// A string constant. The `E''` form is used where there is a backslash, so that no session setting matters.
    static func string(_ value: String) throws(PostgresError) -> String {
        guard !value.utf8.contains(0) else { throw PostgresError(.invalidQuery, "text holds a NUL character") }
        guard value.utf8.contains(UInt8(ascii: "\\")) else { return enclosed(value, in: "'") }
        var escaped = ""
        for scalar in value.unicodeScalars {
            if scalar == "\\" { escaped.unicodeScalars.append("\\") }
            escaped.unicodeScalars.append(scalar)
        }
        // The space keeps the E from joining a word before it.
        return " E" + enclosed(escaped, in: "'")
    }

    /// A float8 constant that reads back as the same bits (but for a NaN's payload).
    static func double(_ value: Double) -> String {
        let text =
            switch value {
            case _ where value.isNaN: "NaN"
            case .infinity: "Infinity"
            case -.infinity: "-Infinity"
            default: value.description
            }
        return "'\(text)'::float8"
    }

    /// An integer constant. The space before a minus sign keeps it from starting a comment with a minus before it.
    static func integer(_ value: Int64) -> String {
        value < 0 ? " \(value)" : "\(value)"
    }

    /// Doubles the quote character by scalars: by characters, a quote with a combining mark would be passed over.
    private static func enclosed(_ text: String, in quote: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        result.append(quote)
        for scalar in text.unicodeScalars {
            if scalar == quote { result.append(quote) }
            result.append(scalar)
        }
        result.append(quote)
        return String(result)
    }
}
