import FeatureModel

/// Times as Feast's clients write them: without an offset they are UTC.
enum FeastTime {
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// Reads an RFC 3339 time, one without an offset, or a day, which is its first instant.
    static func parse(_ text: String) -> Timestamp? {
        if let day = CalendarDate(text) {
            return Timestamp(microsecondsSince1970: Int64(day.daysSince1970) * microsecondsPerDay)
        }
        switch TimestampText.parse(text.utf8, rounding: .up) {
        case .instant(let instant): return instant
        case .civil(let civil):
            let instant = Timestamp(microsecondsSince1970: civil.microsecondsSince1970)
            return instant.isRepresentable ? instant : nil
        case nil: return nil
        }
    }
}
