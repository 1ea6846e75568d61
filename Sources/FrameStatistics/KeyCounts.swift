internal import FeatureModel

/// Counts of numbers and times, by ordered key. The hash of a key is a bijection, so equal hashes are equal keys.
struct KeyCounts: Sendable {
    private(set) var table: FrequencyTable
    /// Of each entry of the table.
    private var keys: [UInt64] = []

    init(limits: StatisticsLimits) {
        table = FrequencyTable(limits: limits)
    }

    @inline(__always)
    mutating func add(_ key: UInt64) {
        let hash = Hash64.mixed(key &+ Hash64.increment)
        if let entry = table.entry(of: hash) {
            table.count(entry)
        } else {
            insert(key, hash)
        }
    }

    @inline(never)
    private mutating func insert(_ key: UInt64, _ hash: UInt64) {
        if let kept = table.insert(hash) { keys = kept.map { keys[$0] } }
        keys.append(key)
    }

    func topValues(type: ValueType) -> TopValues {
        let values = table.topEntries { keys[$0] < keys[$1] }.map { entry in
            TopValue(value: OrderedKey.value(keys[entry], type: type), byteCount: nil, count: table.counts[entry])
        }
        return TopValues(values: values, countError: table.countError)
    }

    /// The key at each rank (from 1 on, ascending), while the counts are exact.
    func keys(atRanks ranks: [Int]) -> [UInt64] {
        let ascending = keys.indices.sorted { keys[$0] < keys[$1] }
        var position = 0
        var below = 0
        return ranks.map { rank in
            while below + table.counts[ascending[position]] < rank {
                below += table.counts[ascending[position]]
                position += 1
            }
            return keys[ascending[position]]
        }
    }
}
