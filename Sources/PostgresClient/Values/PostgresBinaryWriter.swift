/// Builds values in PostgreSQL's binary format: big-endian numbers, lengths in 32 bits.
public struct PostgresBinaryWriter: Sendable {
    public var bytes: [UInt8] = []

    @inlinable
    init() {}

    @inlinable
    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Appends the number in network byte order.
    @inlinable
    public mutating func append(_ value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    @inlinable
    public mutating func append(bytes other: [UInt8]) {
        bytes.append(contentsOf: other)
    }

    /// Appends the string in UTF-8. PostgreSQL stores no NUL in text.
    @inlinable
    public mutating func append(text: String) throws(PostgresError) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        if bytes[start...].contains(0) {
            bytes.removeSubrange(start...)
            throw PostgresError(.invalidQuery, "text holds a NUL character", hint: "store it as bytea")
        }
    }

    /// Appends what `body` writes, preceded by its length in bytes as 32 bits, as fields and array elements have it.
    @inlinable
    public mutating func appendCounted(
        _ body: (inout PostgresBinaryWriter) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        let start = bytes.count
        append(Int32(0))
        do {
            try body(&self)
        } catch {
            bytes.removeSubrange(start...)
            throw error
        }
        guard let length = Int32(exactly: bytes.count - start - 4) else {
            bytes.removeSubrange(start...)
            throw PostgresError(.invalidQuery, "a value is larger than 2 GiB")
        }
        for index in 0..<4 {
            bytes[start + index] = UInt8(truncatingIfNeeded: length >> Int32(24 - 8 * index))
        }
    }
}
