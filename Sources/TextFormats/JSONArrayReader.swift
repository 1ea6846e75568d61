public import FeatureModel

/// Reads the elements of a JSON array, one object a row, into typed columns, from the bytes that the array stands in.
///
/// The rows are those that `NDJSONReader` makes of the elements on a line each: what is wrong with one, such as that it
/// is no object, is a violation of its row. The elements are on no line that their sender would know, so that neither
/// batches nor messages tell of any. A record that is kept is on one line, whatever its element was laid out like.
public struct JSONArrayReader: Sendable {
    private let options: TextReadOptions
    private let parser: ValueParser
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

    /// Reads a whole array; its rows are then ready.
    ///
    /// - Parameter range: of the array in `bytes`, brackets included.
    /// - Throws: `request_invalid` when no JSON array stands there; what has been read of it is of no use then.
    public mutating func read(_ bytes: [UInt8], _ range: Range<Int>) throws(LarderError) {
        guard bytes[range].first == UInt8(ascii: "[") else {
            throw LarderError(.requestInvalid, "the rows are no JSON array")
        }
        do throws(JSONSyntaxError) {
            try readElements(bytes, range)
        } catch {
            throw LarderError(.requestInvalid, "invalid JSON: \(error)")
        }
        if objects == nil { objects = JSONObjectReader(options, parser, firstObject: []) }
        objects?.flush()
    }

    /// The next rows; nil when there are no more.
    public mutating func nextBatch() -> ReadBatch? { objects?.nextBatch() }

    private mutating func readElements(_ bytes: [UInt8], _ range: Range<Int>) throws(JSONSyntaxError) {
        let maximumDepth = options.limits.maximumDepth
        var tokenizer = JSONTokenizer(bytes, range: range, maximumDepth: maximumDepth)
        // The opening bracket.
        _ = try tokenizer.next()
        while true {
            let token = try tokenizer.next()
            if token == .endArray { break }
            if objects == nil {
                let rest = tokenizer.tokenRange.lowerBound..<range.upperBound
                let names =
                    token == .beginObject ? JSONColumns.memberNames(bytes, rest, maximumDepth: maximumDepth) : []
                objects = JSONObjectReader(options, parser, firstObject: names)
            }
            try objects?.readElement(token, &tokenizer, bytes)
        }
        // Nothing may follow the array.
        _ = try tokenizer.next()
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
