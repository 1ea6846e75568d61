/// An instant in UTC: `Int64` microseconds since 1970-01-01T00:00:00Z.
///
/// `Int64.min` is minus infinity, the event time of static data; `Int64.max` is plus infinity.
public struct Timestamp: Sendable, Hashable, Comparable {
    public let microsecondsSince1970: Int64

    @inlinable
    public init(microsecondsSince1970: Int64) {
        self.microsecondsSince1970 = microsecondsSince1970
    }

    /// The event time of rows of a source without `timestamp:`.
    public static let negativeInfinity = Timestamp(microsecondsSince1970: .min)
    public static let positiveInfinity = Timestamp(microsecondsSince1970: .max)

    /// The instants RFC 3339 can write: the years 1 to 9999.
    public static let earliest = Timestamp(microsecondsSince1970: -62_135_596_800_000_000)
    public static let latest = Timestamp(microsecondsSince1970: 253_402_300_799_999_999)

    public var isFinite: Bool {
        microsecondsSince1970 != .min && microsecondsSince1970 != .max
    }

    /// Whether RFC 3339 can write the instant.
    public var isRepresentable: Bool {
        self >= .earliest && self <= .latest
    }

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }

    /// This instant moved by `microseconds`; infinities stay, and overflow ends at an infinity.
    public func advanced(byMicroseconds microseconds: Int64) -> Timestamp {
        guard isFinite else { return self }
        let (sum, overflow) = microsecondsSince1970.addingReportingOverflow(microseconds)
        if overflow { return microseconds < 0 ? .negativeInfinity : .positiveInfinity }
        return Timestamp(microsecondsSince1970: sum)
    }
}

/// What to do with a fraction finer than a microsecond.
public enum SubMicrosecondRounding: Sendable {
    /// For spines: an instant in doubt resolves early.
    case down
    /// For sources: an instant in doubt resolves late, so that nothing of the future comes in.
    case up
}

/// A point of civil time as text states it, before an offset or a zone makes it an instant.
public struct CivilDateTime: Sendable, Hashable {
    /// Microseconds since 1970-01-01T00:00:00 on the same clock face.
    public let microsecondsSince1970: Int64

    public init(microsecondsSince1970: Int64) {
        self.microsecondsSince1970 = microsecondsSince1970
    }
}

/// RFC 3339 text (https://www.rfc-editor.org/rfc/rfc3339) to and from `Timestamp`.
public enum TimestampText {
    public enum Parsed: Sendable, Equatable {
        /// The text carried an offset or `Z`.
        case instant(Timestamp)
        /// The text carried no offset; only a zone can make it an instant.
        case civil(CivilDateTime)
    }

    /// Parses `YYYY-MM-DD(T| )hh:mm[:ss[.fraction]][Z|±hh[:mm]]`. A second of 60 is refused.
    /// - Returns: nil when the text is none of it, or names no existing day or time.
    public static func parse(_ utf8: some Collection<UInt8>, rounding: SubMicrosecondRounding) -> Parsed? {
        parse(Array(utf8).span, rounding: rounding)
    }

    /// As above, for those who read many.
    public static func parse(_ text: Span<UInt8>, rounding: SubMicrosecondRounding) -> Parsed? {
        var index = 0
        guard let (year, month, day) = CivilCalendar.parseDate(text, &index),
            let date = CalendarDate(year: year, month: month, day: day),
            CivilCalendar.take(text, &index, "T") || CivilCalendar.take(text, &index, "t")
                || CivilCalendar.take(text, &index, " "),
            let hour = CivilCalendar.parseDigits(text, &index, count: 2), hour < 24,
            CivilCalendar.take(text, &index, ":"),
            let minute = CivilCalendar.parseDigits(text, &index, count: 2), minute < 60
        else { return nil }
        var second = 0
        var fraction: Int64 = 0
        if CivilCalendar.take(text, &index, ":") {
            guard let seconds = CivilCalendar.parseDigits(text, &index, count: 2), seconds < 60 else { return nil }
            second = seconds
            if CivilCalendar.take(text, &index, ".") {
                guard let micros = parseFraction(text, &index, rounding: rounding) else { return nil }
                fraction = micros
            }
        }
        let seconds = Int64(date.daysSince1970) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
        let micros = seconds * 1_000_000 + fraction
        if index == text.count { return .civil(CivilDateTime(microsecondsSince1970: micros)) }
        guard let offset = parseOffset(text, &index), index == text.count else { return nil }
        let instant = Timestamp(microsecondsSince1970: micros - offset * 1_000_000)
        return instant.isRepresentable ? .instant(instant) : nil
    }

    private static func parseFraction(
        _ text: Span<UInt8>, _ index: inout Int, rounding: SubMicrosecondRounding
    ) -> Int64? {
        var micros: Int64 = 0
        var digits = 0
        var rest = false
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            if digits < 6 {
                micros = micros * 10 + Int64(digit)
            } else if digit != 0 {
                rest = true
            }
            digits += 1
            index += 1
        }
        guard digits > 0 else { return nil }
        for _ in digits..<max(digits, 6) { micros *= 10 }
        return rest && rounding == .up ? micros + 1 : micros
    }

    /// Seconds east of UTC.
    private static func parseOffset(_ text: Span<UInt8>, _ index: inout Int) -> Int64? {
        if CivilCalendar.take(text, &index, "Z") || CivilCalendar.take(text, &index, "z") { return 0 }
        let sign: Int64
        if CivilCalendar.take(text, &index, "+") {
            sign = 1
        } else if CivilCalendar.take(text, &index, "-") {
            sign = -1
        } else {
            return nil
        }
        guard let hours = CivilCalendar.parseDigits(text, &index, count: 2), hours < 24 else { return nil }
        var minutes = 0
        if index < text.count {
            _ = CivilCalendar.take(text, &index, ":")
            guard let parsed = CivilCalendar.parseDigits(text, &index, count: 2), parsed < 60 else { return nil }
            minutes = parsed
        }
        return sign * Int64(hours * 3_600 + minutes * 60)
    }

    /// Appends `YYYY-MM-DDThh:mm:ss[.ffffff]Z`; the fraction is left out when zero and has no trailing zeros.
    /// Infinities are written `-infinity` and `infinity`, as PostgreSQL does.
    public static func write(_ timestamp: Timestamp, into out: inout [UInt8]) {
        guard timestamp.isFinite else {
            out.append(contentsOf: (timestamp == .negativeInfinity ? "-infinity" : "infinity").utf8)
            return
        }
        let micros = timestamp.microsecondsSince1970
        let days = Int(micros.quotientRoundedDown(86_400_000_000))
        // Wrapping, because the product alone may lie below Int64.min; the difference lies within a day.
        var rest = Int(micros &- Int64(days) &* 86_400_000_000)
        CivilCalendar.writeDate(daysSince1970: days, into: &out)
        out.append(UInt8(ascii: "T"))
        CivilCalendar.writeDigits(rest / 3_600_000_000, width: 2, into: &out)
        out.append(UInt8(ascii: ":"))
        CivilCalendar.writeDigits(rest / 60_000_000 % 60, width: 2, into: &out)
        out.append(UInt8(ascii: ":"))
        CivilCalendar.writeDigits(rest / 1_000_000 % 60, width: 2, into: &out)
        rest %= 1_000_000
        if rest > 0 {
            out.append(UInt8(ascii: "."))
            CivilCalendar.writeDigits(rest, width: 6, into: &out)
            while out.last == UInt8(ascii: "0") { out.removeLast() }
        }
        out.append(UInt8(ascii: "Z"))
    }
}

extension Int64 {
    /// Division that rounds towards minus infinity; `divisor` is positive.
    func quotientRoundedDown(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

extension Timestamp: LosslessStringConvertible {
    /// Parses RFC 3339 with an offset; a finer fraction rounds down.
    public init?(_ description: String) {
        guard case .instant(let instant) = TimestampText.parse(description.utf8, rounding: .down) else { return nil }
        self = instant
    }

    public var description: String {
        var out: [UInt8] = []
        TimestampText.write(self, into: &out)
        return String(decoding: out, as: UTF8.self)
    }
}
