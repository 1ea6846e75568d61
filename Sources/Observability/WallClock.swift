#if canImport(Glibc)
internal import Glibc
#else
internal import Musl
#endif

/// A moment of wall time, shown in UTC as RFC 3339 with microseconds.
struct WallClock: Sendable, CustomStringConvertible {
    /// Since 1970-01-01T00:00:00Z.
    let microseconds: Int64

    static var now: WallClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallClock(microseconds: Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000)
    }

    var description: String {
        let (days, dayMicroseconds) = Self.floorDivide(microseconds, 86_400_000_000)
        let (year, month, day) = Self.date(daysSince1970: days)
        let seconds = dayMicroseconds / 1_000_000
        let fields = [
            Self.padded(year, 4), "-", Self.padded(month, 2), "-", Self.padded(day, 2), "T",
            Self.padded(seconds / 3600, 2), ":", Self.padded(seconds / 60 % 60, 2), ":", Self.padded(seconds % 60, 2),
            ".", Self.padded(dayMicroseconds % 1_000_000, 6), "Z",
        ]
        return fields.joined()
    }

    /// The proleptic Gregorian date, counted in eras of 400 years that begin on the first of March.
    private static func date(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(daysSince1970 + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
