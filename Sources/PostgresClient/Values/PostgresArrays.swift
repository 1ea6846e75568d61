// Binary arrays: dimensions, a flag for nulls, element type, then size and lower bound of each dimension, then the
// elements, each preceded by its length. An empty array has no dimension at all.

extension PostgresArrayElement where Self: PostgresScalar {
    public static func encodeArray(_ elements: [Self], into writer: inout PostgresBinaryWriter) throws(PostgresError) {
        try writer.appendArray(of: Self.postgresType, count: elements.count) { (index, writer) throws(PostgresError) in
            try elements[index].encode(into: &writer)
        }
    }

    public static func decodeArray(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> [Self] {
        let header = try PostgresArrayHeader(bytes, for: Self.self)
        var elements: [Self] = []
        elements.reserveCapacity(header.count)
        var offset = header.byteCount
        for _ in 0..<header.count {
            let length = try arrayField(bytes, at: &offset)
            elements.append(try Self.decode(bytes.extracting(offset..<offset + length), type: header.elementType))
            offset += length
        }
        guard offset == bytes.byteCount else { throw malformedArray() }
        return elements
    }
}

extension UInt8: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { .bytea }

    public static func encodeArray(_ elements: [UInt8], into writer: inout PostgresBinaryWriter) {
        writer.append(bytes: elements)
    }

    public static func decodeArray(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> [UInt8] {
        guard type == .bytea else { throw unexpectedType(type, for: [UInt8].self) }
        return bytes.copyBytes()
    }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: PostgresType { Element.postgresArrayType }

    public func encode(into writer: inout PostgresBinaryWriter) throws(PostgresError) {
        try Element.encodeArray(self, into: &writer)
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Reads an array of one dimension without nulls.
    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> [Element] {
        try Element.decodeArray(bytes, type: type)
    }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    public static var postgresArrayType: PostgresType { .byteaArray }

    public static func encodeArray(
        _ elements: [[UInt8]], into writer: inout PostgresBinaryWriter
    ) throws(PostgresError) {
        try writer.appendArray(of: .bytea, count: elements.count) { (index, writer) in
            writer.append(bytes: elements[index])
        }
    }

    public static func decodeArray(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> [[UInt8]] {
        let header = try PostgresArrayHeader(bytes, for: [UInt8].self)
        guard header.elementType == .bytea else { throw unexpectedType(type, for: [[UInt8]].self) }
        var elements: [[UInt8]] = []
        elements.reserveCapacity(header.count)
        var offset = header.byteCount
        for _ in 0..<header.count {
            let length = try arrayField(bytes, at: &offset)
            elements.append(bytes.extracting(offset..<offset + length).copyBytes())
            offset += length
        }
        guard offset == bytes.byteCount else { throw malformedArray() }
        return elements
    }
}

extension PostgresBinaryWriter {
    @inlinable
    mutating func appendArray(
        of elementType: PostgresType, count: Int,
        element: (Int, inout PostgresBinaryWriter) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        guard let size = Int32(exactly: count) else {
            throw PostgresError(.invalidQuery, "an array has more than 2^31 elements")
        }
        append(Int32(count == 0 ? 0 : 1))
        append(Int32(0))
        append(elementType.rawValue)
        guard count > 0 else { return }
        append(size)
        append(Int32(1))
        for index in 0..<count {
            try appendCounted { (writer) throws(PostgresError) in try element(index, &writer) }
        }
    }
}

/// What precedes the elements of an array of at most one dimension.
struct PostgresArrayHeader {
    var elementType: PostgresType
    var count: Int
    /// Where the first element's length stands.
    var byteCount: Int

    init(_ bytes: RawSpan, for element: Any.Type) throws(PostgresError) {
        guard bytes.byteCount >= 12 else { throw malformedArray() }
        let dimensions = try bytes.extracting(0..<4).integer(Int32.self)
        elementType = PostgresType(rawValue: try bytes.extracting(8..<12).integer(UInt32.self))
        switch dimensions {
        case 0:
            guard bytes.byteCount == 12 else { throw malformedArray() }
            (count, byteCount) = (0, 12)
        case 1:
            guard bytes.byteCount >= 20 else { throw malformedArray() }
            let size = Int(try bytes.extracting(12..<16).integer(Int32.self))
            // Each element takes four bytes at least: a count beyond that is no array, and must not size a buffer.
            guard size >= 0, size <= (bytes.byteCount - 20) / 4 else { throw malformedArray() }
            (count, byteCount) = (size, 20)
        default:
            throw PostgresError(.decoding, "array of \(dimensions) dimensions cannot be read as [\(element)]")
        }
    }
}

/// The length of the element whose length field is at `offset`, which moves on to the element's first byte.
func arrayField(_ bytes: RawSpan, at offset: inout Int) throws(PostgresError) -> Int {
    guard bytes.byteCount - offset >= 4 else { throw malformedArray() }
    let length = Int(try bytes.extracting(offset..<offset + 4).integer(Int32.self))
    offset += 4
    if length == -1 { throw PostgresError(.decoding, "null element in an array") }
    guard length >= 0, length <= bytes.byteCount - offset else { throw malformedArray() }
    return length
}

func malformedArray() -> PostgresError {
    PostgresError(.decoding, "array is malformed")
}
