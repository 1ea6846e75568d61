import FeatureModel

/// Cuts CSV (RFC 4180) into records as bytes arrive, and each record into fields.
///
/// Lines end with LF or CRLF, the last one may end with the input. A quote is only allowed around a whole field.
struct CSVScanner {
    struct Field {
        /// In bytes from the start of the record, without the quotes.
        let range: Range<Int>
        let isQuoted: Bool
        /// Whether quotes inside are doubled.
        let hasDoubledQuotes: Bool
    }

    private enum State {
        case start
        case fieldStart
        case unquoted
        case quoted
        /// After a quote inside a quoted field: its end, or the first of two.
        case quote
        case carriageReturn
    }

    private static let comma = UInt8(ascii: ",")
    private static let quoteMark = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let limits: TextLimits
    private(set) var buffer: [UInt8] = []
    /// Of the record under construction, in `buffer`.
    private(set) var recordStart = 0
    /// The next byte to look at.
    private var position = 0
    private var state = State.start
    /// From the start of the record.
    private var fieldStart = 0
    private var hasDoubledQuotes = false
    private var lineFeedsInRecord = 0

    /// Of the last complete record.
    private(set) var fields: [Field] = []
    /// The line the last complete record starts on.
    private(set) var line = 1
    private var nextLine = 1
    private(set) var recordLength = 0

    init(limits: TextLimits) {
        self.limits = limits
    }

    mutating func feed(_ bytes: [UInt8]) {
        if recordStart > 0 {
            buffer.removeSubrange(..<recordStart)
            position -= recordStart
            recordStart = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Moves to the next complete record.
    /// - Parameter isLast: whether the input has ended, so that it ends the last record too.
    /// - Returns: false when more bytes are needed.
    mutating func nextRecord(isLast: Bool) throws(LarderError) -> Bool {
        if state == .start, try !skipByteOrderMark(isLast: isLast) { return false }
        if recordLength > 0 { startRecord() }
        // A second reference, so that fields of this struct can change while the bytes are read.
        let bytes = buffer
        let span = bytes.span
        while position < span.count {
            switch state {
            case .start, .fieldStart:
                fieldStart = position - recordStart
                state = .unquoted
                if span[position] == Self.quoteMark {
                    fieldStart += 1
                    position += 1
                    state = .quoted
                }
            case .unquoted:
                // In a variable of its own, which stays in a register.
                var end = position
                while end < span.count, span[end] > Self.comma { end += 1 }
                position = end
                guard end < span.count else { break }
                if try takeUnquoted(span[position]) { return true }
            case .quoted:
                while position < span.count, span[position] != Self.quoteMark {
                    if span[position] == Self.lineFeed { lineFeedsInRecord += 1 }
                    position += 1
                }
                guard position < span.count else { break }
                position += 1
                state = .quote
            case .quote:
                if try takeAfterQuote(span[position]) { return true }
            case .carriageReturn:
                guard span[position] == Self.lineFeed else { throw loneCarriageReturn() }
                position += 1
                endRecord()
                return true
            }
        }
        guard position - recordStart <= limits.maximumLineBytes else {
            throw LarderError(
                .limitExceeded,
                "CSV: the record that starts on line \(nextLine) is longer than "
                    + "\(limits.maximumLineBytes) bytes", hint: "look for a quote that is not closed")
        }
        return isLast ? try takeLast() : false
    }

    /// - Returns: whether the byte ended the record.
    private mutating func takeUnquoted(_ byte: UInt8) throws(LarderError) -> Bool {
        switch byte {
        case Self.comma:
            try endField(at: position, isQuoted: false)
            position += 1
            state = .fieldStart
        case Self.lineFeed:
            try endField(at: position, isQuoted: false)
            position += 1
            endRecord()
            return true
        case Self.carriageReturn:
            try endField(at: position, isQuoted: false)
            position += 1
            state = .carriageReturn
        case Self.quoteMark:
            throw malformed(
                "a quote stands inside a field that does not start with one", at: position,
                hint: "put the whole field in quotes and double the quotes in it")
        default:
            position += 1
        }
        return false
    }

    /// - Returns: whether the byte ended the record.
    private mutating func takeAfterQuote(_ byte: UInt8) throws(LarderError) -> Bool {
        switch byte {
        case Self.quoteMark:
            hasDoubledQuotes = true
            position += 1
            state = .quoted
        case Self.comma, Self.lineFeed, Self.carriageReturn:
            try endField(at: position - 1, isQuoted: true)
            position += 1
            if byte == Self.lineFeed {
                endRecord()
                return true
            }
            state = byte == Self.comma ? .fieldStart : .carriageReturn
        default:
            throw malformed(
                "something follows the closing quote of a field", at: position, hint: "double the quotes inside of it")
        }
        return false
    }

    private mutating func takeLast() throws(LarderError) -> Bool {
        switch state {
        case .start: return false
        case .fieldStart:
            if fields.isEmpty { return false }
            fieldStart = position - recordStart
            try endField(at: position, isQuoted: false)
        case .unquoted: try endField(at: position, isQuoted: false)
        case .quote: try endField(at: position - 1, isQuoted: true)
        case .quoted:
            throw malformed(
                "a quote is not closed", at: recordStart + fieldStart - 1, hint: "the file may have been cut")
        case .carriageReturn: throw loneCarriageReturn()
        }
        endRecord()
        // What is left is an empty record that is none.
        return true
    }

    private mutating func skipByteOrderMark(isLast: Bool) throws(LarderError) -> Bool {
        let head = Array(buffer.prefix(3))
        if head.count < 3, !isLast, head.isEmpty || Self.byteOrderMark.starts(with: head) || head[0] >= 0xFE {
            return false
        }
        if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
            throw LarderError(.fileMalformed, "CSV: the text is UTF-16", hint: "write it as UTF-8")
        }
        if head == Self.byteOrderMark {
            position = 3
            recordStart = 3
        }
        state = .fieldStart
        return true
    }

    private mutating func endField(at end: Int, isQuoted: Bool) throws(LarderError) {
        let range = fieldStart..<end - recordStart
        guard range.count <= limits.maximumFieldBytes else {
            throw limit("a field is longer than \(limits.maximumFieldBytes) bytes")
        }
        guard fields.count < limits.maximumColumns else {
            throw limit("a record has more than \(limits.maximumColumns) fields")
        }
        fields.append(Field(range: range, isQuoted: isQuoted, hasDoubledQuotes: hasDoubledQuotes))
        hasDoubledQuotes = false
    }

    private mutating func endRecord() {
        recordLength = position - recordStart
        line = nextLine
        nextLine += 1 + lineFeedsInRecord
        lineFeedsInRecord = 0
        state = .fieldStart
    }

    private mutating func startRecord() {
        recordStart += recordLength
        recordLength = 0
        fields.removeAll(keepingCapacity: true)
    }

    /// The place in the input of a byte of the current record, for messages.
    func place(_ offset: Int) -> String {
        let (line, column) = TextPlace.lineAndColumn(of: recordStart + offset, in: buffer, from: recordStart)
        return "line \((recordLength > 0 ? self.line : nextLine) + line - 1), column \(column)"
    }

    /// The place where a field begins, its opening quote included.
    func place(of field: Field) -> String { place(field.range.lowerBound - (field.isQuoted ? 1 : 0)) }

    private func malformed(_ message: String, at position: Int, hint: String? = nil) -> LarderError {
        LarderError(.fileMalformed, "CSV: \(message) (\(place(position - recordStart)))", hint: hint)
    }

    private func loneCarriageReturn() -> LarderError {
        malformed(
            "a carriage return stands without a line feed", at: position - 1,
            hint: "end lines with LF or CRLF, and put fields that hold a carriage return in quotes")
    }

    private func limit(_ message: String) -> LarderError {
        LarderError(.limitExceeded, "CSV: \(message) (\(place(fieldStart)))")
    }
}
