import FeatureModel

extension ColumnDecoder {
    mutating func bools(_ validity: Validity, _ name: String) throws(LarderError) -> Column {
        let count = validity.count
        let buffer = try body.takeBuffer(name, minimum: (count + 7) / 8)
        try body.charge(count, size: 1)
        var values = body.withUnsafeBytes(of: buffer) { BitPacking.unpack($0, count: count) }
        values.clearNulls(validity, to: false)
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: .bool, validity: validity, bools: values)
        }
    }

    mutating func integers(
        bitWidth: Int, isSigned: Bool, validity: Validity, _ name: String
    ) throws(LarderError) -> Column {
        if bitWidth < 32 || (bitWidth == 32 && isSigned) {
            var values: [Int32] = try takeIntegers(
                bitWidth: bitWidth, isSigned: isSigned, count: validity.count, name)
            values.clearNulls(validity, to: 0)
            return try adopt(name) { () throws(Column.StorageError) in
                try Column(type: .int32, validity: validity, int32s: values)
            }
        }
        var values: [Int64] = try takeIntegers(bitWidth: bitWidth, isSigned: isSigned, count: validity.count, name)
        values.clearNulls(validity, to: 0)
        if bitWidth == 64, !isSigned, let row = values.firstIndex(where: { $0 < 0 }) {
            throw LarderError(
                .columnType,
                "column \"\(name)\", \(place(row)): \(UInt64(bitPattern: values[row])) does not fit an int64",
                hint: "cast the column from UInt64 to string or float64")
        }
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: .int64, validity: validity, int64s: values)
        }
    }

    mutating func floats(_ type: ArrowType, validity: Validity, _ name: String) throws(LarderError) -> Column {
        let count = validity.count
        if case .float64 = type {
            var values = try body.takeValues(name, count: count, of: Double.self)
            values.clearNulls(validity, to: 0)
            return try adopt(name) { () throws(Column.StorageError) in
                try Column(type: .float64, validity: validity, float64s: values)
            }
        }
        var values: [Float]
        if case .float16 = type {
            values = try body.takeValues(name, count: count, of: UInt16.self) { Float(halfBits: $0) }
        } else {
            values = try body.takeValues(name, count: count, of: Float.self)
        }
        values.clearNulls(validity, to: 0)
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: .float32, validity: validity, float32s: values)
        }
    }
}

extension Float {
    /// The value of an IEEE 754 binary16; every one is exact as a Float.
    fileprivate init(halfBits bits: UInt16) {
        let exponent = Int(bits >> 10) & 0x1F
        let fraction = UInt32(bits & 0x3FF)
        let sign: FloatingPointSign = bits >> 15 == 0 ? .plus : .minus
        switch exponent {
        case 0x1F:
            self = Float(bitPattern: UInt32(bits >> 15) << 31 | 0x7F80_0000 | fraction << 13)
        case 0:
            self = Float(sign: sign, exponent: -24, significand: Float(fraction))
        default:
            self = Float(sign: sign, exponent: exponent - 25, significand: Float(fraction + 1_024))
        }
    }
}
