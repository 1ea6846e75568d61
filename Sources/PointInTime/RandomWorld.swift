public import FeatureModel

/// SplitMix64: small, seeded, and the same on every machine.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True `percent` times in a hundred.
    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &self) < percent
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }
}

/// The generator behind the oracle tests: a small spine and a small history, made to meet at every edge of the rules.
/// Keys that look alike, equal timestamps, ties broken by each part of the one order, ages of exactly the ttl and the
/// grace and a microsecond to either side, tombstones, static rows, nulls, repeated spine rows, empty inputs.
public struct RandomWorld: Sendable {
    public let seed: UInt64
    /// Ordered by name.
    public let joinKeys: [JoinKey]
    public let featureTypes: [ValueType]
    public let rule: JoinRule
    /// For each spine row its keys, in key-name order; some are null.
    public let spineKeys: [[Value]]
    /// Microseconds since 1970.
    public let spineTimestamps: [Int64]
    /// In no order; no two rows of a key are equal in the one order.
    public let history: [OracleRow]
    /// Column types of the spine's keys: integer keys may come in the other width.
    public let spineKeyTypes: [ValueType]

    public init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        self.seed = seed
        let isGlobal = random.chance(6)
        let keyCount = isGlobal ? 0 : random.pick([1, 1, 1, 2, 2, 3])
        let joinKeys = (0..<keyCount).map { index in
            JoinKey(name: "key_\(index)", type: random.pick([.int64, .int64, .string, .int32, .bytes, .date, .bool]))
        }
        self.joinKeys = joinKeys
        // The first feature tells rows apart whatever the others hold.
        let featureTypes =
            [ValueType.int64] + (0..<random.pick([0, 1, 1, 2])).map { _ in random.pick(Self.featureTypeChoices) }
        self.featureTypes = featureTypes
        let isStatic = random.chance(8)
        let ttl: Int64? = isStatic || random.chance(35) ? nil : random.pick([0, 1, 1_000_000, 3_600_000_000])
        let knownBy: KnownBy = random.pick([
            .eventTime, .eventTime, .recorded, .arrival(availabilityLagMicroseconds: random.pick([0, 2, 1_000_000])),
        ])
        rule = JoinRule(ttlMicroseconds: ttl, knownBy: knownBy)

        var shape = Shape(isStatic: isStatic, ttl: ttl, knownBy: knownBy, recordsTimes: random.chance(60))
        shape.anchors = (0..<random.pick([1, 2, 4])).map { _ in
            1_357_000_000_000_000 + Int64.random(in: 0..<5, using: &random) * 1_000_000
        }
        let keyPool = (0..<random.pick([1, 2, 4, 8])).map { _ in
            joinKeys.map { Self.keyValue(of: $0.type, &random) }
        }
        history = Self.history(keyPool, featureTypes, shape, &random)
        (spineKeys, spineTimestamps) = Self.spine(keyPool, joinKeys, shape, &random)
        spineKeyTypes = joinKeys.map { joinKey in
            let otherWidth: [ValueType: ValueType] = [.int64: .int32, .int32: .int64]
            return random.chance(30) ? otherWidth[joinKey.type, default: joinKey.type] : joinKey.type
        }
    }

    private struct Shape {
        let isStatic: Bool
        let ttl: Int64?
        let knownBy: KnownBy
        let recordsTimes: Bool
        /// The times around which everything happens.
        var anchors: [Int64] = []
    }

    private static let featureTypeChoices: [ValueType] = [
        .bool, .int32, .float32, .float64, .string, .bytes, .timestamp, .date, .array(.int64), .array(.string),
        .vector(dimension: 3),
    ]

    private static func history(
        _ keyPool: [[Value]], _ featureTypes: [ValueType], _ shape: Shape, _ random: inout SplitMix64
    ) -> [OracleRow] {
        let count = random.chance(6) ? 0 : Int.random(in: 1...random.pick([4, 12, 40]), using: &random)
        // Sequences fall at random among the rows, so that they decide ties and nothing else.
        let sequences = (0..<Int64(count)).map { $0 - 3 }.shuffled(using: &random)
        var rows: [OracleRow] = []
        for index in 0..<count {
            let eventTime = eventTime(shape, &random)
            let anchor = random.pick(shape.anchors)
            var row = OracleRow(
                keys: random.pick(keyPool), eventTime: eventTime,
                recordedTime: shape.recordsTimes && random.chance(85)
                    ? anchor + random.pick([-1_000_000, -1, 0, 0, 1, 1_000_000]) : .min,
                sequence: sequences[index], schemaVersion: random.pick([1, 2, 3]),
                arrival: anchor + random.pick([-2_000_000, -1_000_000, -2, -1, 0, 1, 1_000_000]),
                isTombstone: random.chance(12),
                features: [.int64(Int64(index))] + featureTypes.dropFirst().map { featureValue(of: $0, &random) })
            // A backfill writes a row again under another version: all but the version is a tie.
            if random.chance(20), let earlier = rows.last {
                row.keys = earlier.keys
                row.eventTime = earlier.eventTime
                row.recordedTime = earlier.recordedTime
                row.sequence = earlier.sequence
                row.schemaVersion = earlier.schemaVersion + random.pick([-1, 1])
            }
            let isRepeated = rows.contains {
                $0.keys == row.keys && $0.eventTime == row.eventTime && $0.recordedTime == row.recordedTime
                    && $0.sequence == row.sequence && $0.schemaVersion == row.schemaVersion
            }
            if !isRepeated { rows.append(row) }
        }
        return rows.shuffled(using: &random)
    }

    private static func eventTime(_ shape: Shape, _ random: inout SplitMix64) -> Int64 {
        if shape.isStatic || random.chance(3) { return .min }
        let nearby: Int64 = random.pick([-1, 0, 0, 1])
        let anchor = random.pick(shape.anchors) + nearby
        guard let ttl = shape.ttl else { return anchor - random.pick([0, 0, 1_000_000, 86_400_000_000]) }
        return anchor - random.pick([0, 0, ttl, ttl, ttl + MaxAge.graceMicroseconds])
    }

    private static func spine(
        _ keyPool: [[Value]], _ joinKeys: [JoinKey], _ shape: Shape, _ random: inout SplitMix64
    ) -> (keys: [[Value]], timestamps: [Int64]) {
        let count = random.chance(5) ? 0 : Int.random(in: 1...random.pick([3, 8, 20]), using: &random)
        var keys: [[Value]] = []
        var timestamps: [Int64] = []
        for _ in 0..<count {
            if random.chance(20), let earlierKeys = keys.last, let earlierTime = timestamps.last {
                keys.append(earlierKeys)
                timestamps.append(earlierTime)
                continue
            }
            var key = random.chance(85) ? random.pick(keyPool) : joinKeys.map { keyValue(of: $0.type, &random) }
            if !key.isEmpty, random.chance(6) { key[Int.random(in: 0..<key.count, using: &random)] = .null }
            keys.append(key)
            timestamps.append(random.pick(shape.anchors) + random.pick([-1_000_000, -1, 0, 0, 0, 1, 2, 1_000_000]))
        }
        return (keys, timestamps)
    }
}

extension RandomWorld {
    /// Few values, chosen to be confused with one another when put side by side.
    private static func keyValue(of type: ValueType, _ random: inout SplitMix64) -> Value {
        let integer = random.pick([-1, 0, 1, 2, 11, 12, 112, 255, 256])
        switch type {
        case .scalar(.int32): return .int32(Int32(integer))
        case .scalar(.int64): return .int64(Int64(integer))
        case .scalar(.date): return .date(CalendarDate(daysSince1970: Int32(integer)))
        case .scalar(.bool): return .bool(random.chance(50))
        case .scalar(.bytes):
            return .bytes(
                random.pick([[], [0x00], [0x00, 0x00], [0x00, 0xFF], [0x01], [0xFF], [0x61], [0x61, 0x00]]))
        default: return .string(random.pick(["", "1", "11", "12", "2", "a", "aa", "é", "e\u{301}", "\u{1}", "1,1"]))
        }
    }

    private static func featureValue(of type: ValueType, _ random: inout SplitMix64) -> Value {
        if random.chance(25) { return .null }
        switch type {
        case .array(let element):
            return .array(
                (0..<Int.random(in: 0...3, using: &random)).map { _ in scalarValue(of: element, &random) })
        case .vector(let dimension):
            return .vector((0..<dimension).map { _ in Float(Int.random(in: -9...9, using: &random)) })
        case .scalar(let scalar):
            return scalarValue(of: scalar, &random)
        }
    }

    private static func scalarValue(of type: ScalarType, _ random: inout SplitMix64) -> Value {
        let number = Int.random(in: -1_000...1_000, using: &random)
        return switch type {
        case .bool: .bool(number > 0)
        case .int32: .int32(Int32(number))
        case .int64: .int64(Int64(number))
        case .float32: .float32(random.pick([Float(number), -0.0, .nan, .infinity]))
        case .float64: .float64(random.pick([Double(number), -0.0, .nan, -.infinity]))
        case .string: .string(random.pick(["", "value \(number)", "ü\u{0}"]))
        case .bytes: .bytes(random.pick([[], [0x00], [UInt8(truncatingIfNeeded: number)]]))
        case .timestamp: .timestamp(Timestamp(microsecondsSince1970: Int64(number)))
        case .date: .date(CalendarDate(daysSince1970: Int32(number)))
        }
    }
}
