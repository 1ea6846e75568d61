import FeatureCodec
import FeatureModel
import Testing

@Suite struct EntityKeyTests {
    private static func encoder(_ types: ValueType...) -> EntityKeyEncoder {
        EntityKeyEncoder(joinKeys: types.enumerated().map { JoinKey(name: "key_\($0.offset)", type: $0.element) })
    }

    private static let golden: [(name: String, encoder: EntityKeyEncoder, values: [Value])] = [
        ("no_entity", encoder(), []),
        ("bool_false", encoder(.bool), [.bool(false)]),
        ("bool_true", encoder(.bool), [.bool(true)]),
        ("int32_minus_one", encoder(.int32), [.int32(-1)]),
        ("int64_minus_one", encoder(.int64), [.int64(-1)]),
        ("int64_minimum", encoder(.int64), [.int64(.min)]),
        ("int64_zero", encoder(.int64), [.int64(0)]),
        ("int64_maximum", encoder(.int64), [.int64(.max)]),
        ("string_empty", encoder(.string), [.string("")]),
        ("string_ascii", encoder(.string), [.string("JFK")]),
        ("string_utf8", encoder(.string), [.string("Zürich 🛫")]),
        ("bytes_empty", encoder(.bytes), [.bytes([])]),
        ("bytes_with_zeros", encoder(.bytes), [.bytes([0, 1, 0, 0, 0xFF])]),
        ("date_epoch", encoder(.date), [.date(CalendarDate(daysSince1970: 0))]),
        ("date_before_epoch", encoder(.date), [.date(CalendarDate(daysSince1970: -1))]),
        ("pair_1_12", encoder(.int64, .int64), [.int64(1), .int64(12)]),
        ("pair_11_2", encoder(.int64, .int64), [.int64(11), .int64(2)]),
        ("pair_text_a_bc", encoder(.string, .string), [.string("a"), .string("bc")]),
        ("pair_text_ab_c", encoder(.string, .string), [.string("ab"), .string("c")]),
        (
            "composite",
            // In another order than that of their names, which is the order of the values.
            EntityKeyEncoder(joinKeys: [
                JoinKey(name: "raw", type: .bytes), JoinKey(name: "id", type: .int32),
                JoinKey(name: "flag", type: .bool), JoinKey(name: "name", type: .string),
                JoinKey(name: "date", type: .date),
            ]),
            [
                .date(CalendarDate(daysSince1970: 15_706)), .bool(true), .int32(42), .string("x"), .bytes([0]),
            ]
        ),
    ]

    @Test("golden vectors encode and decode")
    func golden() throws {
        let vectors = try goldenVectors("entity-keys.txt")
        #expect(Set(vectors.keys) == Set(Self.golden.map(\.name)))
        for (name, encoder, values) in Self.golden {
            let bytes = try #require(vectors[name])
            #expect(try encoder.encode(values)?.bytes == bytes, "\(name)")
            #expect(try encoder.decode(EntityKey(bytes: bytes)) == values, "\(name)")
            let columns = try zip(encoder.joinKeys, values).map { try column($0.0.type, [.null, $0.1]) }
            #expect(try encoder.encode(row: 1, of: columns)?.bytes == bytes, "\(name)")
        }
    }

    @Test("byte order is the order of the typed keys, and equal bytes are equal keys")
    func orderAndInjectivity() throws {
        for seed in UInt64(1)...60 {
            var random = SeededGenerator(state: seed)
            let types: [ValueType] = [.bool, .int32, .int64, .string, .bytes, .date]
            let joinKeys = (0..<Int.random(in: 1...3, using: &random)).map { index in
                JoinKey(name: "key_\(index)", type: types[Int.random(in: 0..<types.count, using: &random)])
            }
            let encoder = EntityKeyEncoder(joinKeys: joinKeys)
            let tuples = (0..<30).map { _ in joinKeys.map { Self.value(of: $0.type, &random) } }
            for left in tuples {
                let leftKey = try #require(try encoder.encode(left))
                #expect(try encoder.decode(leftKey) == left, "seed \(seed)")
                for right in tuples {
                    let rightKey = try #require(try encoder.encode(right))
                    #expect((leftKey < rightKey) == Self.precedes(left, right), "seed \(seed): \(left) \(right)")
                    #expect((leftKey == rightKey) == (left == right), "seed \(seed): \(left) \(right)")
                    let isLess = leftKey.bytes.lexicographicallyPrecedes(rightKey.bytes)
                    #expect((leftKey < rightKey) == isLess, "seed \(seed): \(left) \(right)")
                }
            }
        }
    }

    private static func value(of type: ValueType, _ random: inout SeededGenerator) -> Value {
        let bytes: [UInt8] = (0..<Int.random(in: 0...12, using: &random)).map { _ in
            [0x00, 0x00, 0x01, 0x61, 0xFE, 0xFF].randomElement(using: &random) ?? 0
        }
        let integer =
            [.random(in: -3...3, using: &random), Int64.random(in: .min ... .max, using: &random), 256]
            .randomElement(using: &random) ?? 0
        switch type {
        case .scalar(.bool): return .bool(integer > 0)
        case .scalar(.int32): return .int32(Int32(truncatingIfNeeded: integer))
        case .scalar(.int64): return .int64(integer)
        case .scalar(.date): return .date(CalendarDate(daysSince1970: Int32(truncatingIfNeeded: integer)))
        case .scalar(.bytes): return .bytes(bytes)
        default: return .string(String(bytes.map { ["a", "\u{1}", "é", "🛫", "b"][Int($0) % 5] }))
        }
    }

    private static func precedes(_ left: [Value], _ right: [Value]) -> Bool {
        for (mine, theirs) in zip(left, right) where mine != theirs {
            switch (mine, theirs) {
            case (.bool(let mine), .bool(let theirs)): return !mine && theirs
            case (.int32(let mine), .int32(let theirs)): return mine < theirs
            case (.int64(let mine), .int64(let theirs)): return mine < theirs
            case (.date(let mine), .date(let theirs)): return mine < theirs
            case (.bytes(let mine), .bytes(let theirs)): return mine.lexicographicallyPrecedes(theirs)
            case (.string(let mine), .string(let theirs)): return mine.utf8.lexicographicallyPrecedes(theirs.utf8)
            default: return false
            }
        }
        return false
    }

    @Test("a null in any join key gives no key and leaves the buffer as it was")
    func nullKey() throws {
        let encoder = Self.encoder(.string, .int64)
        #expect(try encoder.encode([.string("a"), .null]) == nil)
        let columns = [try column(.string, [.string("a")]), try column(.int64, [.null])]
        var out: [UInt8] = [9]
        #expect(try encoder.append(row: 0, of: columns, to: &out) == false)
        #expect(out == [9])
    }

    @Test("int32 and int64 keys of one value are the same entity, whichever side is wider")
    func integerWidths() throws {
        let narrow = try Self.encoder(.int32).encode([.int64(7)])
        let wide = try Self.encoder(.int64).encode([.int32(7)])
        #expect(narrow != nil && narrow == wide)
    }

    @Test("a key of the wrong type or out of range is refused, with its name and row")
    func refusals() throws {
        let cases: [(ValueType, Value)] = [
            (.int64, .string("1")), (.string, .int64(1)), (.bytes, .string("a")), (.bool, .int32(0)),
            (.date, .int32(0)), (.string, .string("a\u{0}b")), (.int32, .int64(1 << 31)), (.int64, .float64(1)),
        ]
        for (type, value) in cases {
            let error = #expect(throws: LarderError.self) { try Self.encoder(type).encode([value]) }
            #expect(error?.code == .joinKeyType, "\(type) \(value)")
            #expect(error?.message.contains("\"key_0\"") == true)
        }
        let columns = [try column(.int64, [.int64(1), .int64(1 << 31)])]
        let error = #expect(throws: LarderError.self) { try Self.encoder(.int32).encode(row: 1, of: columns) }
        #expect(error?.message.contains("row 2") == true)
        let missing = #expect(throws: LarderError.self) { try Self.encoder(.int32, .int32).encode([.int32(1)]) }
        #expect(missing?.code == .joinKeyMissing)
    }

    @Test("bytes that are no key of the join keys are refused, never trapped on")
    func hostileBytes() throws {
        for (name, encoder, _) in Self.golden {
            let bytes = try #require(try goldenVectors("entity-keys.txt")[name])
            for length in 0..<bytes.count {
                #expect(throws: CodecError.self, "\(name)") {
                    try encoder.decode(EntityKey(bytes: Array(bytes.prefix(length))))
                }
            }
            #expect(throws: CodecError.self, "\(name)") { try encoder.decode(EntityKey(bytes: bytes + [0])) }
        }
        var random = SeededGenerator(state: 1)
        let encoder = Self.encoder(.string, .bool, .int32, .bytes)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<24, using: &random)).map { _ in UInt8.random(in: 0...5, using: &random)
            }
            guard let values = try? encoder.decode(EntityKey(bytes: bytes)) else { continue }
            #expect(try encoder.encode(values)?.bytes == bytes)
        }
    }
}
