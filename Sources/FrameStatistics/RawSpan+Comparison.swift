extension RawSpan {
    /// Whether both hold the same bytes, compared eight at a time.
    @inline(__always)
    func hasSameBytes(as other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var offset = 0
        while offset + 8 <= byteCount {
            if unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
                != other.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            {
                return false
            }
            offset += 8
        }
        while offset < byteCount {
            if unsafeLoad(fromByteOffset: offset, as: UInt8.self)
                != other.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            {
                return false
            }
            offset += 1
        }
        return true
    }
}
