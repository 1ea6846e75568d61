/// Counts of values, told apart by their hashes, and the number of distinct ones: exact while they are few, then the
/// frequent ones within a bound, with `HyperLogLog` for the number.
///
/// Past `capacity` distinct values this is the algorithm of Misra and Gries, "Finding Repeated Elements" (1982), in the
/// batched form of Anderson et al., "A High-Performance Algorithm for Identifying Frequent Items in Data Streams" (2017):
/// when the table is full, the median of all counts is subtracted from each, and what is not above it leaves.
///
/// A count then misses at most the sum of these medians, `countError`. At least half of the `capacity` counts are no
/// less than the median and lose all of it, so with n values the medians add up to at most 2 n / capacity.
struct FrequencyTable: Sendable {
    let capacity: Int
    /// Of each entry; entries are numbered from 0.
    private(set) var hashes: [UInt64] = []
    private(set) var counts: [Int] = []
    /// 0 while all counts are exact.
    private(set) var countError = 0
    /// Open addressing by the low bits of the hash, linear probing, at most 3/8 full; -1 is free.
    private var slots = [Int16](repeating: -1, count: 32)
    /// Holds every hash, once the table cannot.
    private var distinct: HyperLogLog?
    private let precision: Int

    init(limits: StatisticsLimits) {
        capacity = limits.trackedValues
        precision = limits.hyperLogLogPrecision
    }

    var isExact: Bool { distinct == nil }

    @inline(__always)
    func entry(of hash: UInt64) -> Int? {
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = Int(slots[slot])
            if entry < 0 { return nil }
            if hashes[entry] == hash { return entry }
            slot = (slot &+ 1) & mask
        }
    }

    @inline(__always)
    mutating func count(_ entry: Int) {
        counts[entry] &+= 1
    }

    /// Adds a hash that has no entry, as the last entry, with a count of one.
    /// - Returns: when entries had to leave first, those that stay, which are then numbered from 0 in that order.
    mutating func insert(_ hash: UInt64) -> [Int]? {
        let kept = hashes.count == capacity ? makeRoom() : nil
        distinct?.add(hash)
        if (hashes.count + 1) * 8 > slots.count * 3 { rebuildSlots(count: slots.count * 2) }
        fillSlot(hash, entry: hashes.count)
        hashes.append(hash)
        counts.append(1)
        return kept
    }

    private mutating func makeRoom() -> [Int] {
        if distinct == nil {
            var all = HyperLogLog(precision: precision)
            for hash in hashes { all.add(hash) }
            distinct = all
        }
        var ascending = counts.map { UInt64($0) }
        RadixSort.sort(&ascending)
        let median = Int(ascending[(capacity - 1) / 2])
        countError += median
        let kept = counts.indices.filter { counts[$0] > median }
        hashes = kept.map { hashes[$0] }
        counts = kept.map { counts[$0] - median }
        rebuildSlots(count: slots.count)
        return kept
    }

    private mutating func rebuildSlots(count: Int) {
        if count == slots.count {
            for slot in slots.indices { slots[slot] = -1 }
        } else {
            slots = [Int16](repeating: -1, count: count)
        }
        for (entry, hash) in hashes.enumerated() { fillSlot(hash, entry: entry) }
    }

    private mutating func fillSlot(_ hash: UInt64, entry: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int16(entry)
    }

    /// - Parameter values: how many were counted in all, which bounds an estimate.
    func distinctCount(ofValues values: Int) -> DistinctCount {
        guard let distinct else { return DistinctCount(value: hashes.count, relativeStandardError: 0) }
        return DistinctCount(
            value: min(max(distinct.estimate, capacity + 1), values),
            relativeStandardError: distinct.relativeStandardError)
    }

    /// The entries to report. Past the exact phase only those whose count is above `countError`: any other may be as rare
    /// as one of those that left.
    /// - Parameter precedes: the order of entries of equal count.
    func topEntries(_ precedes: (Int, Int) -> Bool) -> [Int] {
        let sorted = counts.indices.filter { counts[$0] > countError }.sorted { left, right in
            counts[left] != counts[right] ? counts[left] > counts[right] : precedes(left, right)
        }
        return Array(sorted.prefix(TopValues.maximumCount))
    }
}
