import FeatureModel

extension Value {
    /// A null one time in four; arrays of up to four elements.
    static func random(of type: ValueType, _ random: inout SeededGenerator) -> Value {
        Int.random(in: 0..<4, using: &random) == 0 ? .null : nonNull(of: type, &random)
    }

    static func nonNull(of type: ValueType, _ random: inout SeededGenerator) -> Value {
        switch type {
        case .scalar(let scalar): return nonNull(of: scalar, &random)
        case .array(let element):
            return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in nonNull(of: element, &random) })
        case .vector(let dimension):
            return .vector((0..<dimension).map { _ in Float(bitPattern: .random(in: 0 ... .max, using: &random)) })
        }
    }

    private static func nonNull(of type: ScalarType, _ random: inout SeededGenerator) -> Value {
        let bits = random.next()
        return switch type {
        case .bool: .bool(bits & 1 == 1)
        case .int32: .int32(Int32(truncatingIfNeeded: bits))
        case .int64: .int64(Int64(bitPattern: bits))
        case .float32: .float32(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .float64: .float64(Double(bitPattern: bits))
        case .string: .string(["", "a", "é\u{0}", "🛫 to Zürich"][Int(bits % 4)])
        case .bytes: .bytes(Array(repeating: UInt8(bits & 0xFF), count: Int(bits % 5)))
        case .timestamp: .timestamp(Timestamp(microsecondsSince1970: Int64(bitPattern: bits)))
        case .date: .date(CalendarDate(daysSince1970: Int32(truncatingIfNeeded: bits)))
        }
    }
}
