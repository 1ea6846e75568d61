import FeatureModel
import Testing

@Suite struct TimestampTests {
    private static func instant(_ text: String, _ rounding: SubMicrosecondRounding = .down) -> Int64? {
        guard case .instant(let instant) = TimestampText.parse(text.utf8, rounding: rounding) else { return nil }
        return instant.microsecondsSince1970
    }

    @Test(
        "RFC 3339 text gives microseconds since 1970",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00Z", 0), ("1970-01-01t00:00:00z", 0),
            ("1970-01-01 00:00:00+00", 0), ("1969-12-31T23:59:59.999999Z", -1),
            ("2013-01-01T05:00:00Z", 1_357_016_400_000_000), ("2013-01-01T00:00:00-05:00", 1_357_016_400_000_000),
            ("2013-01-01T10:30:00+0530", 1_357_016_400_000_000), ("2013-01-01T10:00:00+05", 1_357_016_400_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000), ("2016-02-29T12:00:00.5Z", 1_456_747_200_500_000),
            ("1970-01-01T00:00:00.000001Z", 1), ("1970-01-01T00:00:00.1Z", 100_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] as [(String, Int64)])
    func parsing(text: String, microseconds: Int64) {
        #expect(Self.instant(text) == microseconds)
        #expect(Self.instant(text, .up) == microseconds)
    }

    @Test(
        "what is no RFC 3339 instant is refused",
        arguments: [
            "", "2013", "2013-01-01", "2013-01-01T", "2013-01-01T05Z", "2013-1-01T00:00:00Z", "2013-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z", "2013-04-31T00:00:00Z", "2013-13-01T00:00:00Z", "2013-00-01T00:00:00Z",
            "2013-01-00T00:00:00Z", "0000-01-01T00:00:00Z", "2013-01-01T24:00:00Z", "2013-01-01T00:60:00Z",
            "2013-01-01T23:59:60Z", "2013-01-01T00:00:00.Z", "2013-01-01T00:00:00,5Z", "2013-01-01T00:00:00ZZ",
            "2013-01-01T00:00:00+", "2013-01-01T00:00:00+5", "2013-01-01T00:00:00+05:", "2013-01-01T00:00:00+24:00",
            "2013-01-01T00:00:00+05:60", "2013-01-01T00:00:00 Z", " 2013-01-01T00:00:00Z", "2013-01-01X00:00:00Z",
            "-infinity", "now", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-00:01", "２013-01-01T00:00:00Z",
        ])
    func refusing(text: String) {
        #expect(TimestampText.parse(text.utf8, rounding: .down) == nil)
        #expect(Timestamp(text) == nil)
    }

    @Test("a fraction finer than a microsecond rounds down for spines and up for sources")
    func rounding() {
        for (text, down, up) in [
            ("1970-01-01T00:00:00.0000001Z", 0, 1), ("1970-01-01T00:00:00.00000100Z", 1, 1),
            ("1970-01-01T00:00:00.9999999Z", 999_999, 1_000_000), ("1969-12-31T23:59:59.9999999Z", -1, 0),
        ] as [(String, Int64, Int64)] {
            #expect(Self.instant(text, .down) == down, "\(text)")
            #expect(Self.instant(text, .up) == up, "\(text)")
        }
        // Rounding up may leave the years that can be written.
        #expect(Self.instant("9999-12-31T23:59:59.9999999Z", .up) == nil)
    }

    @Test("text without an offset is civil time, and no instant")
    func civil() {
        let expected = TimestampText.Parsed.civil(CivilDateTime(microsecondsSince1970: 1_357_016_400_000_000))
        #expect(TimestampText.parse("2013-01-01 05:00:00".utf8, rounding: .down) == expected)
        #expect(Timestamp("2013-01-01T05:00:00") == nil)
    }

    @Test("written text is shortest and reads back as the same instant")
    func roundTrip() {
        #expect("\(Timestamp(microsecondsSince1970: 0))" == "1970-01-01T00:00:00Z")
        #expect("\(Timestamp(microsecondsSince1970: -1))" == "1969-12-31T23:59:59.999999Z")
        #expect("\(Timestamp(microsecondsSince1970: 1_357_016_400_120_000))" == "2013-01-01T05:00:00.12Z")
        #expect("\(Timestamp.negativeInfinity) \(Timestamp.positiveInfinity)" == "-infinity infinity")
        var random = SeededGenerator(state: 1)
        for _ in 0..<5_000 {
            let range = Timestamp.earliest.microsecondsSince1970...Timestamp.latest.microsecondsSince1970
            let timestamp = Timestamp(microsecondsSince1970: .random(in: range, using: &random))
            #expect(Timestamp("\(timestamp)") == timestamp)
        }
    }

    @Test("instants beyond the years of RFC 3339 are still written apart")
    func beyondFourDigits() {
        let year10000 = Timestamp.latest.advanced(byMicroseconds: 1)
        #expect("\(year10000)" == "10000-01-01T00:00:00Z" && !year10000.isRepresentable)
        #expect("\(Timestamp(microsecondsSince1970: .max - 1))" == "294247-01-10T04:00:54.775806Z")
    }

    @Test("moving an instant keeps infinities and ends at one instead of overflowing")
    func advancing() {
        #expect(Timestamp.negativeInfinity.advanced(byMicroseconds: 5) == .negativeInfinity)
        #expect(Timestamp.positiveInfinity.advanced(byMicroseconds: -5) == .positiveInfinity)
        #expect(Timestamp(microsecondsSince1970: .max - 1).advanced(byMicroseconds: 2) == .positiveInfinity)
        #expect(Timestamp(microsecondsSince1970: .min + 1).advanced(byMicroseconds: -2) == .negativeInfinity)
        #expect(Timestamp(microsecondsSince1970: 3).advanced(byMicroseconds: -4).microsecondsSince1970 == -1)
    }
}
