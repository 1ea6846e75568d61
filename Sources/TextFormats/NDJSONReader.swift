public import FeatureModel

/// Reads NDJSON, one JSON object a line, into typed columns as bytes arrive.
///
/// Lines stand for themselves: what is wrong with one, broken JSON included, is a violation of its row. Blank lines are
/// passed over. With `extraColumns: .keep` the columns are those of the first object and the declared ones; any other
/// member of a later object is a violation (`extra_field`).
public struct NDJSONReader: Sendable {
    private let options: TextReadOptions
    private let parser: ValueParser
    private var buffer: [UInt8] = []
    /// Of the current line in `buffer`.
    private var lineStart = 0
    private var searched = 0
    private var line = 0
    /// Nil until the columns are known.
    private var objects: JSONObjectReader?
    private var failure: LarderError?

    /// - Throws: when the time zone is unknown.
    public init(_ options: TextReadOptions) throws(LarderError) {
        let parser = try ValueParser(options)
        self.options = options
        self.parser = parser
        objects = JSONObjectReader.ofDeclaredColumns(options, parser)
    }

    /// The columns of the batches, once they are known.
    public var fields: [Field]? { objects?.fields }

    /// Takes the next bytes of the input.
    /// - Throws: `file_malformed` when the text is UTF-16, `limit_exceeded`; the reader stays failed.
    public mutating func feed(_ bytes: [UInt8]) throws(LarderError) {
        if let failure { throw failure }
        if lineStart > 0 {
            buffer.removeSubrange(..<lineStart)
            searched -= lineStart
            lineStart = 0
        }
        buffer.append(contentsOf: bytes)
        do {
            while let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                try readLine(lineStart..<end)
                lineStart = end + 1
                searched = lineStart
            }
            searched = buffer.count
            try checkLength(buffer.count - lineStart)
        } catch {
            failure = error
            throw error
        }
    }

    /// Says that the input has ended; the last rows are then ready.
    public mutating func finish() throws(LarderError) {
        if let failure { throw failure }
        if lineStart < buffer.count { try readLine(lineStart..<buffer.count) }
        buffer = []
        lineStart = 0
        searched = 0
        if objects == nil { objects = JSONObjectReader(options, parser, firstObject: []) }
        objects?.flush()
    }

    /// The next rows; nil when more bytes are needed or the input has ended.
    public mutating func nextBatch() -> ReadBatch? { objects?.nextBatch() }

    /// The columns of the whole input with types that all values of the kept ones have had so far; their batches can be
    /// made into these with `TypeInference.convert`.
    public var inferredFields: [Field] { objects?.inferredFields ?? [] }

    private func checkLength(_ length: Int) throws(LarderError) {
        guard length <= options.limits.maximumLineBytes else {
            throw LarderError(
                .limitExceeded, "NDJSON: line \(line + 1) is longer than \(options.limits.maximumLineBytes) bytes",
                hint: "write one JSON object a line")
        }
    }

    private mutating func readLine(_ whole: Range<Int>) throws(LarderError) {
        line += 1
        try checkLength(whole.count)
        var range = whole
        if line == 1 {
            let head = buffer[range].prefix(3)
            if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
                throw LarderError(.fileMalformed, "NDJSON: the text is UTF-16", hint: "write it as UTF-8")
            }
            if head.elementsEqual([0xEF, 0xBB, 0xBF]) { range = range.lowerBound + 3..<range.upperBound }
        }
        if buffer[range].allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
        let bytes = buffer
        let maximumDepth = options.limits.maximumDepth
        if objects == nil {
            let names = JSONColumns.memberNames(bytes, range, maximumDepth: maximumDepth)
            objects = JSONObjectReader(options, parser, firstObject: names)
        }
        objects?.readLine(bytes, range, number: line, maximumDepth: maximumDepth)
    }
}

extension JSONObjectReader {
    /// Reads a line, which is an object, or a row that is refused.
    fileprivate mutating func readLine(_ bytes: [UInt8], _ range: Range<Int>, number: Int, maximumDepth: Int) {
        let place = Place(start: range.lowerBound, line: number)
        var tokenizer = JSONTokenizer(bytes, range: range, maximumDepth: maximumDepth)
        beginRow()
        do throws(JSONSyntaxError) {
            if try tokenizer.next() == .beginObject {
                try readMembers(&tokenizer, bytes, at: place)
                _ = try tokenizer.next()
            } else {
                refuse("the row is not a JSON object\(place.suffix(range.lowerBound, in: bytes))", at: place)
            }
        } catch {
            refuse("\(error.message) (line \(number), column \(error.column))", at: place)
        }
        endRow(at: place, byteCount: range.count, record: bytes[range].withoutCarriageReturn)
    }
}

extension ArraySlice<UInt8> {
    /// A line without the carriage return of one that ended with CRLF.
    fileprivate var withoutCarriageReturn: ArraySlice<UInt8> {
        last == UInt8(ascii: "\r") ? dropLast() : self
    }
}
