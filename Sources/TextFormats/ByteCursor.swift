/// Writes bytes one after another into memory that its caller set aside and knows to be enough.
///
/// It checks every write all the same: running over the end stops the program instead of overwriting what follows.
public struct ByteCursor {
    @usableFromInline var next: UnsafeMutablePointer<UInt8>
    @usableFromInline let start: UnsafeMutablePointer<UInt8>
    @usableFromInline let end: UnsafeMutablePointer<UInt8>

    /// - Parameter buffer: not empty, and not touched by anybody else while the cursor is used.
    @inlinable
    public init(_ buffer: UnsafeMutableRawBufferPointer) {
        let bytes = buffer.assumingMemoryBound(to: UInt8.self)
        guard let base = bytes.baseAddress else { preconditionFailure("there is no room to write to") }
        start = base
        next = base
        end = base + bytes.count
    }

    /// Bytes written so far.
    @inlinable public var count: Int { next - start }

    @inlinable
    public mutating func append(_ byte: UInt8) {
        precondition(next < end, "a text is longer than the room set aside for it")
        next.pointee = byte
        next += 1
    }

    @inlinable
    public mutating func append(contentsOf bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= end - next, "a text is longer than the room set aside for it")
        guard let base = bytes.baseAddress else { return }
        UnsafeMutableRawPointer(next).copyMemory(from: base, byteCount: bytes.count)
        next += bytes.count
    }

    @inlinable
    public mutating func append(contentsOf bytes: RawSpan) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }

    @inlinable
    public mutating func append(contentsOf bytes: [UInt8]) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }

    /// - Parameter text: ASCII or UTF-8.
    @inlinable
    public mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// What text is written to.
protocol ByteSink {
    mutating func append(_ byte: UInt8)
    mutating func append(contentsOf bytes: UnsafeRawBufferPointer)
}

extension ByteCursor: ByteSink {}

extension [UInt8]: ByteSink {
    mutating func append(contentsOf bytes: UnsafeRawBufferPointer) {
        append(
            contentsOf: UnsafeBufferPointer(
                start: bytes.assumingMemoryBound(to: UInt8.self).baseAddress, count: bytes.count))
    }
}

extension ByteSink {
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
