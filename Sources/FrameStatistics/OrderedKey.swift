internal import FeatureModel

/// Numbers and times as unsigned 64 bit keys that stand in the order of the values, so that one set of algorithms
/// serves all of them.
enum OrderedKey {
    private static let signBit: UInt64 = 1 << 63

    @inline(__always)
    static func key(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: value) ^ signBit
    }

    /// Of any number but NaN. Positive floats ascend as their bit patterns do, negative ones descend.
    @inline(__always)
    static func key(_ value: Double) -> UInt64 {
        // Adding zero makes -0.0 the 0.0 that it equals.
        let bits = (value + 0).bitPattern
        return bits ^ (UInt64(bitPattern: Int64(bitPattern: bits) >> 63) | signBit)
    }

    static func integer(_ key: UInt64) -> Int64 {
        Int64(bitPattern: key ^ signBit)
    }

    static func float(_ key: UInt64) -> Double {
        Double(bitPattern: key & signBit != 0 ? key ^ signBit : ~key)
    }

    /// The value of a column type that has keys.
    static func value(_ key: UInt64, type: ValueType) -> Value {
        switch type {
        case .scalar(.int32): .int32(Int32(integer(key)))
        case .scalar(.int64): .int64(integer(key))
        case .scalar(.timestamp): .timestamp(Timestamp(microsecondsSince1970: integer(key)))
        case .scalar(.date): .date(CalendarDate(daysSince1970: Int32(integer(key))))
        case .scalar(.float32): .float32(Float(float(key)))
        case .scalar(.float64): .float64(float(key))
        default: preconditionFailure("\(type) has no ordered keys")
        }
    }
}
