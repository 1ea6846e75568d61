/// A cursor over the rows of a chunk, and over the fields of a row, in the order of the COPY.
///
/// Reading allocates only what the read value itself needs. Each reader returns nil for null and checks that the
/// field has the value's size; the column types are for the caller to know.
public struct PostgresCopyRow: Sendable {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline var offset = 0
    @usableFromInline var remainingFields = 0

    /// How many fields the current row has.
    public internal(set) var fieldCount = 0

    @inlinable
    init(_ chunk: PostgresCopyChunk) {
        bytes = chunk.bytes
    }

    /// Moves on to the next row, past fields that were not read; false after the last row.
    @inlinable
    public mutating func advance() throws(PostgresError) -> Bool {
        while remainingFields > 0 { try skip() }
        guard offset < bytes.count else { return false }
        guard bytes.count - offset >= 2 else { throw Self.malformed() }
        let count = Int(load(Int16.self, at: offset))
        guard count >= 0 else { throw Self.malformed() }
        offset += 2
        setFieldCount(count)
        return true
    }

    @usableFromInline
    mutating func setFieldCount(_ count: Int) {
        fieldCount = count
        remainingFields = count
    }

    /// Passes over the next field.
    @inlinable
    public mutating func skip() throws(PostgresError) {
        _ = try nextRange()
    }

    @inlinable
    public mutating func nextBool() throws(PostgresError) -> Bool? {
        try nextInteger(UInt8.self).map { $0 != 0 }
    }

    @inlinable
    public mutating func nextInt16() throws(PostgresError) -> Int16? {
        try nextInteger(Int16.self)
    }

    @inlinable
    public mutating func nextInt32() throws(PostgresError) -> Int32? {
        try nextInteger(Int32.self)
    }

    @inlinable
    public mutating func nextInt64() throws(PostgresError) -> Int64? {
        try nextInteger(Int64.self)
    }

    @inlinable
    public mutating func nextFloat() throws(PostgresError) -> Float? {
        try nextInteger(UInt32.self).map { Float(bitPattern: $0) }
    }

    @inlinable
    public mutating func nextDouble() throws(PostgresError) -> Double? {
        try nextInteger(UInt64.self).map { Double(bitPattern: $0) }
    }

    @inlinable
    public mutating func nextTimestamp() throws(PostgresError) -> PostgresTimestamp? {
        guard let value = try nextInteger(Int64.self) else { return nil }
        return try PostgresTimestamp(encoded: value)
    }

    @inlinable
    public mutating func nextDate() throws(PostgresError) -> PostgresDate? {
        guard let value = try nextInteger(Int32.self) else { return nil }
        return try PostgresDate(encoded: value)
    }

    /// The next field as text.
    @inlinable
    public mutating func nextString() throws(PostgresError) -> String? {
        guard let range = try nextRange() else { return nil }
        let text = unsafe bytes.withUnsafeBytes { (buffer) in
            unsafe String(validating: UnsafeRawBufferPointer(rebasing: buffer[range]), as: UTF8.self)
        }
        guard let text else { throw PostgresError(.decoding, "text is not valid UTF-8") }
        return text
    }

    @inlinable
    public mutating func nextBytes() throws(PostgresError) -> [UInt8]? {
        try nextRange().map { Array(bytes[$0]) }
    }

    /// Calls `body` with the bytes of the next field, without copying them.
    @inlinable
    public mutating func withNextField<R>(
        _ body: (RawSpan) throws(PostgresError) -> R
    ) throws(PostgresError) -> R? {
        guard let range = try nextRange() else { return nil }
        return try unsafe body(bytes.span.bytes.extracting(range))
    }

    /// The next field as any decodable type, such as an array.
    public mutating func next<T: PostgresDecodable>(
        _: T.Type, columnType: PostgresType
    ) throws(PostgresError) -> T? {
        try withNextField { (bytes) throws(PostgresError) in try T.decode(bytes, type: columnType) }
    }

    /// Where the next field's bytes are within the chunk; nil for null.
    @inlinable
    mutating func nextRange() throws(PostgresError) -> Range<Int>? {
        guard remainingFields > 0, bytes.count - offset >= 4 else { throw Self.malformed() }
        remainingFields -= 1
        let length = Int(load(Int32.self, at: offset))
        offset += 4
        guard length >= 0 else {
            guard length == -1 else { throw Self.malformed() }
            return nil
        }
        guard length <= bytes.count - offset else { throw Self.malformed() }
        defer { offset += length }
        return offset..<offset + length
    }

    @inlinable
    mutating func nextInteger<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(PostgresError) -> T? {
        guard let range = try nextRange() else { return nil }
        guard range.count == MemoryLayout<T>.size else { throw Self.wrongSize(range.count, for: T.self) }
        return load(T.self, at: range.lowerBound)
    }

    /// The caller has checked that the number lies within the bytes.
    @inlinable
    func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, at offset: Int) -> T {
        unsafe bytes.withUnsafeBytes { unsafe T(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }

    @usableFromInline
    static func malformed() -> PostgresError {
        PostgresError(.decoding, "COPY data are malformed, or a field beyond the last was read")
    }

    @usableFromInline
    static func wrongSize(_ count: Int, for type: Any.Type) -> PostgresError {
        PostgresError(.decoding, "field of \(count) bytes cannot be read as \(type)")
    }
}
