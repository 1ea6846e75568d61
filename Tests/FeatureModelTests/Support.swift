import FeatureModel

/// Seeded, the same on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let mixed = (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return mixed ^ (mixed >> 29)
    }
}

extension Value {
    /// A null one time in four; arrays of up to three elements.
    static func random(of type: ValueType, _ random: inout SeededGenerator) -> Value {
        if Int.random(in: 0..<4, using: &random) == 0 { return .null }
        switch type {
        case .scalar(let scalar): return self.random(of: scalar, &random)
        case .array(let element):
            return .array((0..<Int.random(in: 0...3, using: &random)).map { _ in self.random(of: element, &random) })
        case .vector(let dimension):
            return .vector((0..<dimension).map { _ in Float(bitPattern: .random(in: 0 ... .max, using: &random)) })
        }
    }

    private static func random(of type: ScalarType, _ random: inout SeededGenerator) -> Value {
        let bits = random.next()
        return switch type {
        case .bool: .bool(bits & 1 == 1)
        case .int32: .int32(Int32(truncatingIfNeeded: bits))
        case .int64: .int64(Int64(bitPattern: bits))
        case .float32: .float32(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .float64: .float64(Double(bitPattern: bits))
        case .string: .string(["", "a", "é", "🛫 to Zürich"][Int(bits % 4)])
        case .bytes: .bytes(Array(repeating: UInt8(bits & 0xFF), count: Int(bits % 5)))
        case .timestamp: .timestamp(Timestamp(microsecondsSince1970: Int64(bitPattern: bits)))
        case .date: .date(CalendarDate(daysSince1970: Int32(truncatingIfNeeded: bits)))
        }
    }
}
