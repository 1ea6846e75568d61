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
        for row in 0..<entityCount {
            let start = bytes.count
            bytes.append(contentsOf: selection.keyPrefix)
            guard try selection.keyEncoder.append(row: row, of: columns, to: &bytes) else {
                bytes.removeLast(bytes.count - start)
                slotOfPosition.append(nil)
                continue
            }
            OnlineKey.finish(&bytes)
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
