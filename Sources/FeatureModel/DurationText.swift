/// The durations of definition files: `90s`, `15m`, `6h`, `7d`; one whole number and one unit.
public enum DurationText {
    /// - Returns: microseconds, or nil when the text is no duration or too long for `Int64` microseconds.
    public static func parse(_ text: String) -> Int64? {
        guard let unit = text.utf8.last, let first = text.utf8.first,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first), let count = Int64(text.dropLast())
        else { return nil }
        let secondsPerUnit: Int64
        switch unit {
        case UInt8(ascii: "s"): secondsPerUnit = 1
        case UInt8(ascii: "m"): secondsPerUnit = 60
        case UInt8(ascii: "h"): secondsPerUnit = 3_600
        case UInt8(ascii: "d"): secondsPerUnit = 86_400
        default: return nil
        }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: secondsPerUnit)
        let (micros, overflowed) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow || overflowed ? nil : micros
    }

    /// The shortest spelling in the largest unit that divides `microseconds`; whole seconds are assumed.
    public static func format(microseconds: Int64) -> String {
        let seconds = microseconds / 1_000_000
        if seconds != 0 {
            if seconds % 86_400 == 0 { return "\(seconds / 86_400)d" }
            if seconds % 3_600 == 0 { return "\(seconds / 3_600)h" }
            if seconds % 60 == 0 { return "\(seconds / 60)m" }
        }
        return "\(seconds)s"
    }
}
