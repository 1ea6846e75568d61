import TextFormats

/// A JSON object as people read it: a line for each simple member, a table for a list of simple objects, a block for each
/// of the others.
enum DocumentText {
    static func render(_ document: JSONValue) -> String {
        lines(of: document).joined(separator: "\n")
    }

    private static func lines(of document: JSONValue) -> [String] {
        guard case .object(let members) = document else { return [inline(document)] }
        let simple = members.filter { isInline($0.value) }
        let width = simple.map(\.name.count).max() ?? 0
        var lines: [String] = []
        for member in members {
            if isInline(member.value) {
                let padding = String(repeating: " ", count: width - member.name.count)
                lines += value(inline(member.value), after: "\(title(member.name)):\(padding) ")
            } else {
                lines.append("\(title(member.name)):")
                lines += block(member.value).map { "  \($0)" }
            }
        }
        return lines
    }

    /// SQL keeps its lines.
    private static func value(_ text: String, after label: String) -> [String] {
        let parts = text.split(separator: "\n").map { String($0).printable }
        guard parts.count > 1 else { return [label + text.printable] }
        return [label.trimmingTrailingSpaces] + parts.map { "  \($0)" }
    }

    private static func block(_ value: JSONValue) -> [String] {
        switch value {
        case .array(let elements): isTable(elements) ? table(elements) : elements.flatMap(item)
        default: lines(of: value)
        }
    }

    private static func item(_ element: JSONValue) -> [String] {
        lines(of: element).enumerated().map { ($0 == 0 ? "- " : "  ") + $1 }
    }

    private static func isTable(_ elements: [JSONValue]) -> Bool {
        elements.allSatisfy { element in
            guard case .object(let members) = element else { return false }
            return members.allSatisfy { isInline($0.value) }
        }
    }

    private static func table(_ elements: [JSONValue]) -> [String] {
        var names: [String] = []
        for case .object(let members) in elements {
            for member in members where !names.contains(member.name) { names.append(member.name) }
        }
        var table = TextTable(names.map { .text(title($0)) })
        for element in elements { table.append(names.map { inline(element[$0] ?? .string("")) }) }
        return table.text.split(separator: "\n").map(String.init)
    }

    // MARK: Values on a line

    private static func isInline(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool, .number, .string: true
        case .array(let elements): elements.allSatisfy { isInline($0) && !isObject($0) }
        case .object(let members): members.allSatisfy { isInline($0.value) && !isObject($0.value) }
        }
    }

    private static func isObject(_ value: JSONValue) -> Bool {
        if case .object = value { true } else { false }
    }

    private static func inline(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .bool(let value): value ? "yes" : "no"
        case .number(let digits): digits
        case .string(let text): text
        case .array(let elements): elements.map(inline).joined(separator: ", ")
        case .object(let members): members.map { "\($0.name)=\(inline($0.value))" }.joined(separator: ", ")
        }
    }

    private static func title(_ name: String) -> String {
        name.split(separator: "_").joined(separator: " ")
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
