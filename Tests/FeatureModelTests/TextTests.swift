import FeatureModel
import Testing

@Suite struct DurationTextTests {
    @Test("a duration is a whole number and a unit")
    func parsing() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("6h", 21_600), ("7d", 604_800), ("0s", 0)]
            as [(String, Int64)]
        {
            #expect(DurationText.parse(text) == seconds * 1_000_000)
        }
        for text in ["", "s", "6", "6 h", " 6h", "-6h", "+6h", "1.5h", "6H", "6w", "1h30m", "9223372036855s"] {
            #expect(DurationText.parse(text) == nil, "\(text)")
        }
        #expect(DurationText.parse("9223372036854s") == 9_223_372_036_854_000_000)
    }

    @Test("a duration is written in the largest unit that divides it, and reads back")
    func formatting() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("6h", 21_600), ("7d", 604_800), ("0s", 0), ("25h", 90_000)]
            as [(String, Int64)]
        {
            #expect(DurationText.format(microseconds: seconds * 1_000_000) == text)
        }
    }
}

@Suite struct NameRuleTests {
    @Test("a name is lowercase, at most 63 bytes, without double underscores, and not reserved")
    func rule() {
        for name in ["a", "airport_weather", "x1", "temp_", String(repeating: "a", count: 63)] {
            #expect(NameRule.violation(of: name) == nil, "\(name)")
        }
        for name in [
            "", "A", "1a", "_a", "a-b", "a b", "é", "a__b", "pg_a", "all", "event_timestamp", "a\u{0}",
            String(repeating: "a", count: 64),
        ] {
            #expect(NameRule.violation(of: name) != nil, "\(name)")
        }
    }

    @Test("a source's column may have a reserved name, but no other bad one, and none of PostgreSQL's own columns")
    func reservedColumns() {
        for name in ["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"] {
            #expect(NameRule.violation(of: name, allowsReserved: true) != nil, "\(name)")
            #expect(NameRule.violation(of: name) == nil, "a feature is no column: \(name)")
        }
        #expect(NameRule.violation(of: "event_timestamp", allowsReserved: true) == nil)
        #expect(NameRule.violation(of: "a__b", allowsReserved: true) != nil)
    }

    @Test("the nearest name is the one meant by a small mistake, or none")
    func nearest() {
        let names = ["temperature", "humidity", "wind_speed", "wind_gust"]
        #expect(NameRule.nearest(to: "temprature", in: names) == "temperature")
        #expect(NameRule.nearest(to: "humidity_", in: names) == "humidity")
        #expect(NameRule.nearest(to: "wind_gusst", in: names) == "wind_gust")
        #expect(NameRule.nearest(to: "carrier", in: names) == nil)
        #expect(NameRule.nearest(to: "x", in: []) == nil)
        // Of two as near, the first by name, whatever the order they come in.
        #expect(
            NameRule.nearest(to: "ac", in: ["ad", "ab"]) == "ab"
                && NameRule.nearest(to: "ac", in: ["ab", "ad"]) == "ab")
    }

    @Test func `a name that shares nothing is not the nearest, however short both are`() {
        #expect(NameRule.nearest(to: "zz", in: ["a", "b"]) == nil)
        #expect(NameRule.nearest(to: "x", in: ["a"]) == nil)
        #expect(NameRule.nearest(to: "ab", in: ["cd"]) == nil)
        #expect(NameRule.nearest(to: "ids", in: ["x", "id"]) == "id")
    }

    @Test func `a text that is too long for a name is compared with none`() {
        let longest = String(repeating: "a", count: 128)
        #expect(NameRule.nearest(to: longest, in: [longest]) == longest)
        #expect(NameRule.nearest(to: longest + "a", in: [longest]) == nil)
    }
}

@Suite struct ValueTypeTests {
    @Test("every type reads back from its own spelling")
    func roundTrip() {
        let types =
            ScalarType.allCases.map { ValueType.scalar($0) } + ScalarType.allCases.map { .array($0) }
            + [.vector(dimension: 1), .vector(dimension: ValueType.maximumVectorDimension)]
        for type in types { #expect(ValueType("\(type)") == type, "\(type)") }
        #expect(ValueType("vector<float32,8>") == .vector(dimension: 8))
        #expect(ValueType("array< int64 >") == .array(.int64))
    }

    @Test(
        "what is no spelling of a type is refused",
        arguments: [
            "", "int", "Int64", "in t64", " int64", "int64 ", "array", "array<>", "array<int>", "array<array<int64>>",
            "array <int64>", "array<int64", "array<int64>>", "array<int64,>", "vector<float32>", "vector<float64, 8>",
            "vector<float32, 0>", "vector<float32, -1>", "vector<float32, +8>", "vector<float32, 08>",
            "vector<float32, 16385>", "vector<float32, 8, 8>", "vector<float32, 1 6>",
        ])
    func refusing(text: String) {
        #expect(ValueType(text) == nil)
    }

    @Test("only types that compare exactly are join keys")
    func keyTypes() {
        let keyTypes = ScalarType.allCases.filter { ValueType.scalar($0).isKeyType }
        #expect(keyTypes == [.bool, .int32, .int64, .string, .bytes, .date])
        #expect(!ValueType.array(.int64).isKeyType && !ValueType.vector(dimension: 1).isKeyType)
    }
}
