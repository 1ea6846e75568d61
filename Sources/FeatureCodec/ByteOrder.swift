/// Fixed-width numbers as bytes, and the order of byte strings.
///
/// A signed number whose sign bit is flipped, most significant byte first, compares as bytes the way it compares as a
/// number; that is what every order-preserving part of the formats uses. Everything else is little-endian.
package enum ByteOrder {
    /// Less than, equal to or greater than zero as `left` stands before, is, or stands after `right` in `memcmp` order.
    package static func compare(_ left: RawSpan, _ right: RawSpan) -> Int {
        let common = min(left.byteCount, right.byteCount)
        var offset = 0
        while offset + 8 <= common {
            let leftWord = loadBigEndian(UInt64.self, from: left, at: offset)
            let rightWord = loadBigEndian(UInt64.self, from: right, at: offset)
            if leftWord != rightWord { return leftWord < rightWord ? -1 : 1 }
            offset += 8
        }
        while offset < common {
            let leftByte = byte(of: left, at: offset)
            let rightByte = byte(of: right, at: offset)
            if leftByte != rightByte { return leftByte < rightByte ? -1 : 1 }
            offset += 1
        }
        return left.byteCount - right.byteCount
    }

    static func byte(of span: RawSpan, at offset: Int) -> UInt8 {
        unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
    }

    static func loadBigEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type, from span: RawSpan, at offset: Int
    ) -> Number {
        Number(bigEndian: unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    static func loadLittleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type, from span: RawSpan, at offset: Int
    ) -> Number {
        Number(littleEndian: unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    static func loadSignFlipped64(from span: RawSpan, at offset: Int) -> Int64 {
        Int64(bitPattern: loadBigEndian(UInt64.self, from: span, at: offset) ^ signBit64)
    }

    static func loadSignFlipped32(from span: RawSpan, at offset: Int) -> Int32 {
        Int32(bitPattern: loadBigEndian(UInt32.self, from: span, at: offset) ^ signBit32)
    }

    /// The number that 8 bytes, sign bit flipped, stand for.
    static func signFlipped64(_ bytes: some Collection<UInt8>) -> Int64 {
        Int64(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) } ^ signBit64)
    }

    /// The number that 4 bytes, sign bit flipped, stand for.
    static func signFlipped32(_ bytes: some Collection<UInt8>) -> Int32 {
        Int32(bitPattern: bytes.reduce(0) { $0 << 8 | UInt32($1) } ^ signBit32)
    }

    /// Two's complement of so many bytes, most significant first, that end before `end`. In front of `end` there are at
    /// least as many bytes as the type has.
    static func loadShortest<Number: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
        _ type: Number.Type, from span: RawSpan, endingAt end: Int, byteCount: Int
    ) -> Number {
        let unusedBits = Number(truncatingIfNeeded: Number.bitWidth - 8 * byteCount)
        // What stands in front comes along and is shifted out again: no branch on the length.
        let number = loadBigEndian(type, from: span, at: end - Number.bitWidth / 8)
        return (number &<< unusedBits) &>> unusedBits
    }

    static let signBit64: UInt64 = 1 << 63
    static let signBit32: UInt32 = 1 << 31
}

extension FixedWidthInteger where Self: SignedInteger {
    /// How few bytes hold the number in two's complement: at least one.
    var shortestByteCount: Int {
        let withoutSign = self ^ (self >> (Self.bitWidth - 1))
        return (Self.bitWidth - withoutSign.leadingZeroBitCount + 8) / 8
    }
}

extension [UInt8] {
    mutating func append(signFlipped value: Int64) {
        append(rawBytesOf: (UInt64(bitPattern: value) ^ ByteOrder.signBit64).bigEndian)
    }

    mutating func append(signFlipped value: Int32) {
        append(rawBytesOf: (UInt32(bitPattern: value) ^ ByteOrder.signBit32).bigEndian)
    }

    /// Appends two's complement in as few bytes as hold it, most significant first.
    mutating func append(shortest value: some FixedWidthInteger & SignedInteger) {
        for byte in (0..<value.shortestByteCount).reversed() {
            append(UInt8(truncatingIfNeeded: value >> (8 * byte)))
        }
    }

    mutating func append(littleEndian value: some FixedWidthInteger & BitwiseCopyable) {
        append(rawBytesOf: value.littleEndian)
    }

    private mutating func append(rawBytesOf value: some BitwiseCopyable) {
        unsafe Swift.withUnsafeBytes(of: value) { unsafe append(contentsOf: $0) }
    }
}
