/// Hashes that are the same in every process, which the standard library's `Hasher` is not.
enum Hash64 {
    /// The increment of the SplitMix64 generator, 2^64 over the golden ratio, made odd.
    static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The output function of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014;
    /// constants of Stafford's variant 13): a bijection that leaves no bit as it was.
    @inline(__always)
    static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    /// XXH64 with seed 0, as "xxHash fast digest algorithm" version 0.1.1 (Collet, 2018) describes it.
    static func hash(_ bytes: RawSpan) -> UInt64 {
        var offset = 0
        var hash = prime5
        if bytes.byteCount >= 32 { hash = stripes(bytes, &offset) }
        hash &+= UInt64(bytes.byteCount)
        while offset + 8 <= bytes.byteCount {
            hash = rotated(hash ^ round(0, load(UInt64.self, bytes, offset)), 27) &* prime1 &+ prime4
            offset += 8
        }
        if offset + 4 <= bytes.byteCount {
            hash = rotated(hash ^ UInt64(load(UInt32.self, bytes, offset)) &* prime1, 23) &* prime2 &+ prime3
            offset += 4
        }
        while offset < bytes.byteCount {
            hash = rotated(hash ^ UInt64(load(UInt8.self, bytes, offset)) &* prime5, 11) &* prime1
            offset += 1
        }
        hash = (hash ^ (hash &>> 33)) &* prime2
        hash = (hash ^ (hash &>> 29)) &* prime3
        return hash ^ (hash &>> 32)
    }

    /// All whole 32 bytes, in four lanes of eight.
    private static func stripes(_ bytes: RawSpan, _ offset: inout Int) -> UInt64 {
        var (lane1, lane2, lane3, lane4) = (prime1 &+ prime2, prime2, UInt64(0), 0 &- prime1)
        while offset + 32 <= bytes.byteCount {
            lane1 = round(lane1, load(UInt64.self, bytes, offset))
            lane2 = round(lane2, load(UInt64.self, bytes, offset + 8))
            lane3 = round(lane3, load(UInt64.self, bytes, offset + 16))
            lane4 = round(lane4, load(UInt64.self, bytes, offset + 24))
            offset += 32
        }
        var hash = rotated(lane1, 1) &+ rotated(lane2, 7) &+ rotated(lane3, 12) &+ rotated(lane4, 18)
        for lane in [lane1, lane2, lane3, lane4] { hash = (hash ^ round(0, lane)) &* prime1 &+ prime4 }
        return hash
    }

    @inline(__always)
    private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
        rotated(lane &+ input &* prime2, 31) &* prime1
    }

    @inline(__always)
    private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        value &<< bits | value &>> (64 &- bits)
    }

    @inline(__always)
    private static func load<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type, _ bytes: RawSpan, _ offset: Int
    ) -> Number {
        Number(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }
}
