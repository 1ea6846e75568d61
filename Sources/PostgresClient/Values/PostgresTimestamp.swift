/// An instant with microsecond precision, as `timestamptz` holds it.
public struct PostgresTimestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z. `Int64.min` is -infinity, `Int64.max` is infinity.
    public var microsecondsSince1970: Int64

    @inlinable
    public init(microsecondsSince1970: Int64) {
        self.microsecondsSince1970 = microsecondsSince1970
    }

    public static let negativeInfinity = PostgresTimestamp(microsecondsSince1970: .min)
    public static let infinity = PostgresTimestamp(microsecondsSince1970: .max)

    @inlinable
    public var isFinite: Bool { microsecondsSince1970 != .min && microsecondsSince1970 != .max }

    @inlinable
    public static func < (lhs: PostgresTimestamp, rhs: PostgresTimestamp) -> Bool {
        lhs.microsecondsSince1970 < rhs.microsecondsSince1970
    }

    /// From 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
    @usableFromInline static let epochOffset: Int64 = 946_684_800_000_000

    /// PostgreSQL's own count: microseconds since 2000-01-01.
    @inlinable
    func encoded() throws(PostgresError) -> Int64 {
        guard isFinite else { return microsecondsSince1970 }
        let (value, overflow) = microsecondsSince1970.subtractingReportingOverflow(Self.epochOffset)
        guard !overflow, value != .min else {
            throw PostgresError(.invalidQuery, "timestamp out of range")
        }
        return value
    }

    @inlinable
    init(encoded: Int64) throws(PostgresError) {
        guard encoded != .min, encoded != .max else {
            self.microsecondsSince1970 = encoded
            return
        }
        let (value, overflow) = encoded.addingReportingOverflow(Self.epochOffset)
        guard !overflow, value != .max else {
            throw PostgresError(.decoding, "timestamp lies beyond what 64 bits of microseconds since 1970 can hold")
        }
        self.microsecondsSince1970 = value
    }
}

/// A calendar day, as `date` holds it.
public struct PostgresDate: Hashable, Comparable, Sendable {
    /// Days since 1970-01-01. `Int32.min` is -infinity, `Int32.max` is infinity.
    public var daysSince1970: Int32

    @inlinable
    public init(daysSince1970: Int32) {
        self.daysSince1970 = daysSince1970
    }

    public static let negativeInfinity = PostgresDate(daysSince1970: .min)
    public static let infinity = PostgresDate(daysSince1970: .max)

    @inlinable
    public var isFinite: Bool { daysSince1970 != .min && daysSince1970 != .max }

    @inlinable
    public static func < (lhs: PostgresDate, rhs: PostgresDate) -> Bool {
        lhs.daysSince1970 < rhs.daysSince1970
    }

    @usableFromInline static let epochOffset: Int32 = 10_957

    @inlinable
    func encoded() throws(PostgresError) -> Int32 {
        guard isFinite else { return daysSince1970 }
        let (value, overflow) = daysSince1970.subtractingReportingOverflow(Self.epochOffset)
        guard !overflow, value != .min else { throw PostgresError(.invalidQuery, "date out of range") }
        return value
    }

    @inlinable
    init(encoded: Int32) throws(PostgresError) {
        guard encoded != .min, encoded != .max else {
            self.daysSince1970 = encoded
            return
        }
        let (value, overflow) = encoded.addingReportingOverflow(Self.epochOffset)
        guard !overflow, value != .max else { throw PostgresError(.decoding, "date out of range") }
        self.daysSince1970 = value
    }
}

extension PostgresTimestamp: CustomStringConvertible {
    /// The instant in UTC as PostgreSQL reads it: `2013-01-01 05:00:00.000000+00`, with ` BC` for years before 1.
    public var description: String {
        guard isFinite else { return self < .infinity ? "-infinity" : "infinity" }
        let microsecondsPerDay: Int64 = 86_400_000_000
        var days = microsecondsSince1970 / microsecondsPerDay
        var rest = microsecondsSince1970 % microsecondsPerDay
        if rest < 0 {
            rest += microsecondsPerDay
            days -= 1
        }
        let (year, month, day) = civilDate(daysSince1970: days)
        let seconds = rest / 1_000_000
        let time = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
        let printedYear = year > 0 ? year : 1 - year
        return "\(padded(printedYear, 4))-\(padded(month, 2))-\(padded(day, 2)) \(time)"
            + ".\(padded(rest % 1_000_000, 6))+00\(year > 0 ? "" : " BC")"
    }
}

extension PostgresDate: CustomStringConvertible {
    /// The day as PostgreSQL reads it: `2013-01-01`, with ` BC` for years before 1.
    public var description: String {
        guard isFinite else { return self < .infinity ? "-infinity" : "infinity" }
        let (year, month, day) = civilDate(daysSince1970: Int64(daysSince1970))
        let printedYear = year > 0 ? year : 1 - year
        return "\(padded(printedYear, 4))-\(padded(month, 2))-\(padded(day, 2))\(year > 0 ? "" : " BC")"
    }
}

/// The proleptic Gregorian date, with the year counted astronomically (year 0 is 1 BC).
///
/// Counts in eras of 400 years from 0000-03-01, so that the leap day is the last of its year and no table is needed.
private func civilDate(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = daysSince1970 + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
