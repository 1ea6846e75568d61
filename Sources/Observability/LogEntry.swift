internal import Logging

/// The parts of one line.
struct LogEntry {
    let time: String
    let level: Logger.Level
    let label: String
    let source: String
    let message: String
    let error: String?
    let metadata: Logger.Metadata

    /// `time level logger: message key=value ...`, keys sorted; values that are not plain words are quoted.
    func textLine() -> [UInt8] {
        var line = LogLine()
        line.append(time)
        line.append(" ")
        line.append(level.rawValue)
        line.append(" ")
        line.appendEscaped(label, quotes: false)
        line.append(": ")
        line.appendEscaped(message, quotes: false)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line.append(" ")
            appendWord(key, to: &line)
            line.append("=")
            appendText(value, to: &line)
        }
        if let error {
            line.append(" error=")
            appendWord(error, to: &line)
        }
        line.append("\n")
        return line.bytes
    }

    /// An object with `time`, `level`, `logger`, `source`, `message`, and when there is some `error` and `metadata`.
    func jsonLine() -> [UInt8] {
        var line = LogLine()
        line.append("{\"time\":")
        line.appendQuoted(time)
        line.append(",\"level\":")
        line.appendQuoted(level.rawValue)
        line.append(",\"logger\":")
        line.appendQuoted(label)
        line.append(",\"source\":")
        line.appendQuoted(source)
        line.append(",\"message\":")
        line.appendQuoted(message)
        if let error {
            line.append(",\"error\":")
            line.appendQuoted(error)
        }
        if !metadata.isEmpty {
            line.append(",\"metadata\":")
            appendJSON(.dictionary(metadata), to: &line)
        }
        line.append("}\n")
        return line.bytes
    }

    private func appendText(_ value: Logger.MetadataValue, to line: inout LogLine) {
        switch value {
        case .string(let text): appendWord(text, to: &line)
        case .stringConvertible(let object): appendWord(object.description, to: &line)
        case .array, .dictionary: appendJSON(value, to: &line)
        }
    }

    private func appendWord(_ text: String, to line: inout LogLine) {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 < 0x7F }
        if isPlain { line.appendEscaped(text, quotes: false) } else { line.appendQuoted(text) }
    }

    private func appendJSON(_ value: Logger.MetadataValue, to line: inout LogLine, depth: Int = 0) {
        // Deeper than anyone reads, and the recursion has an end.
        if depth > 16 { return line.appendQuoted("...") }
        switch value {
        case .string(let text): line.appendQuoted(text)
        case .stringConvertible(let object): line.appendQuoted(object.description)
        case .array(let elements):
            var separator = "["
            for element in elements {
                line.append(separator)
                appendJSON(element, to: &line, depth: depth + 1)
                separator = ","
            }
            line.append(elements.isEmpty ? "[]" : "]")
        case .dictionary(let members):
            var separator = "{"
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                line.append(separator)
                line.appendQuoted(key)
                line.append(":")
                appendJSON(member, to: &line, depth: depth + 1)
                separator = ","
            }
            line.append(members.isEmpty ? "{}" : "}")
        }
    }
}

/// The bytes of one line, written so that nothing in them can end the line or steer a terminal.
struct LogLine {
    /// One text longer than this is cut.
    static let maximumTextBytes = 16 << 10

    private(set) var bytes: [UInt8] = []

    /// Appends text that is known to be harmless.
    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Appends a JSON string.
    mutating func appendQuoted(_ text: String) {
        append("\"")
        appendEscaped(text, quotes: true)
        append("\"")
    }

    /// Appends text with control characters, line separators and characters that turn the direction of text as JSON
    /// escapes; with `quotes` also quotation marks and backslashes.
    mutating func appendEscaped(_ text: String, quotes: Bool) {
        let start = bytes.count
        for scalar in text.unicodeScalars {
            if bytes.count - start > Self.maximumTextBytes { return append("...") }
            switch scalar {
            case "\n": append("\\n")
            case "\r": append("\\r")
            case "\t": append("\\t")
            case "\"", "\\":
                if quotes { append("\\") }
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            default:
                if Self.isUnsafe(scalar) { appendUnicodeEscape(scalar) } else { bytes.append(contentsOf: scalar.utf8) }
            }
        }
    }

    private mutating func appendUnicodeEscape(_ scalar: Unicode.Scalar) {
        let digits = String(scalar.value, radix: 16)
        append("\\u" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits)
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
