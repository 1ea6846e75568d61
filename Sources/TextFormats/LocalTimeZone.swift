public import FeatureModel
private import Foundation

/// Turns the time on a clock in some zone into an instant.
///
/// A time that exists twice is the later or the earlier, as asked; one that does not exist is shifted forward by
/// the gap. Offsets are remembered by stretches of 64 days, so that reading millions of rows
/// asks the time zone database rarely.
public struct LocalTimeZone: Sendable {
    /// A stretch of time with one offset, in seconds since 1970.
    private struct Period {
        let start: Int
        let end: Int
        /// Seconds east of UTC.
        let offset: Int

        func contains(_ instant: Int) -> Bool { start <= instant && instant < end }
    }

    private static let secondsPerBlock = 64 * 86_400
    /// No zone's clock was ever further from UTC.
    private static let largestOffset = 26 * 3_600
    private static let probeStep = 3 * 3_600

    public let identifier: String
    private let zone: TimeZone
    private var periodsByBlock: [Int: [Period]] = [:]
    private var lastBlock: Int?
    private var lastPeriods: [Period] = []

    /// - Returns: nil when the time zone database has no such zone.
    public init?(identifier: String) {
        guard let zone = TimeZone(identifier: identifier) else { return nil }
        self.identifier = identifier
        self.zone = zone
    }

    /// - Throws: an error that says what a zone looks like and what may be missing.
    public init(named identifier: String) throws(LarderError) {
        guard let zone = LocalTimeZone(identifier: identifier) else {
            throw LarderError(
                .requestInvalid, "time zone \"\(identifier)\" is unknown",
                hint: "use a name of the IANA database such as America/New_York; if it is one, "
                    + "the package tzdata may be missing on this machine")
        }
        self = zone
    }

    /// The instant at which clocks in the zone show `civil`.
    public mutating func timestamp(of civil: CivilDateTime, ambiguity: LocalTimeAmbiguity) -> Timestamp {
        let micros = civil.microsecondsSince1970
        let offset = offset(ofCivil: Self.floorDivide(Int(micros), 1_000_000), ambiguity: ambiguity)
        return Timestamp(microsecondsSince1970: micros).advanced(byMicroseconds: Int64(-offset) * 1_000_000)
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    private mutating func offset(ofCivil civil: Int, ambiguity: LocalTimeAmbiguity) -> Int {
        let block = Self.floorDivide(civil, Self.secondsPerBlock)
        if block != lastBlock {
            lastBlock = block
            if let known = periodsByBlock[block] {
                lastPeriods = known
            } else {
                lastPeriods = periods(around: block)
                periodsByBlock[block] = lastPeriods
            }
        }
        let periods = lastPeriods
        if periods.count == 1 { return periods[0].offset }
        // The later instant has the smaller offset.
        var found: Int?
        for period in periods where period.contains(civil - period.offset) {
            guard let other = found else {
                found = period.offset
                continue
            }
            found = ambiguity == .later ? min(other, period.offset) : max(other, period.offset)
        }
        if let found { return found }
        // In a gap the clock had not yet gone forward: counting on with the offset before it lands after it.
        for (before, after) in zip(periods, periods.dropFirst())
        where civil - before.offset >= before.end && civil - after.offset < after.start {
            return before.offset
        }
        return periods[0].offset
    }

    /// The stretches that civil times of a block may fall in.
    private func periods(around block: Int) -> [Period] {
        let start = block * Self.secondsPerBlock - Self.largestOffset
        let end = (block + 1) * Self.secondsPerBlock + Self.largestOffset
        var periods: [Period] = []
        var periodStart = start
        var known = start
        var offset = secondsEast(at: start)
        while known < end {
            let next = min(known + Self.probeStep, end)
            let nextOffset = secondsEast(at: next)
            if nextOffset != offset {
                let change = firstChange(after: known, through: next, from: offset)
                periods.append(Period(start: periodStart, end: change, offset: offset))
                periodStart = change
                offset = nextOffset
            }
            known = next
        }
        periods.append(Period(start: periodStart, end: end, offset: offset))
        return periods
    }

    /// The first second at which the offset is no longer `offset`.
    private func firstChange(after low: Int, through high: Int, from offset: Int) -> Int {
        var low = low
        var high = high
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if secondsEast(at: middle) == offset { low = middle } else { high = middle }
        }
        return high
    }

    private func secondsEast(at instant: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
    }
}
