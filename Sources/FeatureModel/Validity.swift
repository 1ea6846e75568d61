/// Which rows of a column hold a value: one bit a row, least significant bit first, as Arrow lays it out.
///
/// A column without nulls keeps no bits at all.
public struct Validity: Sendable {
    /// Number of rows.
    public private(set) var count: Int
    public private(set) var nullCount: Int
    /// Empty while there is no null; else `(count + 7) / 8` bytes.
    public private(set) var bits: [UInt8]

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
        var bits = Array(source.prefix((count + 7) / 8))
        if count % 8 != 0, let last = bits.last { bits[bits.count - 1] = last & UInt8((1 << (count % 8)) - 1) }
        nullCount = count - bits.reduce(0) { $0 + $1.nonzeroBitCount }
        self.bits = nullCount == 0 ? [] : bits
    }

    @inlinable
    public subscript(row: Int) -> Bool {
        bits.isEmpty || bits[row >> 3] & (1 << UInt8(row & 7)) != 0
    }

    public mutating func append(_ isValid: Bool) {
        if !isValid, bits.isEmpty {
            bits = [UInt8](repeating: 0xFF, count: (count + 7) / 8)
            if count % 8 != 0 { bits[bits.count - 1] = UInt8((1 << (count % 8)) - 1) }
        }
        if nullCount > 0 || !isValid {
            if count & 7 == 0 { bits.append(0) }
            if isValid { bits[count >> 3] |= 1 << UInt8(count & 7) }
        }
        count += 1
        if !isValid { nullCount += 1 }
    }

    public mutating func append(contentsOf other: Validity) {
        if other.nullCount == 0 {
            append(true, repeating: other.count)
        } else {
            for row in 0..<other.count { append(other[row]) }
        }
    }

    public func slice(_ rows: Range<Int>) -> Validity {
        var result = Validity()
        if nullCount == 0 {
            result.append(true, repeating: rows.count)
        } else {
            for row in rows { result.append(self[row]) }
        }
        return result
    }

    public mutating func append(_ isValid: Bool, repeating times: Int) {
        if isValid, nullCount == 0 {
            count += times
        } else {
            for _ in 0..<times { append(isValid) }
        }
    }
}

extension Validity: Equatable {
    public static func == (left: Validity, right: Validity) -> Bool {
        left.count == right.count && left.nullCount == right.nullCount && left.bits == right.bits
    }
}
