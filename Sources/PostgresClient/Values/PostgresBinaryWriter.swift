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

    /// Appends the number, preceded by its length in bytes as 32 bits: all at once, for this is most of what a COPY is.
    @inlinable
    mutating func append<Number: FixedWidthInteger>(counted value: Number) {
        let length = UInt32(truncatingIfNeeded: MemoryLayout<Number>.size).bigEndian
        if MemoryLayout<Number>.size == 8 {
            // In halves, because a tuple of 4 and 8 bytes has a gap between them.
            let high = UInt32(truncatingIfNeeded: value >> 32).bigEndian
            let low = UInt32(truncatingIfNeeded: value).bigEndian
            unsafe withUnsafeBytes(of: (length, high, low)) { unsafe bytes.append(contentsOf: $0) }
        } else {
            unsafe withUnsafeBytes(of: (length, value.bigEndian)) { unsafe bytes.append(contentsOf: $0) }
        }
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
