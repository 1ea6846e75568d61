internal import FeatureCodec
public import FeatureModel
public import RedisClient

/// One read as Redis is asked for it: the sentinel and each distinct key, in as few commands as the limits allow.
public struct OnlineLookup: Sendable {
    public let plan: OnlineReadPlan
    public let entityCount: Int
    private var slots = KeySlots()

    /// - Parameters:
    ///   - keys: for each selection of the plan its join-key columns, in key-name order, each `entityCount` long; none for a
    ///     view without an entity, which answers every row alike.
    /// - Throws: `join_key_type`.
    public init(_ plan: OnlineReadPlan, keys: [[Column]], entityCount: Int) throws(LarderError) {
        self.plan = plan
        self.entityCount = entityCount
        for (selection, columns) in zip(plan.selections, keys) {
            try slots.append(selection, columns: columns, entityCount: entityCount)
        }
    }

    /// Each answers with the sentinel and then the values of its keys.
    public var commands: [RedisCommand] {
        stride(from: 0, to: max(slots.count, 1), by: Limits.maximumKeysPerRead).map { start in
            slots.command(
                sentinel: plan.sentinelKey, start..<min(start + Limits.maximumKeysPerRead, slots.count))
        }
    }

    /// The command of a read that takes one only; nil of a larger one.
    public var onlyCommand: RedisCommand? {
        slots.count <= Limits.maximumKeysPerRead ? slots.command(sentinel: plan.sentinelKey, 0..<slots.count) : nil
    }

    /// How many values are asked for.
    var slotCount: Int { slots.count }

    /// Which of the values answers for a row of a selection (selection by selection, entity by entity); nil where a join key is
    /// null.
    var slotOfPosition: [Int?] { slots.slotOfPosition }

    /// The key of a value, for messages.
    func key(ofSlot slot: Int) -> [UInt8] { slots.key(slot) }
}

/// The keys of a read: positions (selection by selection, entity by entity) share a slot where a view has no
/// entity, and have none where a join key is null.
private struct KeySlots {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private(set) var slotOfPosition: [Int?] = []

    var count: Int { ends.count }

    func key(_ slot: Int) -> [UInt8] {
        Array(bytes[(slot == 0 ? 0 : ends[slot - 1])..<ends[slot]])
    }

    mutating func append(
        _ selection: OnlineSelection, columns: [Column], entityCount: Int
    ) throws(LarderError) {
        if selection.keyEncoder.joinKeys.isEmpty {
            OnlineKey.append(EntityKey.global.bytes, after: selection.keyPrefix, to: &bytes)
            slotOfPosition.append(contentsOf: repeatElement(Optional(ends.count), count: entityCount))
            ends.append(bytes.count)
            return
        }
        ends.reserveCapacity(ends.count + entityCount)
        slotOfPosition.reserveCapacity(slotOfPosition.count + entityCount)
        var known = KnownSlots(keyCount: entityCount)
        for row in 0..<entityCount {
            let start = bytes.count
            bytes.append(contentsOf: selection.keyPrefix)
            guard try selection.keyEncoder.append(row: row, of: columns, to: &bytes) else {
                bytes.removeLast(bytes.count - start)
                slotOfPosition.append(nil)
                continue
            }
            OnlineKey.finish(&bytes)
            // One key asked for many times is sent, and its value comes back, once.
            if let slot = known.slot(of: start..<bytes.count, in: bytes, ends, orElse: ends.count) {
                bytes.removeLast(bytes.count - start)
                slotOfPosition.append(slot)
                continue
            }
            slotOfPosition.append(ends.count)
            ends.append(bytes.count)
        }
    }

    func command(sentinel: [UInt8], _ slots: Range<Int>) -> RedisCommand {
        let start = slots.lowerBound == 0 ? 0 : ends[slots.lowerBound - 1]
        let end = slots.isEmpty ? start : ends[slots.upperBound - 1]
        return RedisCommand(
            "MGET", reservingCapacity: sentinel.count + (end - start) + 8 * (slots.count + 1)
        ) { arguments in
            arguments.append(bytes: sentinel)
            var keyStart = start
            for slot in slots {
                arguments.append(bytes: bytes[keyStart..<ends[slot]])
                keyStart = ends[slot]
            }
        }
    }
}

/// Which slots have which keys, within one selection: open addressing with linear probing, half full at most.
private struct KnownSlots {
    /// -1 is free. The size is a power of two; nothing for one key, which has no other to be equal to.
    private var table: [Int32]

    init(keyCount: Int) {
        var size = 0
        if keyCount > 1 {
            size = 4
            while size < 2 * keyCount { size *= 2 }
        }
        table = Array(repeating: -1, count: size)
    }

    /// The slot that has the key in `range` of `bytes`; nil when none has, which from then on is `newSlot`.
    /// - Parameter ends: of each slot's key in `bytes`.
    mutating func slot(of range: Range<Int>, in bytes: [UInt8], _ ends: [Int], orElse newSlot: Int) -> Int? {
        if table.isEmpty { return nil }
        let span = bytes.span.bytes
        let key = span.extracting(range)
        // Keys come from callers, so the hash is the standard library's seeded one.
        var hasher = Hasher()
        key.withUnsafeBytes { hasher.combine(bytes: $0) }
        let mask = table.count - 1
        var place = hasher.finalize() & mask
        while table[place] >= 0 {
            let slot = Int(table[place])
            let start = slot == 0 ? 0 : ends[slot - 1]
            if ByteOrder.compare(key, span.extracting(start..<ends[slot])) == 0 { return slot }
            place = (place + 1) & mask
        }
        table[place] = Int32(newSlot)
        return nil
    }
}
