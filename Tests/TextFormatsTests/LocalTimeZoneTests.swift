import FeatureModel
import Testing

@testable import TextFormats

@Suite("Local time to UTC")
struct LocalTimeZoneTests {
    private func resolve(_ civil: String, _ zone: String, _ ambiguity: LocalTimeAmbiguity = .later) throws -> String {
        guard case .civil(let civil)? = TimestampText.parse(Array(civil.utf8), rounding: .down) else {
            Issue.record("\(civil) is not a local time")
            return ""
        }
        var zone = try #require(LocalTimeZone(identifier: zone))
        return zone.timestamp(of: civil, ambiguity: ambiguity).description
    }

    @Test(
        "times that exist once",
        arguments: [
            ("2013-01-01T05:00:00", "America/New_York", "2013-01-01T10:00:00Z"),
            ("2013-07-01T05:00:00.123456", "America/New_York", "2013-07-01T09:00:00.123456Z"),
            ("2013-03-10T01:59:59.999999", "America/New_York", "2013-03-10T06:59:59.999999Z"),
            ("2013-03-10T03:00:00", "America/New_York", "2013-03-10T07:00:00Z"),
            ("2013-11-03T00:59:59.999999", "America/New_York", "2013-11-03T04:59:59.999999Z"),
            ("2013-11-03T02:00:00", "America/New_York", "2013-11-03T07:00:00Z"),
            ("2013-03-31T00:59:59", "Europe/London", "2013-03-31T00:59:59Z"),
            ("2013-03-31T02:00:00", "Europe/London", "2013-03-31T01:00:00Z"),
            ("2013-06-15T12:00:00", "UTC", "2013-06-15T12:00:00Z"),
            ("2013-06-15T12:00:00", "Asia/Kolkata", "2013-06-15T06:30:00Z"),
            ("1969-12-31T23:59:59.5", "UTC", "1969-12-31T23:59:59.5Z"),
            ("2011-12-31T00:00:00", "Pacific/Apia", "2011-12-30T10:00:00Z"),
        ])
    func once(civil: String, zone: String, instant: String) throws {
        #expect(try resolve(civil, zone, .later) == instant)
        #expect(try resolve(civil, zone, .earlier) == instant)
    }

    @Test(
        "times that exist twice are the later for sources, the earlier for spines",
        arguments: [
            ("2013-11-03T01:00:00", "America/New_York", "2013-11-03T05:00:00Z", "2013-11-03T06:00:00Z"),
            (
                "2013-11-03T01:59:59.999999", "America/New_York", "2013-11-03T05:59:59.999999Z",
                "2013-11-03T06:59:59.999999Z"
            ),
            ("2013-10-27T01:30:00", "Europe/London", "2013-10-27T00:30:00Z", "2013-10-27T01:30:00Z"),
            ("2013-04-07T01:45:00", "Australia/Lord_Howe", "2013-04-06T14:45:00Z", "2013-04-06T15:15:00Z"),
        ])
    func twice(civil: String, zone: String, earlier: String, later: String) throws {
        #expect(try resolve(civil, zone, .earlier) == earlier)
        #expect(try resolve(civil, zone, .later) == later)
    }

    @Test(
        "times that do not exist are shifted forward by the gap",
        arguments: [
            ("2013-03-10T02:00:00", "America/New_York", "2013-03-10T07:00:00Z"),
            ("2013-03-10T02:30:00", "America/New_York", "2013-03-10T07:30:00Z"),
            ("2013-03-31T01:15:00", "Europe/London", "2013-03-31T01:15:00Z"),
            ("2013-10-06T02:10:00", "Australia/Lord_Howe", "2013-10-05T15:40:00Z"),
            ("2011-12-30T12:00:00", "Pacific/Apia", "2011-12-30T22:00:00Z"),
        ])
    func never(civil: String, zone: String, instant: String) throws {
        #expect(try resolve(civil, zone, .later) == instant)
        #expect(try resolve(civil, zone, .earlier) == instant)
    }

    @Test("an instant written as local time comes back, through a whole year of quarter hours")
    func wholeYear() throws {
        var zone = try #require(LocalTimeZone(identifier: "America/New_York"))
        // 2013: daylight time from 10 March 07:00 to 3 November 06:00 UTC.
        let start = try #require(Timestamp("2013-01-01T05:00:00Z")).microsecondsSince1970
        let spring = try #require(Timestamp("2013-03-10T07:00:00Z")).microsecondsSince1970
        let autumn = try #require(Timestamp("2013-11-03T06:00:00Z")).microsecondsSince1970
        let hour: Int64 = 3_600_000_000
        for quarter in 0..<365 * 96 as Range<Int64> {
            let instant = start + quarter * hour / 4
            let isDaylight = instant >= spring && instant < autumn
            let civil = CivilDateTime(microsecondsSince1970: instant - (isDaylight ? 4 : 5) * hour)
            let isFirstOfTwo = instant >= autumn - hour && instant < autumn
            let isSecondOfTwo = instant >= autumn && instant < autumn + hour
            if !isFirstOfTwo { #expect(zone.timestamp(of: civil, ambiguity: .later).microsecondsSince1970 == instant) }
            if !isSecondOfTwo {
                #expect(zone.timestamp(of: civil, ambiguity: .earlier).microsecondsSince1970 == instant)
            }
        }
    }

    @Test("readers use the zone of their options")
    func reader() throws {
        var options = options(["t": .timestamp])
        options.timeZone = "America/New_York"
        let text = "t\n2013-11-03 01:30\n2013-11-03T01:30:00Z\n"
        func instants() throws -> [[Value]] { try readCSV(text.utf8, options).rows }
        let explicit = Value.timestamp(try #require(Timestamp("2013-11-03T01:30:00Z")))
        #expect(try instants() == [[.timestamp(try #require(Timestamp("2013-11-03T06:30:00Z")))], [explicit]])
        options.ambiguity = .earlier
        #expect(try instants() == [[.timestamp(try #require(Timestamp("2013-11-03T05:30:00Z")))], [explicit]])
    }

    @Test("the ends of the calendar do not overflow")
    func ends() throws {
        var options = options(["t": .timestamp])
        options.timeZone = "America/New_York"
        let read = try readCSV("t\n0001-01-01T00:00:00\n9999-12-31T23:59:59\n".utf8, options)
        #expect(read.rows.count == 2)
        #expect(read.violations.map(\.code) == ["out_of_range"])
    }

    @Test("a zone that does not exist is none")
    func unknown() {
        #expect(LocalTimeZone(identifier: "Europe/Atlantis") == nil)
    }
}
