import FeatureModel

extension ColumnDecoder {
    /// Timestamps of any unit. Those without a zone are taken as UTC, and a zone only says how to show an instant.
    mutating func timestamps(
        _ unit: TimestampUnit, validity: Validity, _ name: String
    ) throws(LarderError) -> Column {
        var values = try body.takeValues(name, count: validity.count, of: Int64.self)
        values.clearNulls(validity, to: 0)
        let earliest = Timestamp.earliest.microsecondsSince1970
        let latest = Timestamp.latest.microsecondsSince1970
        if unit != .microsecond || !values.areAll(in: earliest...latest) {
            for row in values.indices {
                guard let micros = microseconds(values[row], unit) else {
                    throw LarderError(
                        .columnType,
                        "column \"\(name)\", \(place(row)): the timestamp \(values[row]) is outside of the years 1 to 9999",
                        hint: "check the unit of the column, or make the value null")
                }
                values[row] = micros
            }
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
        let count = validity.count
        var days: [Int32]
        if case .dateMillisecond = type {
            var milliseconds = try body.takeValues(name, count: count, of: Int64.self)
            milliseconds.clearNulls(validity, to: 0)
            try body.charge(count, size: 4)
            days = try milliseconds.enumerated().map { row, value throws(LarderError) in
                let (day, rest) = value.quotientAndRemainder(dividingBy: 86_400_000)
                guard rest == 0, let day = Int32(exactly: day) else { throw noDay(value, row: row, name) }
                return day
            }
        } else {
            days = try body.takeValues(name, count: count, of: Int32.self)
            days.clearNulls(validity, to: 0)
        }
        let representable: ClosedRange<Int32> = -719_162...2_932_896
        if !days.areAll(in: representable), let row = days.firstIndex(where: { !representable.contains($0) }) {
            throw noDay(days[row], row: row, name)
        }
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: .date, validity: validity, int32s: days)
        }
    }

    private func noDay(_ value: some BinaryInteger, row: Int, _ name: String) -> LarderError {
        LarderError(
            .columnType, "column \"\(name)\", \(place(row)): \(value) is no day of the years 1 to 9999",
            hint: "cast the column to Date32 or to a timestamp")
    }
}

extension Array where Element: FixedWidthInteger {
    /// Whether all elements lie in the range, told by the least and the greatest: nearly always they do.
    fileprivate func areAll(in range: ClosedRange<Element>) -> Bool {
        var least = range.lowerBound
        var greatest = range.upperBound
        for element in self {
            least = Swift.min(least, element)
            greatest = Swift.max(greatest, element)
        }
        return least == range.lowerBound && greatest == range.upperBound
    }
}
