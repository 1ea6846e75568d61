import FeatureModel

/// Sorts the rows of a spine by (key, time), stably: a radix sort, least significant digits first, over the digits in which
/// the rows differ at all.
struct SpineOrder {
    private struct Entry {
        let key: UInt64
        let time: UInt64
        let row: Int32
    }

    private static let digitBits = 11

    private var entries: [Entry] = []
    private let signBit: UInt64 = 1 << 63

    init(keys: SpineKeys, timestamps: [Int64]) {
        entries.reserveCapacity(timestamps.count - keys.invalidRows.count)
        var invalid = keys.invalidRows.makeIterator()
        var nextInvalid = invalid.next()
        for row in timestamps.indices {
            if let invalidRow = nextInvalid, row == Int(invalidRow) {
                nextInvalid = invalid.next()
                continue
            }
            entries.append(
                Entry(key: keys.numbers[row], time: UInt64(bitPattern: timestamps[row]) ^ signBit, row: Int32(row)))
        }
    }

    mutating func sort() {
        guard entries.count > 1 else { return }
        var scratch = entries
        sort(&scratch) { $0.time }
        sort(&scratch) { $0.key }
    }

    @inline(__always)
    private mutating func sort(_ scratch: inout [Entry], by part: (Entry) -> UInt64) {
        var minimum = UInt64.max
        var maximum = UInt64.min
        var isSorted = true
        var last = UInt64.min
        for entry in entries {
            let value = part(entry)
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            if value < last { isSorted = false }
            last = value
        }
        if isSorted { return }
        let bits = UInt64.bitWidth - (maximum - minimum).leadingZeroBitCount
        let mask = (1 << Self.digitBits) - 1
        for shift in stride(from: 0, to: bits, by: Self.digitBits) {
            var starts = [Int](repeating: 0, count: mask + 2)
            for entry in entries {
                starts[Int(truncatingIfNeeded: (part(entry) - minimum) >> UInt64(shift)) & mask + 1] += 1
            }
            for digit in 0...mask { starts[digit + 1] += starts[digit] }
            for entry in entries {
                let digit = Int(truncatingIfNeeded: (part(entry) - minimum) >> UInt64(shift)) & mask
                scratch[starts[digit]] = entry
                starts[digit] += 1
            }
            swap(&entries, &scratch)
        }
    }

    /// The sorted rows, their times, and where each distinct key starts among them.
    func groups() -> (rows: [Int32], times: [Int64], starts: [Int32]) {
        var starts: [Int32] = []
        for index in entries.indices where index == 0 || entries[index].key != entries[index - 1].key {
            starts.append(Int32(index))
        }
        starts.append(Int32(entries.count))
        return (entries.map(\.row), entries.map { Int64(bitPattern: $0.time ^ signBit) }, starts)
    }
}
