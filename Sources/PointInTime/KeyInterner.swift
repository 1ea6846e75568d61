internal import FeatureCodec

/// Gives each distinct byte string a number, counting from 0 in order of appearance.
///
/// The strings lie in one buffer behind one another, so that ten million of them cost no allocation each.
public struct KeyInterner: Sendable {
    private(set) var arena: [UInt8] = []
    /// Start of each string in `arena`, and the end of the last.
    private(set) var offsets: [Int] = [0]
    /// Open addressing, linear probing; -1 is free. The size is a power of two.
    private var table = [Int32](repeating: -1, count: 64)

    /// How many distinct strings have been given a number.
    public var count: Int { offsets.count - 1 }

    public init() {}

    /// Makes room for so many strings in all, so that none of them has to be moved for a later one.
    public mutating func reserveCapacity(_ count: Int) {
        offsets.reserveCapacity(count + 1)
        // Two thirds full at most.
        var size = table.count
        while count * 3 >= size * 2 { size *= 2 }
        if size > table.count { rebuild(size) }
    }

    public mutating func intern(_ key: [UInt8]) -> Int32 {
        // Two thirds full at most, so that probes stay short.
        if count * 3 >= table.count * 2 { rebuild(table.count * 2) }
        let slot = slot(of: key.span.bytes)
        if table[slot] >= 0 { return table[slot] }
        let number = Int32(count)
        table[slot] = number
        arena.append(contentsOf: key)
        offsets.append(arena.count)
        return number
    }

    /// The slot that holds the key, or the free one it belongs into.
    private func slot(of key: RawSpan) -> Int {
        let mask = table.count - 1
        var slot = Self.hash(key) & mask
        while table[slot] >= 0 {
            let number = Int(table[slot])
            let other = arena.span.bytes.extracting(offsets[number]..<offsets[number + 1])
            if ByteOrder.compare(key, other) == 0 { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// Keys come from users, so the hash is the standard library's seeded one.
    private static func hash(_ key: RawSpan) -> Int {
        var hasher = Hasher()
        key.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    private mutating func rebuild(_ size: Int) {
        table = [Int32](repeating: -1, count: size)
        for number in 0..<count {
            let slot = slot(of: arena.span.bytes.extracting(offsets[number]..<offsets[number + 1]))
            table[slot] = Int32(number)
        }
    }

    /// The numbers, in the order of their strings.
    func sorted() -> [Int32] {
        // The first bytes decide nearly always, and wholly for a single integer key (a tag and eight bytes).
        var entries: [(prefix: UInt64, number: Int32)] = []
        entries.reserveCapacity(count)
        for number in 0..<count {
            entries.append((prefix(of: number), Int32(number)))
        }
        arena.withUnsafeBytes { bytes in
            entries.sort { left, right in
                if left.prefix != right.prefix { return left.prefix < right.prefix }
                return ByteOrder.compare(
                    bytes.bytes.extracting(range(of: left.number)), bytes.bytes.extracting(range(of: right.number))) < 0
            }
        }
        return entries.map(\.number)
    }

    private func range(of number: Int32) -> Range<Int> {
        offsets[Int(number)]..<offsets[Int(number) + 1]
    }

    /// Bytes 1 to 8 of the string as a number, zeros where it is shorter. Byte 0 is a tag, the same in all keys.
    private func prefix(of number: Int) -> UInt64 {
        var prefix: UInt64 = 0
        let start = offsets[number] + 1
        for position in start..<start + 8 {
            prefix = prefix << 8 | (position < offsets[number + 1] ? UInt64(arena[position]) : 0)
        }
        return prefix
    }
}
