internal import FeatureModel

/// Counts of strings and bytes.
///
/// Two values are the same when their hashes, their lengths and their first 48 bytes are. For values of up to 48 bytes
/// that is exact; longer ones that share a beginning and a length are told apart by 64 bits, so that among all pairs of
/// 6,144 a mistake has a chance of 10^-12.
struct ByteStringCounts: Sendable {
    private(set) var table: FrequencyTable
    /// Lengths of the whole values, by entry.
    private var lengths: [Int] = []
    /// The beginnings, behind one another, and where each ends.
    private var prefixes: [UInt8] = []
    private var prefixEnds: [Int] = []

    init(limits: StatisticsLimits) {
        table = FrequencyTable(limits: limits)
    }

    mutating func add(_ value: RawSpan) {
        var hash = Hash64.hash(value)
        while let entry = table.entry(of: hash) {
            if isSame(value, entry) {
                table.count(entry)
                return
            }
            // Another value has this hash. Both look for their entries along the same chain of hashes.
            hash = Hash64.mixed(hash &+ Hash64.increment)
        }
        insert(value, hash)
    }

    @inline(__always)
    private func isSame(_ value: RawSpan, _ entry: Int) -> Bool {
        guard lengths[entry] == value.byteCount else { return false }
        let start = prefixStart(entry)
        return prefixes.span.bytes.extracting(start..<prefixEnds[entry]).hasSameBytes(
            as: value.extracting(first: TopValue.maximumBytes))
    }

    @inline(__always)
    private func prefixStart(_ entry: Int) -> Int {
        entry == 0 ? 0 : prefixEnds[entry - 1]
    }

    private func prefix(_ entry: Int) -> ArraySlice<UInt8> {
        prefixes[prefixStart(entry)..<prefixEnds[entry]]
    }

    @inline(never)
    private mutating func insert(_ value: RawSpan, _ hash: UInt64) {
        if let kept = table.insert(hash) { keep(kept) }
        lengths.append(value.byteCount)
        value.extracting(first: TopValue.maximumBytes).withUnsafeBytes { prefixes.append(contentsOf: $0) }
        prefixEnds.append(prefixes.count)
    }

    private mutating func keep(_ entries: [Int]) {
        var keptPrefixes: [UInt8] = []
        var keptEnds: [Int] = []
        for entry in entries {
            keptPrefixes.append(contentsOf: prefix(entry))
            keptEnds.append(keptPrefixes.count)
        }
        lengths = entries.map { lengths[$0] }
        prefixes = keptPrefixes
        prefixEnds = keptEnds
    }

    func topValues(isText: Bool) -> TopValues {
        let top = table.topEntries { left, right in
            if !prefix(left).elementsEqual(prefix(right)) {
                return prefix(left).lexicographicallyPrecedes(prefix(right))
            }
            return (lengths[left], table.hashes[left]) < (lengths[right], table.hashes[right])
        }
        let values = top.map { entry in
            let value: Value = isText ? .string(text(entry)) : .bytes(Array(prefix(entry)))
            return TopValue(value: value, byteCount: lengths[entry], count: table.counts[entry])
        }
        return TopValues(values: values, countError: table.countError)
    }

    /// The beginning of a string, without the code point that the cut went through.
    private func text(_ entry: Int) -> String {
        var bytes = prefix(entry)
        if bytes.count < lengths[entry], let lead = bytes.lastIndex(where: { !CodePoints.isContinuation($0) }) {
            if bytes.endIndex - lead < CodePoints.byteCount(lead: bytes[lead]) { bytes = bytes[..<lead] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
