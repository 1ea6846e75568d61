/// A day of the proleptic Gregorian calendar: days since 1970-01-01.
public struct CalendarDate: Sendable, Hashable, Comparable {
    public let daysSince1970: Int32

    public init(daysSince1970: Int32) {
        self.daysSince1970 = daysSince1970
    }

    /// - Returns: nil when the triple names no day of the years 1 to 9999.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            day >= 1, day <= CivilCalendar.daysInMonth(year: year, month: month)
        else { return nil }
        daysSince1970 = Int32(CivilCalendar.daysSince1970(year: year, month: month, day: day))
    }

    public static func < (left: CalendarDate, right: CalendarDate) -> Bool {
        left.daysSince1970 < right.daysSince1970
    }
}

extension CalendarDate: LosslessStringConvertible {
    /// Parses `YYYY-MM-DD`.
    public init?(_ description: String) {
        let utf8 = Array(description.utf8)
        var index = 0
        guard let (year, month, day) = CivilCalendar.parseDate(utf8.span, &index), index == utf8.count else {
            return nil
        }
        self.init(year: year, month: month, day: day)
    }

    public var description: String {
        var out: [UInt8] = []
        CivilCalendar.writeDate(daysSince1970: Int(daysSince1970), into: &out)
        return String(decoding: out, as: UTF8.self)
    }
}

/// Conversions between day numbers and civil dates of the proleptic Gregorian calendar, by counting days in
/// 400-year eras that start on 1 March, so that the leap day is the last of its year.
enum CivilCalendar {
    static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func civil(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }

    static func writeDate(daysSince1970: Int, into out: inout [UInt8]) {
        let (year, month, day) = civil(daysSince1970: daysSince1970)
        writeDigits(year, width: 4, into: &out)
        out.append(UInt8(ascii: "-"))
        writeDigits(month, width: 2, into: &out)
        out.append(UInt8(ascii: "-"))
        writeDigits(day, width: 2, into: &out)
    }

    static func parseDate(_ text: Span<UInt8>, _ index: inout Int) -> (year: Int, month: Int, day: Int)? {
        guard let year = parseDigits(text, &index, count: 4), take(text, &index, "-"),
            let month = parseDigits(text, &index, count: 2), take(text, &index, "-"),
            let day = parseDigits(text, &index, count: 2)
        else { return nil }
        return (year, month, day)
    }

    static func writeDigits(_ value: Int, width: Int, into out: inout [UInt8]) {
        var divisor: UInt = 1
        for _ in 1..<width { divisor *= 10 }
        var rest = value.magnitude
        if value < 0 { out.append(UInt8(ascii: "-")) }
        // Years beyond 9999 take the digits they need.
        while rest / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    static func parseDigits(_ text: Span<UInt8>, _ index: inout Int, count: Int) -> Int? {
        guard text.count - index >= count else { return nil }
        var value = 0
        for _ in 0..<count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
            index += 1
        }
        return value
    }

    static func take(_ text: Span<UInt8>, _ index: inout Int, _ character: Unicode.Scalar) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }
}
