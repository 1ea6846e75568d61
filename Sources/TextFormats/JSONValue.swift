public import FeatureModel

/// A JSON document in memory, for requests and answers. Rows are read with `NDJSONReader`
/// and `JSONArrayReader`.
public indirect enum JSONValue: Sendable, Hashable {
    public struct Member: Sendable, Hashable {
        public let name: String
        public let value: JSONValue

        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    case null
    case bool(Bool)
    /// The digits as they stand, so that an int64 keeps them all.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// Members in their order, no two of the same name.
    case object([Member])

    public static func integer(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }

    /// The member of an object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// Parses one JSON text.
    ///
    /// - Parameters:
    ///   - limits: of `maximumDepth`, `maximumColumns` (members of one object) and `maximumLineBytes` (the text).
    ///   - code: what errors are called, `request_invalid` unless said otherwise.
    /// - Throws: an error that names line and column.
    public static func parse(
        _ bytes: [UInt8], limits: TextLimits = .default, code: ErrorCode = .requestInvalid
    ) throws(LarderError) -> JSONValue {
        try parse(bytes, leavingName: nil, limits, code).value
    }

    /// Parses one JSON text that is an object, and leaves an array that is a member of it where it stands: it is empty in
    /// the value, and what is in it is looked at by whoever reads it (`JSONArrayReader`), and not before.
    ///
    /// - Parameter member: the array's name.
    /// - Returns: also the array's place in `bytes`, brackets included; nil when there is no array of that name.
    /// - Throws: as `parse(_:limits:code:)`.
    public static func parse(
        _ bytes: [UInt8], leaving member: String, limits: TextLimits = .default, code: ErrorCode = .requestInvalid
    ) throws(LarderError) -> (value: JSONValue, array: Range<Int>?) {
        try parse(bytes, leavingName: Array(member.utf8), limits, code)
    }

    private static func parse(
        _ bytes: [UInt8], leavingName: [UInt8]?, _ limits: TextLimits, _ code: ErrorCode
    ) throws(LarderError) -> (value: JSONValue, array: Range<Int>?) {
        guard bytes.count <= limits.maximumLineBytes else {
            throw LarderError(
                .bodyTooLarge, "JSON text of \(bytes.count) bytes is larger than \(limits.maximumLineBytes)")
        }
        var parser = JSONValueParser(bytes, leavingName: leavingName, limits: limits)
        do {
            if leavingName != nil, let value = try? parser.parse() { return (value, parser.leftArray) }
            // The mistake may be in the array that was left, and the end of that was a guess.
            parser = JSONValueParser(bytes, leavingName: leavingName, checksLeftArray: true, limits: limits)
            let value = try parser.parse()
            return (value, parser.leftArray)
        } catch {
            throw LarderError(code, "invalid JSON: \(error)")
        }
    }
}

private struct JSONValueParser {
    private var tokenizer: JSONTokenizer
    private let leavingName: [UInt8]?
    private let checksLeftArray: Bool
    private let limits: TextLimits
    private(set) var leftArray: Range<Int>?

    init(_ bytes: [UInt8], leavingName: [UInt8]?, checksLeftArray: Bool = false, limits: TextLimits) {
        tokenizer = JSONTokenizer(bytes, maximumDepth: limits.maximumDepth)
        self.leavingName = leavingName
        self.checksLeftArray = checksLeftArray
        self.limits = limits
    }

    mutating func parse() throws(JSONSyntaxError) -> JSONValue {
        let value = try value(try tokenizer.next())
        _ = try tokenizer.next()
        return value
    }

    private mutating func value(_ token: JSONTokenizer.Token) throws(JSONSyntaxError) -> JSONValue {
        switch token {
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .number: return .number(String(decoding: tokenizer.tokenBytes, as: UTF8.self))
        case .string: return .string(tokenizer.text)
        case .beginArray:
            var values: [JSONValue] = []
            while true {
                let token = try tokenizer.next()
                if token == .endArray { return .array(values) }
                values.append(try value(token))
            }
        case .beginObject: return .object(try members())
        case .null, .name, .endArray, .endObject, .end: return .null
        }
    }

    private mutating func members() throws(JSONSyntaxError) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        var names: Set<[UInt8]> = []
        while try tokenizer.next() == .name {
            let bytes = tokenizer.textBytes
            let name = String(decoding: bytes, as: UTF8.self)
            guard names.insert(bytes).inserted else {
                throw fault("member \(ValueFault.excerpt(bytes.span)) is there twice")
            }
            guard names.count <= limits.maximumColumns else {
                throw fault("an object has more than \(limits.maximumColumns) members")
            }
            members.append(JSONValue.Member(name, try memberValue(bytes)))
        }
        return members
    }

    private mutating func memberValue(_ name: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
        let token = try tokenizer.next()
        // Within the outermost object.
        guard token == .beginArray, tokenizer.depth == 2, name == leavingName else { return try value(token) }
        let start = tokenizer.tokenRange.lowerBound
        let isSkipped = checksLeftArray ? false : try tokenizer.skipUnchecked()
        if !isSkipped { try tokenizer.skip(from: token) }
        leftArray = start..<tokenizer.tokenRange.upperBound
        return .array([])
    }

    private func fault(_ message: String) -> JSONSyntaxError {
        let offset = tokenizer.tokenRange.lowerBound
        let (line, column) = tokenizer.place(offset)
        return JSONSyntaxError(offset: offset, line: line, column: column, message: message)
    }
}

extension JSONValue {
    /// The value as JSON text: on one line, or indented by two spaces a level when `pretty`.
    public func serialized(pretty: Bool = false) -> [UInt8] {
        var out: [UInt8] = []
        write(into: &out, pretty: pretty)
        return out
    }

    public func write(into out: inout [UInt8], pretty: Bool = false) {
        write(into: &out, indent: pretty ? 0 : nil)
    }

    private func write(into out: inout [UInt8], indent: Int?) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let digits): out.append(contentsOf: digits.utf8)
        case .string(let text): JSONText.writeString(text, into: &out)
        case .array(let values):
            Self.writeContainer("[", "]", values, into: &out, indent: indent) { value, out, indent in
                value.write(into: &out, indent: indent)
            }
        case .object(let members):
            Self.writeContainer("{", "}", members, into: &out, indent: indent) { member, out, indent in
                JSONText.writeString(member.name, into: &out)
                out.append(contentsOf: (indent == nil ? ":" : ": ").utf8)
                member.value.write(into: &out, indent: indent)
            }
        }
    }

    private static func writeContainer<Item>(
        _ open: String, _ close: String, _ items: [Item], into out: inout [UInt8], indent: Int?,
        writeItem: (Item, inout [UInt8], Int?) -> Void
    ) {
        out.append(contentsOf: open.utf8)
        let inner = indent.map { $0 + 2 }
        for (index, item) in items.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            if let inner { out.append(contentsOf: ("\n" + String(repeating: " ", count: inner)).utf8) }
            writeItem(item, &out, inner)
        }
        if let indent, !items.isEmpty { out.append(contentsOf: ("\n" + String(repeating: " ", count: indent)).utf8) }
        out.append(contentsOf: close.utf8)
    }
}
