import FeatureDefinitions
import FeatureModel
import PostgresClient

/// An expression or a filter on trial.
struct ExpressionSubject {
    /// How a message names it.
    let what: String
    let text: String
    let type: ValueType
    let source: RegisteredSource
    let location: SourceLocation?

    var castName: String {
        switch type {
        case .scalar(.bool): "boolean"
        case .scalar(.int32): "integer"
        case .scalar(.int64): "bigint"
        case .scalar(.float32): "real"
        case .scalar(.float64): "double precision"
        case .scalar(.string): "text"
        case .scalar(.bytes): "bytea"
        case .scalar(.timestamp): "timestamptz"
        case .scalar(.date): "date"
        case .array, .vector: "real[]"
        }
    }

    /// The expression with every timestamp column that has no zone named after it read in UTC.
    func namingZone() -> String {
        let instants = Set((source.versions.last?.columns ?? []).filter { $0.type == .timestamp }.map(\.name))
        var result = ""
        var rest = Substring(text)
        while let first = rest.first {
            if first == "'" || first == "\"" {
                let end = rest.dropFirst().firstIndex(of: first).map { rest.index(after: $0) } ?? rest.endIndex
                result += rest[..<end]
                rest = rest[end...]
                continue
            }
            let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            guard !word.isEmpty else {
                result.append(rest.removeFirst())
                continue
            }
            rest = rest.dropFirst(word.count)
            result += word
            let following = rest.drop { $0.isWhitespace }.prefix(12).lowercased()
            if instants.contains(word.lowercased()), !following.hasPrefix("at time zone") {
                result += " AT TIME ZONE 'UTC'"
            }
        }
        return result
    }

    /// Words in a literal that PostgreSQL reads off its clock while it parses.
    private static let clockWords: Set<Substring> = ["now", "today", "tomorrow", "yesterday"]

    /// A literal such as 'now' that PostgreSQL has replaced by a time: it stands in the text, but not in what was stored,
    /// where a literal that stayed text would.
    func literalOfTheClock(missingFrom stored: String) -> String? {
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        let literals = parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
        return literals.first { literal in
            let words = literal.lowercased().split { !$0.isLetter }
            return !Self.clockWords.isDisjoint(with: words) && !stored.contains("'\(literal)'")
        }
    }

    /// What PostgreSQL said, with the way out.
    func refusal(_ error: PostgresError) -> LarderError {
        LarderError(.expressionInvalid, "\(what): \(error.message)", hint: hint(for: error), location: location)
    }

    private func hint(for error: PostgresError) -> String? {
        let columns = (source.versions.last?.columns ?? []).map(\.name)
        switch error.sqlState {
        case .undefinedColumn:
            let unknown = error.message.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
            if let nearest = NameRule.nearest(to: unknown, in: columns) { return "did you mean \"\(nearest)\"?" }
            return "source \"\(source.name)\" has the columns \(columns.joined(separator: ", "))"
        case "0A000", "42803", "42P20", .undefinedTable, .insufficientPrivilege:
            return
                "an expression may use only the columns of its own row; what needs other rows or tables is a query source"
        default:
            return error.hint ?? error.detail ?? "correct the SQL expression"
        }
    }
}
