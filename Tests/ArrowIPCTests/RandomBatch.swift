import FeatureModel

/// A seeded generator (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Random batches of every type that a column can have.
enum RandomBatch {
    static let allTypes: [ValueType] =
        ScalarType.allCases.map { .scalar($0) } + ScalarType.allCases.map { .array($0) }
        + [.vector(dimension: 1), .vector(dimension: 5)]

    static func make(
        types: [ValueType] = allTypes, rows: Int, nulls: Double = 0.2, using generator: inout SeededGenerator
    ) -> RecordBatch {
        let fields = types.enumerated().map { Field(name: "c\($0.offset)", type: $0.element) }
        let columns = types.map { type in
            var column = Column(type: type)
            for _ in 0..<rows {
                let isNull = Double.random(in: 0..<1, using: &generator) < nulls
                column.append(isNull ? .null : value(type, using: &generator))
            }
            return column
        }
        return RecordBatch(fields: fields, columns: columns, rowCount: rows)
    }

    static func value(_ type: ValueType, using generator: inout SeededGenerator) -> Value {
        switch type {
        case .scalar(let scalar): return value(scalar, using: &generator)
        case .array(let element):
            return .array((0..<Int.random(in: 0...4, using: &generator)).map { _ in value(element, using: &generator) })
        case .vector(let dimension):
            return .vector((0..<dimension).map { _ in Float.random(in: -10...10, using: &generator) })
        }
    }

    private static func value(_ type: ScalarType, using generator: inout SeededGenerator) -> Value {
        switch type {
        case .bool: .bool(Bool.random(using: &generator))
        case .int32: .int32(Int32(truncatingIfNeeded: generator.next()))
        case .int64: .int64(Int64(truncatingIfNeeded: generator.next()))
        case .float32:
            .float32([.nan, .infinity, -0.0, 1.5, Float.random(in: -1...1, using: &generator)].pick(&generator))
        case .float64:
            .float64([.nan, -.infinity, -0.0, 0.1, Double.random(in: -1...1, using: &generator)].pick(&generator))
        case .string: .string(["", "a", "naïve", "日本", "a,b\n\"c\"", "longer than twelve bytes 🦉"].pick(&generator))
        case .bytes:
            .bytes(
                (0..<Int.random(in: 0...9, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            )
        case .timestamp:
            .timestamp(
                Timestamp(
                    microsecondsSince1970: Int64.random(
                        in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &generator)))
        case .date: .date(CalendarDate(daysSince1970: Int32.random(in: -719_162...2_932_896, using: &generator)))
        }
    }
}

extension Array {
    func pick(_ generator: inout SeededGenerator) -> Element {
        self[Int.random(in: indices, using: &generator)]
    }
}
