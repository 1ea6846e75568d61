import Testing

@testable import RedisClient

struct ReconnectBackoffTests {
    private let backoff = ReconnectBackoff(initialDelay: .milliseconds(50), maximumDelay: .seconds(5))

    @Test func theDelayDoublesUpToTheMaximumWithinItsJitter() {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SplitMix64(state: seed)
        for (failures, milliseconds) in [
            (1, 50), (2, 100), (3, 200), (7, 3200), (8, 5000), (60, 5000), (Int.max, 5000),
        ] {
            let step = Duration.milliseconds(milliseconds)
            for _ in 0..<100 {
                let delay = backoff.delay(afterFailures: failures, using: &generator)
                #expect(delay >= step / 2 && delay <= step, "seed \(seed), failures \(failures): \(delay)")
            }
        }
    }

    @Test func theLossOfAGoodConnectionIsRetriedAtOnce() {
        var generator = SplitMix64(state: 1)
        #expect(backoff.delay(afterFailures: 0, using: &generator) == .zero)
    }

    @Test func delaysDiffer() {
        var generator = SplitMix64(state: 1)
        let delays = Set((0..<100).map { _ in backoff.delay(afterFailures: 5, using: &generator) })
        #expect(delays.count > 90)
    }
}

struct ConnectionDirectoryTests {
    private let refused = RedisError(.connectionFailed, "refused")

    private func isReady(_ directory: ConnectionDirectory<String>) -> String {
        switch directory.readiness {
        case .pending: "pending"
        case .ready: "ready"
        case .failed(let error): "failed \(error.code)"
        }
    }

    @Test func readinessIsPendingUntilOneIsUpOrAllAreDown() {
        var directory = ConnectionDirectory<String>(count: 2)
        #expect(isReady(directory) == "pending")
        directory.setDown(refused, at: 0)
        #expect(isReady(directory) == "pending")
        directory.setDown(refused, at: 1)
        #expect(isReady(directory) == "failed connection_failed")
        directory.setUp("second", at: 1)
        #expect(isReady(directory) == "ready")
    }

    @Test func aConnectionThatIsDownIsSkippedAndNoneUpFailsAtOnce() throws {
        var directory = ConnectionDirectory<String>(count: 3)
        #expect(throws: RedisError.self) { try directory.pick(from: 0).get() }
        directory.setUp("last", at: 2)
        for start in 0..<3 { #expect(try directory.pick(from: start).get() == "last") }
        directory.setUp("first", at: 0)
        #expect(try directory.pick(from: 0).get() == "first")
        #expect(try directory.pick(from: 1).get() == "last")
        directory.setDown(refused, at: 0)
        directory.setDown(refused, at: 2)
        directory.setDown(refused, at: 1)
        let error = #expect(throws: RedisError.self) { try directory.pick(from: 1).get() }
        #expect(error?.code == .notConnected)
    }

    @Test func anOutageLastsFromTheFirstLossUntilAllAreUpAgain() {
        var directory = ConnectionDirectory<String>(count: 2)
        let start = ContinuousClock.now
        func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }
        let first = [directory.setUp("a", at: 0, now: at(0)), directory.setUp("b", at: 1, now: at(1))]
        #expect(first == [nil, nil], "what was never down is not back")
        directory.setDown(refused, at: 1, now: at(10))
        directory.setDown(refused, at: 0, now: at(12))
        directory.setDown(refused, at: 1, now: at(14))
        let second = [directory.setUp("c", at: 0, now: at(20)), directory.setUp("d", at: 1, now: at(25))]
        #expect(second == [nil, .seconds(15)])
        directory.setDown(refused, at: 0, now: at(30))
        let third = directory.setUp("e", at: 0, now: at(31))
        #expect(third == .seconds(1))
    }

    @Test func afterStoppingNothingComesUpAgain() {
        var directory = ConnectionDirectory<String>(count: 1)
        let starts = [directory.start(), directory.start()]
        #expect(starts == [true, false], "a client runs once")
        directory.setUp("one", at: 0)
        directory.stop()
        directory.setUp("two", at: 0)
        #expect(directory.connections.isEmpty)
        let error = #expect(throws: RedisError.self) { try directory.pick(from: 0).get() }
        #expect(error?.code == .closed)
        let startsAgain = directory.start()
        #expect(!startsAgain)
    }

    @Test func generationsGrow() {
        var directory = ConnectionDirectory<String>(count: 1)
        let generations = (0..<3).map { _ in directory.makeGeneration() }
        #expect(generations == [1, 2, 3])
    }
}
