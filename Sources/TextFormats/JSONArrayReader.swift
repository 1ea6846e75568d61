public import FeatureModel

/// Reads the elements of a JSON array, one object a row, into typed columns, from the bytes that the array stands in.
///
/// The rows are those that `NDJSONReader` makes of the elements on a line each: what is wrong with one, such as that it
/// is no object, is a violation of its row. The elements are on no line that their sender would know, so that neither
/// batches nor messages tell of any. A record that is kept is on one line, whatever its element was laid out like.
///
/// Elements are read as their rows are taken, so that no more than a batch of them is in memory as rows.
public struct JSONArrayReader: Sendable {
    private let options: TextReadOptions
    private let parser: ValueParser
    private var bytes: [UInt8] = []
    private var range = 0..<0
    /// Nil before the array is begun and after its end.
    private var tokenizer: JSONTokenizer?
    /// Nil until the columns are known.
    private var objects: JSONObjectReader?

    /// - Throws: when the time zone is unknown.
    public init(_ options: TextReadOptions) throws(LarderError) {
        let parser = try ValueParser(options)
        self.options = options
        self.parser = parser
        objects = JSONObjectReader.ofDeclaredColumns(options, parser)
    }

    /// The columns of the batches, once they are known.
    public var fields: [Field]? { objects?.fields }

    /// As `NDJSONReader.inferredFields`.
    public var inferredFields: [Field] { objects?.inferredFields ?? [] }

    /// Begins to read an array, which is there as a whole.
    ///
    /// - Parameter range: of the array in `bytes`, brackets included; it need not have been checked to be one. Where it is
    ///   not as JSON is, is told as a place in `bytes`.
    /// - Throws: `request_invalid` when no array stands there.
    public mutating func begin(_ bytes: [UInt8], _ range: Range<Int>) throws(LarderError) {
        guard bytes[range].first == UInt8(ascii: "[") else {
            throw LarderError(.requestInvalid, "the rows are no JSON array")
        }
        // The array is in an object.
        var tokenizer = JSONTokenizer(bytes, range: range, origin: 0, maximumDepth: options.limits.maximumDepth - 1)
        do throws(JSONSyntaxError) {
            // The opening bracket.
            _ = try tokenizer.next()
        } catch {
            throw Self.invalid(error)
        }
        self.bytes = bytes
        self.range = range
        self.tokenizer = tokenizer
    }

    /// The next rows; nil when there are no more.
    ///
    /// - Throws: `request_invalid` when what stands there is no JSON array; what has been read of it is of no use then.
    public mutating func nextBatch() throws(LarderError) -> ReadBatch? {
        guard var tokenizer = tokenizer.take() else { return objects?.nextBatch() }
        do throws(JSONSyntaxError) {
            while try readElement(&tokenizer) {
                guard let batch = objects?.nextBatch() else { continue }
                self.tokenizer = tokenizer
                return batch
            }
        } catch {
            throw Self.invalid(error)
        }
        if objects == nil { objects = JSONObjectReader(options, parser, firstObject: []) }
        objects?.flush()
        return objects?.nextBatch()
    }

    private static func invalid(_ error: JSONSyntaxError) -> LarderError {
        LarderError(.requestInvalid, "invalid JSON: \(error)")
    }

    /// - Returns: false at the end of the array.
    private mutating func readElement(_ tokenizer: inout JSONTokenizer) throws(JSONSyntaxError) -> Bool {
        let token = try tokenizer.next()
        if token == .endArray {
            // Nothing may follow the array.
            _ = try tokenizer.next()
            return false
        }
        if objects == nil {
            let rest = tokenizer.tokenRange.lowerBound..<range.upperBound
            let names =
                token == .beginObject
                ? JSONColumns.memberNames(bytes, rest, maximumDepth: options.limits.maximumDepth) : []
            objects = JSONObjectReader(options, parser, firstObject: names)
        }
        try objects?.readElement(token, &tokenizer, bytes)
        return true
    }
}

extension JSONObjectReader {
    /// Reads the element whose first token was just read: an object, or a row that is refused.
    fileprivate mutating func readElement(
        _ token: JSONTokenizer.Token, _ tokenizer: inout JSONTokenizer, _ bytes: [UInt8]
    ) throws(JSONSyntaxError) {
        // The token of a string is what stands between the quotes.
        let quote = token == .string ? 1 : 0
        let start = tokenizer.tokenRange.lowerBound - quote
        let place = Place(start: start, line: nil)
        beginRow()
        if token == .beginObject {
            try readMembers(&tokenizer, bytes, at: place)
        } else {
            try tokenizer.skip(from: token)
            refuse("the row is not a JSON object", at: place)
        }
        let range = start..<tokenizer.tokenRange.upperBound + quote
        endRow(at: place, byteCount: range.count, record: bytes[range].onOneLine)
    }
}

extension ArraySlice<UInt8> {
    /// A JSON text without line ends, which it has between its tokens only.
    fileprivate var onOneLine: ArraySlice<UInt8> {
        func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
        return contains(where: isLineEnd) ? ArraySlice(filter { !isLineEnd($0) }) : self
    }
}
