/// Arrow's booleans, one bit each and least significant bit first, as bytes of 0 and 1 and back. Eight go at once: in
/// a word of eight such bytes, a multiplication brings all of their low bits together, and another spreads a byte out.
enum BitPacking {
    /// - Parameter target: `(bools.count + 7) / 8` bytes.
    static func pack(_ bools: [Bool], into target: UnsafeMutableRawBufferPointer) {
        bools.withUnsafeBytes { source in
            for byte in 0..<source.count / 8 {
                let word = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: byte * 8, as: UInt64.self))
                target[byte] = UInt8(truncatingIfNeeded: (word &* 0x0102_0408_1020_4080) >> 56)
            }
            let whole = source.count & ~7
            guard whole < source.count else { return }
            target[whole / 8] = (whole..<source.count).reduce(0) { $0 | source[$1] << UInt8($1 - whole) }
        }
    }

    /// - Parameter bits: at least `(count + 7) / 8` bytes.
    static func unpack(_ bits: UnsafeRawBufferPointer, count: Int) -> [Bool] {
        [Bool](unsafeUninitializedCapacity: count) { bools, initialized in
            let target = UnsafeMutableRawBufferPointer(bools)
            for byte in 0..<count / 8 {
                // Each byte of the word keeps the bit of its place, which the addition carries into its high bit.
                let word = (UInt64(bits[byte]) &* 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201
                let bytes = ((word &+ 0x7F7F_7F7F_7F7F_7F7F) >> 7) & 0x0101_0101_0101_0101
                target.storeBytes(of: bytes.littleEndian, toByteOffset: byte * 8, as: UInt64.self)
            }
            for row in count & ~7..<count { bools[row] = bits[row >> 3] & (1 << UInt8(row & 7)) != 0 }
            initialized = count
        }
    }
}
