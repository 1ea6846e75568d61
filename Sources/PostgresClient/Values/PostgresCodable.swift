/// A value that can be bound to a parameter, in binary format.
public protocol PostgresEncodable: Sendable {
    /// The type the parameter is declared with.
    static var postgresType: PostgresType { get }

    /// Appends the value in the binary format of `postgresType`.
    func encode(into writer: inout PostgresBinaryWriter) throws(PostgresError)
}

/// A value that can be read from a column, in binary format.
public protocol PostgresDecodable {
    /// Reads a value of the column type `type` from its bytes.
    ///
    /// - Throws: `PostgresError` with code `decoding` when the column's type or the bytes do not fit.
    static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Self

    /// What a null stands for; refused unless the type is an optional.
    static func decodeNull() throws(PostgresError) -> Self
}

extension PostgresDecodable {
    public static func decodeNull() throws(PostgresError) -> Self {
        throw PostgresError(.decoding, "null where \(Self.self) was expected", hint: "decode as \(Self.self)?")
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Wrapped? {
        try Wrapped.decode(bytes, type: type)
    }

    public static func decodeNull() throws(PostgresError) -> Wrapped? { nil }
}

/// A value that arrays can hold. `UInt8` is one too, whose arrays are `bytea`.
public protocol PostgresArrayElement: Sendable {
    /// The type of an array of such values.
    static var postgresArrayType: PostgresType { get }

    static func encodeArray(_ elements: [Self], into writer: inout PostgresBinaryWriter) throws(PostgresError)
    static func decodeArray(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> [Self]
}

/// A value with a column type of its own and an array type over it.
public protocol PostgresScalar: PostgresEncodable, PostgresDecodable, PostgresArrayElement {}

func unexpectedType(_ type: PostgresType, for target: Any.Type) -> PostgresError {
    PostgresError(.decoding, "column of \(type) cannot be read as \(target)", hint: "cast it in the SQL text")
}

func unexpectedLength(_ length: Int, for target: Any.Type) -> PostgresError {
    PostgresError(.decoding, "\(length) bytes are not a value of \(target)")
}

extension RawSpan {
    /// The big-endian number that the span consists of.
    @inlinable
    func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(PostgresError) -> T {
        guard byteCount == MemoryLayout<T>.size else {
            throw PostgresError(.decoding, "\(byteCount) bytes are not a value of \(T.self)")
        }
        return unsafe T(bigEndian: unsafeLoadUnaligned(as: T.self))
    }

    func copyBytes() -> [UInt8] {
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
