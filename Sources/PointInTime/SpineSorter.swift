/// Sorts rows of a spine by (key, time), and in spine order where those are equal.
///
/// By key with a radix sort, least significant digits first, over the digits in which the keys differ at all. Then the
/// rows of each key by comparing them: most keys have few, or have them in order already.
struct SpineSorter {
    struct Entry {
        let key: UInt64
        let time: Int64
        let row: Int32
    }

    private static let digitBits = 11

    private(set) var entries: [Entry] = []

    /// Takes the rows that have a key, and one within a range.
    init(_ keys: SpineKeys, _ timestamps: [Int64], keysIn range: ClosedRange<UInt64>) {
        entries.reserveCapacity(keys.numbers.reduce(0) { range.contains($1) ? $0 + 1 : $0 })
        var invalid = keys.invalidRows.makeIterator()
        var nextInvalid = invalid.next()
        for row in timestamps.indices {
            if let invalidRow = nextInvalid, row == Int(invalidRow) {
                nextInvalid = invalid.next()
                continue
            }
            let key = keys.numbers[row]
            guard range.contains(key) else { continue }
            entries.append(Entry(key: key, time: timestamps[row], row: Int32(row)))
        }
    }

    mutating func sort() {
        sortByKey()
        sortRowsOfKeys()
    }

    private mutating func sortByKey() {
        var minimum = UInt64.max
        var maximum = UInt64.min
        var isSorted = true
        var last = UInt64.min
        for entry in entries {
            minimum = min(minimum, entry.key)
            maximum = max(maximum, entry.key)
            if entry.key < last { isSorted = false }
            last = entry.key
        }
        if isSorted { return }
        var scratch = entries
        let bits = UInt64.bitWidth - (maximum - minimum).leadingZeroBitCount
        let mask = (1 << Self.digitBits) - 1
        for shift in stride(from: 0, to: bits, by: Self.digitBits) {
            var starts = [Int](repeating: 0, count: mask + 2)
            for entry in entries {
                starts[Int(truncatingIfNeeded: (entry.key - minimum) >> UInt64(shift)) & mask + 1] += 1
            }
            for digit in 0...mask { starts[digit + 1] += starts[digit] }
            for entry in entries {
                let digit = Int(truncatingIfNeeded: (entry.key - minimum) >> UInt64(shift)) & mask
                scratch[starts[digit]] = entry
                starts[digit] += 1
            }
            swap(&entries, &scratch)
        }
    }

    /// By time, and by row where times are equal.
    private mutating func sortRowsOfKeys() {
        entries.withUnsafeMutableBufferPointer { entries in
            var start = 0
            while start < entries.count {
                let key = entries[start].key
                var end = start + 1
                var isSorted = true
                while end < entries.count, entries[end].key == key {
                    if entries[end].time < entries[end - 1].time { isSorted = false }
                    end += 1
                }
                if !isSorted {
                    var rows = UnsafeMutableBufferPointer(rebasing: entries[start..<end])
                    rows.sort { left, right in
                        left.time == right.time ? left.row < right.row : left.time < right.time
                    }
                }
                start = end
            }
        }
    }
}
