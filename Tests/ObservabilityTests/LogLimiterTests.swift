import Logging
import Synchronization
import Testing

@testable import Observability

@Suite struct LogLimiterTests {
    private static let start = ContinuousClock.now

    @Test func `a second takes so many lines and holds the others back`() {
        let limiter = LogLimiter<String>(linesPerSecond: 3)
        let verdicts = (0..<5).map { limiter.admit("a", now: Self.start + .milliseconds(200 * $0)) }
        let expected: [Int?] = [0, 0, 0, nil, nil]
        #expect(verdicts == expected)
    }

    @Test func `the first line of the next second says how many were held back, and the second one nothing`() {
        let limiter = LogLimiter<String>(linesPerSecond: 2)
        for _ in 0..<7 { _ = limiter.admit("a", now: Self.start) }
        #expect(limiter.admit("a", now: Self.start + .milliseconds(999)) == nil)
        let next = Self.start + .seconds(1)
        let verdicts = (0..<3).map { _ in limiter.admit("a", now: next) }
        let expected: [Int?] = [6, 0, nil]
        #expect(verdicts == expected)
    }

    @Test func `what was held back is told after a pause too`() {
        let limiter = LogLimiter<String>(linesPerSecond: 1)
        for _ in 0..<3 { _ = limiter.admit("a", now: Self.start) }
        let later = Self.start + .seconds(3_600)
        #expect(limiter.admit("a", now: later) == 2)
        #expect(limiter.admit("a", now: later + .milliseconds(999)) == nil)
        #expect(limiter.admit("a", now: later + .seconds(1)) == 1)
    }

    @Test func `keys do not take lines from each other`() {
        let limiter = LogLimiter<String>(linesPerSecond: 1)
        #expect(limiter.admit("a", now: Self.start) == 0)
        #expect(limiter.admit("a", now: Self.start) == nil)
        #expect(limiter.admit("b", now: Self.start) == 0)
        #expect(limiter.admit("b", now: Self.start + .seconds(1)) == 0)
        #expect(limiter.admit("a", now: Self.start + .seconds(1)) == 1)
    }

    @Test func `a line that is let through says how many were not logged`() {
        #expect(
            logged(level: .info) == [
                "info t: refused number=1", "info t: refused number=2", "info t: refused not_logged=2 number=5",
            ])
    }

    @Test func `at debug every line is there`() {
        #expect(
            logged(level: .debug) == [
                "info t: refused number=1", "info t: refused number=2", "debug t: refused number=3",
                "debug t: refused number=4", "info t: refused number=5",
            ])
    }

    /// What a logger writes of four lines in one second and a fifth in the next, without the times.
    private func logged(level: Logger.Level) -> [String] {
        let lines = Mutex<[String]>([])
        let output = LogOutput { bytes in
            let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            lines.withLock { $0.append(words.dropFirst().joined(separator: " ")) }
        }
        let configuration = LogConfiguration(level: level, output: output)
        let logger = Logger(label: "t") { label in LineLogHandler(label: label, configuration: configuration) }
        let limiter = LogLimiter<String>(linesPerSecond: 2)
        for number in 1...5 {
            limiter.log(
                .info, "refused", metadata: ["number": "\(number)"], of: "a", to: logger,
                now: number < 5 ? Self.start : Self.start + .seconds(1))
        }
        return lines.withLock { $0 }
    }
}
