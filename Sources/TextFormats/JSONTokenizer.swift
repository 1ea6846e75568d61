/// Where and why a text is not JSON.
public struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// In bytes, from 0.
    public let offset: Int
    /// From 1; columns count characters.
    public let line: Int
    public let column: Int
    public let message: String

    public var description: String { "\(message) (line \(line), column \(column))" }
}

/// Reads JSON (RFC 8259) token by token and checks the grammar on the way: after the `end` token the whole text was
/// one valid value. Text stays where it is until it is asked for.
public struct JSONTokenizer: Sendable {
    public enum Token: Sendable, Equatable {
        case beginObject
        case endObject
        case beginArray
        case endArray
        /// A member's name; its value follows.
        case name
        case string
        case number
        case `true`
        case `false`
        case null
        /// Nothing follows the value.
        case end
    }

    private enum Expected {
        case value
        case valueOrEndArray
        case nameOrEndObject
        case name
        case commaOrEnd
        case end
    }

    private let bytes: [UInt8]
    private let start: Int
    private let end: Int
    /// Where lines and columns are counted from.
    private let origin: Int
    private let maximumDepth: Int
    private var position: Int
    private var expected = Expected.value
    /// How many arrays and objects are open.
    public private(set) var depth = 0
    /// Which of them are objects: a bit for each, the innermost lowest.
    private var objects: UInt64 = 0

    /// The bytes of the last token: of names and strings what is between the quotes, escapes as they stand.
    public private(set) var tokenRange: Range<Int>
    /// Whether the last name or string has escapes, so that its bytes are not yet its text.
    public private(set) var hasEscapes = false

    /// - Parameters:
    ///   - range: the part of `bytes` that is the text; all of it when nil.
    ///   - origin: where lines and columns of errors are counted from; the beginning of the text when nil.
    ///   - maximumDepth: arrays and objects within each other; never more than 64.
    public init(_ bytes: [UInt8], range: Range<Int>? = nil, origin: Int? = nil, maximumDepth: Int = 32) {
        self.bytes = bytes
        start = range?.lowerBound ?? 0
        self.origin = origin ?? start
        end = range?.upperBound ?? bytes.count
        self.maximumDepth = min(maximumDepth, UInt64.bitWidth)
        position = start
        tokenRange = start..<start
    }

    private var isInObject: Bool { objects & 1 == 1 }

    /// The text of the last name or string, escapes resolved.
    public var text: String { String(decoding: textBytes, as: UTF8.self) }

    public var textBytes: [UInt8] {
        hasEscapes ? JSONEscapes.resolve(bytes[tokenRange]) : Array(bytes[tokenRange])
    }

    /// The bytes of the last token as they stand.
    public var tokenBytes: ArraySlice<UInt8> { bytes[tokenRange] }

    public mutating func next() throws(JSONSyntaxError) -> Token {
        skipWhitespace()
        if expected == .commaOrEnd { try takeComma() }
        guard position < end else {
            if expected == .end { return .end }
            throw error("the text ends in the middle of a value", at: end)
        }
        let byte = bytes[position]
        switch expected {
        case .end:
            throw error("something follows the value", at: position)
        case .commaOrEnd:
            return try close(byte)
        case .name, .nameOrEndObject:
            if byte == UInt8(ascii: "}"), expected == .nameOrEndObject { return try close(byte) }
            guard byte == UInt8(ascii: "\"") else { throw error("a member's name in quotes is missing", at: position) }
            try takeString()
            skipWhitespace()
            guard position < end, bytes[position] == UInt8(ascii: ":") else {
                throw error("a colon is missing after a member's name", at: position)
            }
            position += 1
            expected = .value
            return .name
        case .valueOrEndArray where byte == UInt8(ascii: "]"):
            return try close(byte)
        case .value, .valueOrEndArray:
            return try takeValue(byte)
        }
    }

    /// Passes over the rest of a value whose first token was just read.
    public mutating func skip(from token: Token) throws(JSONSyntaxError) {
        guard token == .beginObject || token == .beginArray else { return }
        let outer = depth - 1
        while depth > outer { _ = try next() }
    }

    /// Passes over the rest of an array whose opening bracket was just read, without a look at whether it is JSON.
    /// - Returns: false, having done nothing, when its end is not to be found.
    mutating func skipUnchecked() throws(JSONSyntaxError) -> Bool {
        guard let next = JSONScanner.endOfArray(bytes.span, from: tokenRange.lowerBound, to: end) else { return false }
        position = next - 1
        _ = try close(bytes[position])
        return true
    }

    private mutating func skipWhitespace() {
        // In a variable of its own, which stays in a register.
        var next = position
        scan: while next < end {
            switch bytes[next] {
            case 0x20, 0x0A, 0x0D, 0x09: next += 1
            default: break scan
            }
        }
        position = next
    }

    private mutating func takeComma() throws(JSONSyntaxError) {
        guard position < end, bytes[position] == UInt8(ascii: ",") else { return }
        position += 1
        skipWhitespace()
        expected = isInObject ? .name : .value
        if position < end, bytes[position] == UInt8(ascii: "]") || bytes[position] == UInt8(ascii: "}") {
            throw error("nothing follows a comma", at: position)
        }
    }

    private mutating func close(_ byte: UInt8) throws(JSONSyntaxError) -> Token {
        let isObject = isInObject
        guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
            throw error(isObject ? "a comma or } is missing" : "a comma or ] is missing", at: position)
        }
        objects >>= 1
        depth -= 1
        tokenRange = position..<position + 1
        position += 1
        endValue()
        return isObject ? .endObject : .endArray
    }

    private mutating func endValue() {
        expected = depth == 0 ? .end : .commaOrEnd
    }

    private mutating func takeValue(_ byte: UInt8) throws(JSONSyntaxError) -> Token {
        switch byte {
        case UInt8(ascii: "{"):
            try open(isObject: true)
            expected = .nameOrEndObject
            return .beginObject
        case UInt8(ascii: "["):
            try open(isObject: false)
            expected = .valueOrEndArray
            return .beginArray
        case UInt8(ascii: "\""):
            try takeString()
            endValue()
            return .string
        case UInt8(ascii: "t"):
            try takeWord("true")
            return .true
        case UInt8(ascii: "f"):
            try takeWord("false")
            return .false
        case UInt8(ascii: "n"):
            try takeWord("null")
            return .null
        default:
            try takeNumber()
            return .number
        }
    }

    private mutating func open(isObject: Bool) throws(JSONSyntaxError) {
        guard depth < maximumDepth else {
            throw error("arrays and objects are nested deeper than \(maximumDepth)", at: position)
        }
        objects = objects << 1 | (isObject ? 1 : 0)
        depth += 1
        tokenRange = position..<position + 1
        position += 1
    }

    private mutating func takeWord(_ word: StaticString) throws(JSONSyntaxError) {
        let length = word.utf8CodeUnitCount
        guard end - position >= length, bytes.span.extracting(position..<position + length).equals(word) else {
            throw error("a value is misspelt; words are true, false and null", at: position)
        }
        tokenRange = position..<position + length
        position += length
        endValue()
    }

    private mutating func takeNumber() throws(JSONSyntaxError) {
        guard let next = JSONScanner.endOfNumber(bytes.span, from: position, to: end) else {
            let isNumber = JSONScanner.isOfNumbers(bytes[position])
            throw error(isNumber ? "a number is not as JSON writes numbers" : "a value is missing", at: position)
        }
        tokenRange = position..<next
        position = next
        endValue()
    }

    private mutating func takeString() throws(JSONSyntaxError) {
        let opening = position
        hasEscapes = false
        var isASCII = true
        var next = opening + 1
        while true {
            next = JSONScanner.endOfCharacters(bytes.span, from: next, to: end, isASCII: &isASCII)
            guard next < end else { throw error("a string is not closed", at: opening) }
            switch bytes[next] {
            case UInt8(ascii: "\""):
                tokenRange = opening + 1..<next
                position = next + 1
                if !isASCII { try checkUTF8() }
                return
            case UInt8(ascii: "\\"):
                hasEscapes = true
                guard let length = JSONEscapes.length(bytes, at: next, end: end) else {
                    throw error("an escape in a string is not valid", at: next)
                }
                next += length
            default:
                throw error("a control character in a string is not escaped", at: next)
            }
        }
    }

    private func checkUTF8() throws(JSONSyntaxError) {
        do {
            _ = try UTF8Span(validating: bytes.span.extracting(tokenRange))
        } catch {
            throw self.error("a string is not UTF-8", at: tokenRange.lowerBound + error.byteOffsets.lowerBound)
        }
    }

    /// The place of an offset: line and column from 1.
    public func place(_ offset: Int) -> (line: Int, column: Int) {
        TextPlace.lineAndColumn(of: offset, in: bytes, from: origin)
    }

    private func error(_ message: String, at offset: Int) -> JSONSyntaxError {
        let (line, column) = place(offset)
        return JSONSyntaxError(offset: offset - origin, line: line, column: column, message: message)
    }
}

enum TextPlace {
    /// Line and column of `offset`, both from 1, in the text that starts at `start`. Columns count characters.
    static func lineAndColumn(of offset: Int, in bytes: [UInt8], from start: Int) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in bytes[start..<min(offset, bytes.count)] {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }
}
