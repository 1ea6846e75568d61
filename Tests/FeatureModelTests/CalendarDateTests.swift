import FeatureModel
import Testing

@Suite struct CalendarDateTests {
    @Test("every day of eight centuries follows the one before it, with the leap years of the Gregorian calendar")
    func consecutiveDays() throws {
        var previous = try #require(CalendarDate(year: 1599, month: 12, day: 31)).daysSince1970
        for year in 1600...2400 {
            let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            for (month, length) in zip(1...12, lengths) {
                #expect(CalendarDate(year: year, month: month, day: length + 1) == nil)
                for day in 1...length {
                    let date = try #require(CalendarDate(year: year, month: month, day: day))
                    guard date.daysSince1970 == previous + 1 else {
                        Issue.record("\(year)-\(month)-\(day) is day \(date.daysSince1970), after \(previous)")
                        return
                    }
                    previous += 1
                }
            }
        }
    }

    @Test("text and days since 1970 say the same")
    func text() {
        for (text, days) in [
            ("1970-01-01", 0), ("1969-12-31", -1), ("2000-03-01", 11_017), ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] as [(String, Int32)] {
            #expect(CalendarDate(text)?.daysSince1970 == days)
            #expect(CalendarDate(daysSince1970: days).description == text)
        }
        for text in ["", "2013-2-1", "2013-02-30", "2013-02-01 ", "13-02-01", "2013/02/01"] {
            #expect(CalendarDate(text) == nil, "\(text)")
        }
    }
}
