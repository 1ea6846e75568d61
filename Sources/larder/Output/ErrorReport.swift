import FeatureModel
import FeatureService
import TextFormats

extension Console {
    /// How many rejected rows are shown to people, and how many of each where several failures have some.
    private static let shownRows = 20
    private static let shownRowsOfEach = 5

    /// Tells a failure on standard error: as text, or with `--output json` as a problem document (RFC 9457).
    func report(_ error: LarderError) {
        switch format {
        case .table: note(Self.lines(of: error).joined(separator: "\n"))
        case .json: note(String(decoding: error.problem.serialized(pretty: true), as: UTF8.self))
        }
    }

    static func lines(of error: LarderError) -> [String] {
        var lines = single(error, label: "error: ")
        for nested in error.errors {
            let rows = reasons(nested.rows, of: nested.violationCount, atMost: shownRowsOfEach)
            lines += (single(nested, label: "") + rows).map { "  \($0)" }
        }
        return lines + Self.lines(of: error.rows, count: error.violationCount)
    }

    /// The first reasons why rows are bad, and how many more there are.
    static func lines(of violations: [RowViolation], count: Int) -> [String] {
        reasons(violations, of: count, atMost: shownRows)
    }

    private static func reasons(_ violations: [RowViolation], of count: Int, atMost limit: Int) -> [String] {
        let lines = violations.prefix(limit).map { "  \($0.description.printable)" }
        return count > limit ? lines + ["  ... and \(count - limit) more"] : lines
    }

    /// The message with its place, and the hint below; both may have several lines.
    private static func single(_ error: LarderError, label: String) -> [String] {
        let place = error.location.map { "\($0): " } ?? ""
        var lines = split("\(label)\(place)\(error.message) [\(error.code)]")
        if let hint = error.hint { lines += split("hint: \(hint)").map { "  \($0)" } }
        return lines
    }

    private static func split(_ text: String) -> [String] {
        text.split(separator: "\n").map { String($0).printable }
    }
}

extension LarderError {
    fileprivate var problem: JSONValue {
        let members: [JSONValue.Member] = [
            .init("type", .string("about:blank")), .init("title", .string(code.name)),
            .init("status", .integer(code.httpStatus)), .init("detail", .string(message)),
            .init("code", .string(code.name)),
        ]
        return .object(members + supplement + reasons)
    }

    private var member: JSONValue {
        .object([.init("code", .string(code.name)), .init("detail", .string(message))] + supplement + reasons)
    }

    private var reasons: [JSONValue.Member] {
        let all = errors.map(\.member) + rows.map(\.document)
        var members: [JSONValue.Member] = all.isEmpty ? [] : [.init("errors", .array(all))]
        if !rows.isEmpty { members.append(.init("violation_count", .integer(violationCount))) }
        return members
    }

    private var supplement: [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let hint { members.append(.init("hint", .string(hint))) }
        if let location {
            members += [
                .init("file", .string(location.file)), .init("line", .integer(location.line)),
                .init("column", .integer(location.column)),
            ]
        }
        return members
    }
}
