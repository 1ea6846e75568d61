/// Which rows of a column hold a value: one bit a row, least significant bit first, as Arrow lays it out.
///
/// A column without nulls keeps no bits at all.
public struct Validity: Sendable {
    /// Number of rows.
    public internal(set) var count: Int
    public internal(set) var nullCount: Int
    /// Empty while there is no null; else `(count + 7) / 8` bytes, in which the bits past `count` are 0.
    public internal(set) var bits: [UInt8]

    public init() {
        count = 0
        nullCount = 0
        bits = []
    }

    /// All of `count` rows valid.
    public init(allValid count: Int) {
        self.count = count
        nullCount = 0
        bits = []
    }

    /// - Parameter bits: at least `(count + 7) / 8` bytes; bits past `count` are ignored.
    public init(count: Int, bits source: some Collection<UInt8>) {
        precondition(source.count >= (count + 7) / 8, "validity bitmap shorter than its rows")
        self.count = count
        nullCount = 0
        bits = Array(source.prefix((count + 7) / 8))
        clearSpareBits()
        nullCount = count - bits.setBitCount(from: 0)
        if nullCount == 0 { bits = [] }
    }

    @inlinable
    public subscript(row: Int) -> Bool {
        bits.isEmpty || bits[row >> 3] & (1 << UInt8(row & 7)) != 0
    }

    public mutating func append(_ isValid: Bool) {
        if isValid, nullCount == 0 {
            count += 1
        } else {
            if nullCount == 0 { keepBits() }
            appendBit(isValid)
            if !isValid { nullCount += 1 }
        }
    }

    /// Writes down the bits of rows that are all valid.
    mutating func keepBits() {
        bits = [UInt8](repeating: 0xFF, count: (count + 7) / 8)
        clearSpareBits()
    }

    /// Adds a row to the bits, whatever they are; `nullCount` is left to the caller.
    mutating func appendBit(_ isValid: Bool) {
        if count & 7 == 0 { bits.append(0) }
        if isValid { bits[count >> 3] |= 1 << UInt8(count & 7) }
        count += 1
    }

    /// Keeps the promise that bits past `count` are 0.
    mutating func clearSpareBits() {
        if count & 7 != 0, !bits.isEmpty { bits[bits.count - 1] &= UInt8((1 << (count & 7)) - 1) }
    }
}

extension [UInt8] {
    func setBitCount(from start: Int) -> Int {
        self[start...].reduce(0) { $0 + $1.nonzeroBitCount }
    }
}

extension Validity: Equatable {
    public static func == (left: Validity, right: Validity) -> Bool {
        left.count == right.count && left.nullCount == right.nullCount && left.bits == right.bits
    }
}
