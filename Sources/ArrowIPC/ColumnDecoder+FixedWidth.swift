import FeatureModel

extension ColumnDecoder {
    mutating func bools(_ validity: Validity, _ name: String) throws(LarderError) -> Column {
        let count = validity.count
        let buffer = try body.takeBuffer(name, minimum: (count + 7) / 8)
        try body.charge(count, size: 1)
        let bits = body.values(buffer, count: (count + 7) / 8, of: UInt8.self)
        var values = [Bool](repeating: false, count: count)
        for row in 0..<count { values[row] = bits[row >> 3] & (1 << UInt8(row & 7)) != 0 }
        values.clearNulls(validity, to: false)
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: .bool, validity: validity, bools: values)
        }
    }

    mutating func integers(
        bitWidth: Int, isSigned: Bool, validity: Validity, _ name: String
    ) throws(LarderError) -> Column {
        if bitWidth < 32 || (bitWidth == 32 && isSigned) {
            var values =
                bitWidth == 32
                ? try body.takeValues(name, count: validity.count, of: Int32.self)
                : try takeIntegers(bitWidth: bitWidth, isSigned: isSigned, count: validity.count, name).map {
                    Int32($0)
                }
            values.clearNulls(validity, to: 0)
            return try adopt(name) { () throws(Column.StorageError) in
                try Column(type: .int32, validity: validity, int32s: values)
            }
        }
        var values = try takeIntegers(bitWidth: bitWidth, isSigned: isSigned, count: validity.count, name)
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
        if case .float64 = type {
            var values = try body.takeValues(name, count: validity.count, of: Double.self)
            values.clearNulls(validity, to: 0)
            return try adopt(name) { () throws(Column.StorageError) in
                try Column(type: .float64, validity: validity, float64s: values)
            }
        }
        var values: [Float]
        if case .float16 = type {
            try body.charge(validity.count, size: 4)
            values = try body.takeValues(name, count: validity.count, of: UInt16.self).map(Float.init(halfBits:))
        } else {
            values = try body.takeValues(name, count: validity.count, of: Float.self)
        }
        values.clearNulls(validity, to: 0)
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: .float32, validity: validity, float32s: values)
        }
    }

    mutating func timestamps(
        _ unit: TimestampUnit, validity: Validity, _ name: String
    ) throws(LarderError) -> Column {
        var values = try body.takeValues(name, count: validity.count, of: Int64.self)
        values.clearNulls(validity, to: 0)
        for row in values.indices {
            guard let micros = microseconds(values[row], unit) else {
                throw LarderError(
                    .columnType,
                    "column \"\(name)\", \(place(row)): the timestamp \(values[row]) is outside of the years 1 to 9999",
                    hint: "check the unit of the column, or make the value null")
            }
            values[row] = micros
        }
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: .timestamp, validity: validity, int64s: values)
        }
    }

    /// - Returns: nil when the instant is neither one that RFC 3339 can write nor an infinity.
    private func microseconds(_ value: Int64, _ unit: TimestampUnit) -> Int64? {
        let micros: Int64
        switch unit {
        case .second, .millisecond:
            let (product, overflow) = value.multipliedReportingOverflow(by: unit == .second ? 1_000_000 : 1_000)
            guard !overflow else { return nil }
            micros = product
        case .microsecond:
            micros = value
            if !Timestamp(microsecondsSince1970: micros).isFinite { return micros }
        case .nanosecond:
            let rest = value % 1_000
            let truncated = value / 1_000
            switch options.rounding {
            case .down: micros = rest < 0 ? truncated - 1 : truncated
            case .up: micros = rest > 0 ? truncated + 1 : truncated
            }
        }
        return Timestamp(microsecondsSince1970: micros).isRepresentable ? micros : nil
    }

    mutating func dates(_ type: ArrowType, validity: Validity, _ name: String) throws(LarderError) -> Column {
        let days: Range<Int64> = -719_162..<2_932_897
        var values: [Int64]
        var unit: Int64 = 1
        if case .dateMillisecond = type {
            values = try body.takeValues(name, count: validity.count, of: Int64.self)
            unit = 86_400_000
        } else {
            values = try takeIntegers(bitWidth: 32, isSigned: true, count: validity.count, name)
        }
        values.clearNulls(validity, to: 0)
        for row in values.indices {
            guard values[row] % unit == 0, days.contains(values[row] / unit) else {
                throw LarderError(
                    .columnType,
                    "column \"\(name)\", \(place(row)): \(values[row]) is no day of the years 1 to 9999",
                    hint: "cast the column to Date32 or to a timestamp")
            }
        }
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: .date, validity: validity, int32s: values.map { Int32($0 / unit) })
        }
    }
}

extension Array {
    /// Makes what null rows hold a zero, so that equal columns have equal storage.
    fileprivate mutating func clearNulls(_ validity: Validity, to zero: Element) {
        guard validity.nullCount > 0 else { return }
        for row in indices where !validity[row] { self[row] = zero }
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
