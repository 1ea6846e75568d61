/// Builds a binary COPY stream.
///
/// ```swift
/// encoder.beginRow(fieldCount: 2)
/// encoder.append(int64: 1)
/// encoder.appendNull()
/// try await copy.write(encoder.take())
/// ```
///
/// The stream starts with the header; `finish()` appends the trailer. In between, `take()` hands over what has been built so
/// far, so that the memory stays bounded.
public struct PostgresCopyEncoder: Sendable {
    @usableFromInline var writer = PostgresBinaryWriter()
    /// How many fields the current row still lacks.
    @usableFromInline var missingFields = 0

    /// Begins a stream with the header.
    public init() {
        writer.append(bytes: PostgresCopyFormat.header)
    }

    /// What has been built and not been taken.
    public var bytes: [UInt8] { writer.bytes }

    /// The number of bytes built and not taken.
    @inlinable
    public var byteCount: Int { writer.bytes.count }

    /// Hands over what has been built, and goes on with an empty buffer of the same capacity.
    public mutating func take() -> [UInt8] {
        let taken = writer.bytes
        writer.bytes = []
        writer.bytes.reserveCapacity(taken.count)
        return taken
    }

    /// Begins a row. Exactly `fieldCount` fields must follow.
    @inlinable
    public mutating func beginRow(fieldCount: Int) {
        assert(missingFields == 0, "the row before lacks \(missingFields) fields")
        missingFields = fieldCount
        writer.append(Int16(truncatingIfNeeded: fieldCount))
    }

    /// Appends the trailer. The stream is complete then.
    public mutating func finish() {
        assert(missingFields == 0, "the last row lacks \(missingFields) fields")
        writer.append(bytes: PostgresCopyFormat.trailer)
    }

    @inlinable
    mutating func countField() {
        assert(missingFields > 0, "a field more than the row has")
        missingFields -= 1
    }

    @inlinable
    public mutating func appendNull() {
        countField()
        writer.append(Int32(-1))
    }

    @inlinable
    mutating func append<T: FixedWidthInteger>(number: T) {
        countField()
        writer.append(counted: number)
    }

    @inlinable
    public mutating func append(bool value: Bool) {
        append(number: UInt8(value ? 1 : 0))
    }

    @inlinable
    public mutating func append(int16 value: Int16) {
        append(number: value)
    }

    @inlinable
    public mutating func append(int32 value: Int32) {
        append(number: value)
    }

    @inlinable
    public mutating func append(int64 value: Int64) {
        append(number: value)
    }

    @inlinable
    public mutating func append(float value: Float) {
        append(number: value.bitPattern)
    }

    @inlinable
    public mutating func append(double value: Double) {
        append(number: value.bitPattern)
    }

    /// - Throws: `PostgresError` for an instant that 64 bits since 2000 cannot hold.
    @inlinable
    public mutating func append(timestamp value: PostgresTimestamp) throws(PostgresError) {
        append(number: try value.encoded())
    }

    /// - Throws: `PostgresError` for a day that 32 bits since 2000 cannot hold.
    @inlinable
    public mutating func append(date value: PostgresDate) throws(PostgresError) {
        append(number: try value.encoded())
    }

    /// - Throws: `PostgresError` where the text holds a NUL.
    @inlinable
    public mutating func append(string value: String) throws(PostgresError) {
        countField()
        try writer.appendCounted { (writer) throws(PostgresError) in try writer.append(text: value) }
    }

    @inlinable
    public mutating func append(bytes value: [UInt8]) throws(PostgresError) {
        countField()
        try writer.appendCounted { (writer) throws(PostgresError) in writer.append(bytes: value) }
    }

    /// Appends the bytes of a field that are in PostgreSQL's binary format already.
    @inlinable
    public mutating func append(raw value: RawSpan) throws(PostgresError) {
        guard let length = Int32(exactly: value.byteCount) else {
            throw PostgresError(.invalidQuery, "a value is larger than 2 GiB")
        }
        countField()
        writer.append(length)
        unsafe value.withUnsafeBytes { unsafe writer.bytes.append(contentsOf: $0) }
    }

    /// Appends any encodable value, such as an array; nil is null.
    public mutating func append<T: PostgresEncodable>(_ value: T?) throws(PostgresError) {
        guard let value else { return appendNull() }
        countField()
        try writer.appendCounted { (writer) throws(PostgresError) in try value.encode(into: &writer) }
    }
}
