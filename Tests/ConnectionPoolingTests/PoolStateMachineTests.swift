import ConnectionPooling
import Testing

/// Milliseconds on a clock that only the test moves.
struct TestInstant: InstantProtocol {
    var milliseconds: Int64

    func advanced(by duration: Duration) -> TestInstant {
        TestInstant(milliseconds: milliseconds + Int64(duration / .milliseconds(1)))
    }

    func duration(to other: TestInstant) -> Duration { .milliseconds(other.milliseconds - milliseconds) }

    static func < (lhs: TestInstant, rhs: TestInstant) -> Bool { lhs.milliseconds < rhs.milliseconds }
}

@Suite struct PoolStateMachineTests {
    typealias Machine = PoolStateMachine<String, String, TestInstant>

    private struct Refused: Error {}

    private func machine(_ change: (inout PoolLimits) -> Void = { _ in }) -> Machine {
        var limits = PoolLimits(
            maximumConnections: 2, maximumWaiters: 3, leaseDeadline: .seconds(10), idleTimeout: .seconds(60),
            breakerThreshold: 3, breakerCooldown: .seconds(5), retryDelay: .milliseconds(100))
        change(&limits)
        return Machine(limits: limits)
    }

    private func at(_ milliseconds: Int64) -> TestInstant { TestInstant(milliseconds: milliseconds) }

    /// The caller's name is its identifier in decimal.
    private func lease(
        _ machine: inout Machine, _ caller: Int, at now: Int64 = 0, deadline: Int64 = 10_000
    ) -> Machine.Actions {
        machine.lease("\(caller)", identifier: caller, deadline: at(deadline), now: at(now))
    }

    private func error(_ actions: Machine.Actions) -> String? {
        actions.failures.first.map { "\($0.waiter): " + String(describing: $0.error).prefix { $0 != "(" } }
    }

    @Test func aFirstCallerHasAConnectionOpened() {
        var machine = machine()
        let asked = lease(&machine, 1)
        #expect(asked.connects == [0] && asked.grants.isEmpty && asked.wakeAt == at(10_000))
        let opened = machine.connected(0, "a", now: at(5))
        #expect(opened.grants.map { $0.waiter } == ["1"])
        #expect(opened.grants.first?.lease.connection == "a")
        #expect(machine.statistics.leased == 1)
    }

    @Test func aConnectionThatComesBackGoesToWhoWaitsLongest() {
        var machine = machine { $0.maximumConnections = 1 }
        _ = lease(&machine, 1)
        _ = machine.connected(0, "a", now: at(0))
        #expect(lease(&machine, 2).connects.isEmpty)
        #expect(lease(&machine, 3).connects.isEmpty)
        #expect(machine.release(0, isUsable: true, now: at(1)).grants.map { $0.waiter } == ["2"])
        #expect(machine.release(0, isUsable: true, now: at(2)).grants.map { $0.waiter } == ["3"])
        #expect(machine.release(0, isUsable: true, now: at(3)).grants.isEmpty)
        #expect(machine.statistics.idle == 1)
        #expect(lease(&machine, 4).grants.first?.lease.slot == 0)
    }

    @Test func noMoreConnectionsThanAllowedAndNoMoreThanCallers() {
        var machine = machine()
        #expect(lease(&machine, 1).connects == [0])
        #expect(lease(&machine, 2).connects == [1])
        #expect(lease(&machine, 3).connects.isEmpty)
        // One that was opened for a caller who left is kept, and nothing is opened for nobody.
        _ = machine.cancel(1)
        _ = machine.cancel(2)
        _ = machine.cancel(3)
        #expect(machine.connected(0, "a", now: at(1)).grants.isEmpty)
        #expect(lease(&machine, 4).grants.count == 1)
        #expect(lease(&machine, 5).connects.isEmpty)
        #expect(machine.connected(1, "b", now: at(1)).grants.map { $0.waiter } == ["5"])
    }

    @Test func theQueueIsBounded() {
        var machine = machine { $0.maximumConnections = 1 }
        for caller in 1...3 { #expect(lease(&machine, caller).failures.isEmpty) }
        #expect(error(lease(&machine, 4)) == "4: waitersExhausted")
        _ = machine.cancel(2)
        #expect(lease(&machine, 5).failures.isEmpty)
    }

    @Test func callersFailAtTheirDeadlineAndNotBefore() {
        var machine = machine { $0.maximumConnections = 1 }
        _ = lease(&machine, 1, deadline: 1_000)
        #expect(lease(&machine, 2, deadline: 500).wakeAt == at(500))
        #expect(machine.tick(now: at(499)).failures.isEmpty)
        #expect(error(machine.tick(now: at(500))) == "2: leaseDeadlineExceeded")
        #expect(error(machine.tick(now: at(1_000))) == "1: leaseDeadlineExceeded")
        #expect(machine.statistics.waiting == 0)
    }

    @Test func aCancelledCallerFailsOnceAndOnlyWhileItWaits() {
        var machine = machine { $0.maximumConnections = 1 }
        _ = lease(&machine, 1)
        #expect(error(machine.cancel(1)) == "1: cancelled")
        #expect(machine.cancel(1).failures.isEmpty)
        _ = lease(&machine, 2)
        _ = machine.connected(0, "a", now: at(0))
        #expect(machine.cancel(2).failures.isEmpty)
    }

    @Test func brokenConnectionsAreClosedAndReplacedForWhoWaits() {
        var machine = machine { $0.maximumConnections = 1 }
        _ = lease(&machine, 1)
        _ = machine.connected(0, "a", now: at(0))
        _ = lease(&machine, 2)
        let broken = machine.release(0, isUsable: false, now: at(1))
        #expect(broken.closes == ["a"] && broken.connects == [1] && broken.grants.isEmpty)
    }

    @Test func anIdleConnectionThatTheServerClosedIsForgotten() {
        var machine = machine()
        _ = lease(&machine, 1)
        _ = machine.connected(0, "a", now: at(0))
        #expect(machine.connectionClosed(0).closes.isEmpty)
        _ = machine.release(0, isUsable: true, now: at(1))
        #expect(machine.connectionClosed(0).closes == ["a"])
        #expect(lease(&machine, 2).connects == [1])
    }

    @Test func idleConnectionsAreClosedAfterTheTimeoutAndTheFreshestIsUsedFirst() {
        var machine = machine()
        _ = lease(&machine, 1)
        _ = lease(&machine, 2)
        _ = machine.connected(0, "a", now: at(0))
        _ = machine.connected(1, "b", now: at(0))
        _ = machine.release(0, isUsable: true, now: at(1_000))
        _ = machine.release(1, isUsable: true, now: at(2_000))
        #expect(lease(&machine, 3).grants.first?.lease.connection == "b")
        _ = machine.release(1, isUsable: true, now: at(3_000))
        #expect(machine.tick(now: at(60_999)).closes.isEmpty)
        #expect(machine.tick(now: at(61_000)).closes == ["a"])
        #expect(machine.tick(now: at(63_000)).closes == ["b"])
    }

    @Test func aTickIsAskedForOnlyWhenNoneComesBefore() {
        var machine = machine()
        #expect(lease(&machine, 1, deadline: 10_000).wakeAt == at(10_000))
        #expect(lease(&machine, 2, deadline: 10_000).wakeAt == nil)
        #expect(lease(&machine, 3, deadline: 4_000).wakeAt == at(4_000))
        // The tick at 10,000 is still to come and serves the remaining callers.
        #expect(machine.tick(now: at(4_000)).wakeAt == nil)
        _ = machine.connected(0, "a", now: at(5_000))
        _ = machine.connected(1, "b", now: at(5_000))
        _ = machine.release(0, isUsable: true, now: at(5_000))
        #expect(machine.tick(now: at(10_000)).wakeAt == at(65_000))
    }

    @Test func failedConnectsAreTriedAgainWithLongerPauses() {
        var machine = machine()
        _ = lease(&machine, 1)
        let first = machine.connectFailed(0, Refused(), isPermanent: false, now: at(0))
        #expect(first.failures.isEmpty && first.wakeAt == at(100))
        #expect(machine.tick(now: at(99)).connects.isEmpty)
        #expect(machine.tick(now: at(100)).connects == [1])
        #expect(machine.connectFailed(1, Refused(), isPermanent: false, now: at(100)).wakeAt == at(300))
        #expect(machine.tick(now: at(300)).connects == [2])
        let granted = machine.connected(2, "a", now: at(310))
        #expect(granted.grants.count == 1)
        // The count starts anew after a success.
        _ = machine.release(2, isUsable: false, now: at(320))
        _ = lease(&machine, 2)
        #expect(machine.connectFailed(3, Refused(), isPermanent: false, now: at(330)).failures.isEmpty)
    }

    /// Fails three connects in a row, so that the breaker opens at 300.
    private func broken() -> Machine {
        var machine = machine()
        _ = lease(&machine, 1)
        _ = machine.connectFailed(0, Refused(), isPermanent: false, now: at(0))
        _ = machine.tick(now: at(100))
        _ = machine.connectFailed(1, Refused(), isPermanent: false, now: at(100))
        _ = machine.tick(now: at(300))
        #expect(error(machine.connectFailed(2, Refused(), isPermanent: false, now: at(300))) == "1: unavailable")
        return machine
    }

    @Test func theBreakerOpensAfterSeveralFailuresAndFailsCallersAtOnce() {
        var machine = broken()
        #expect(machine.statistics.isBreakerOpen)
        #expect(error(lease(&machine, 2, at: 5_299)) == "2: unavailable")
    }

    @Test func afterTheCooldownOneConnectIsTriedForAll() {
        var machine = broken()
        #expect(lease(&machine, 2, at: 5_300, deadline: 20_000).connects == [3])
        #expect(lease(&machine, 3, at: 5_301, deadline: 20_000).connects.isEmpty)
        let opened = machine.connected(3, "a", now: at(5_400))
        #expect(opened.grants.map { $0.waiter } == ["2"])
        #expect(opened.connects == [4])
        #expect(!machine.statistics.isBreakerOpen)
    }

    @Test func aTryThatFailsOpensTheBreakerAgain() {
        var machine = broken()
        _ = lease(&machine, 2, at: 5_300, deadline: 20_000)
        #expect(error(machine.connectFailed(3, Refused(), isPermanent: false, now: at(5_400))) == "2: unavailable")
        #expect(error(lease(&machine, 3, at: 10_399)) == "3: unavailable")
        #expect(lease(&machine, 4, at: 10_400, deadline: 20_000).connects == [4])
    }

    @Test func refusedCallersAreCountedByReasonAndOthersAreNot() {
        var machine = machine { $0.maximumConnections = 1 }
        for caller in 1...3 { _ = lease(&machine, caller, deadline: caller == 1 ? 100 : 10_000) }
        _ = lease(&machine, 4)
        _ = lease(&machine, 5)
        _ = machine.cancel(2)
        _ = machine.tick(now: at(100))
        var expected = PoolRefusals()
        expected.waitersExhausted = 2
        expected.deadlineExceeded = 1
        #expect(machine.statistics.refusals == expected)
        // The third still waits, and is told with the one who comes later.
        _ = machine.connectFailed(0, Refused(), isPermanent: true, now: at(200))
        _ = lease(&machine, 6, at: 300)
        expected.unavailable = 2
        #expect(machine.statistics.refusals == expected)
        var ending = self.machine()
        _ = lease(&ending, 1)
        _ = ending.shutDown()
        _ = lease(&ending, 2)
        #expect(ending.statistics.refusals == PoolRefusals())
    }

    @Test func aPermanentFailureOpensTheBreakerAtOnce() {
        var machine = machine()
        _ = lease(&machine, 1)
        #expect(error(machine.connectFailed(0, Refused(), isPermanent: true, now: at(0))) == "1: unavailable")
    }

    @Test func whileAConnectionIsOnLoanCallersWaitForItInsteadOfFailing() {
        var machine = machine()
        _ = lease(&machine, 1)
        _ = machine.connected(0, "a", now: at(0))
        _ = lease(&machine, 2)
        #expect(machine.connectFailed(1, Refused(), isPermanent: true, now: at(0)).failures.isEmpty)
        #expect(lease(&machine, 3).failures.isEmpty)
        #expect(machine.release(0, isUsable: true, now: at(1)).grants.map { $0.waiter } == ["2"])
        // When the last one breaks, nobody can be served.
        #expect(error(machine.release(0, isUsable: false, now: at(2))) == "3: unavailable")
    }

    @Test func theBreakersEndServesThoseWhoStillWait() {
        var machine = machine()
        _ = lease(&machine, 1)
        _ = machine.connected(0, "a", now: at(0))
        _ = lease(&machine, 2)
        _ = machine.connectFailed(1, Refused(), isPermanent: true, now: at(0))
        #expect(machine.tick(now: at(5_000)).connects == [2])
    }

    @Test func shutdownFailsWaitersClosesIdleOnesAndWaitsForLoans() {
        var machine = machine()
        _ = lease(&machine, 1)
        _ = lease(&machine, 2)
        _ = machine.connected(0, "a", now: at(0))
        _ = machine.connected(1, "b", now: at(0))
        _ = machine.release(1, isUsable: true, now: at(1))
        let ending = machine.shutDown()
        #expect(ending.closes == ["b"] && !ending.isShutDown)
        #expect(error(lease(&machine, 3)) == "3: shutDown")
        let last = machine.release(0, isUsable: true, now: at(2))
        #expect(last.closes == ["a"] && last.isShutDown)
    }

    @Test func aConnectionThatOpensDuringShutdownIsClosed() {
        var machine = machine()
        _ = lease(&machine, 1)
        let ending = machine.shutDown()
        #expect(error(ending) == "1: shutDown")
        #expect(!ending.isShutDown)
        let opened = machine.connected(0, "a", now: at(1))
        #expect(opened.closes == ["a"] && opened.isShutDown)
        var other = self.machine()
        _ = lease(&other, 1)
        _ = other.shutDown()
        #expect(other.connectFailed(0, Refused(), isPermanent: false, now: at(1)).isShutDown)
    }

    @Test func anEmptyPoolShutsDownAtOnce() {
        var machine = machine()
        #expect(machine.shutDown().isShutDown)
    }

    /// Whatever the order of events: each caller is answered exactly once, no connection is lent twice or lost,
    /// and there are never more than allowed.
    @Test(arguments: UInt64(1)...40)
    func randomEventsKeepTheBooks(seed: UInt64) {
        var world = RandomWorld(seed: seed)
        for _ in 0..<600 { world.step() }
        world.end()
        #expect(world.complaints.isEmpty, "seed \(seed): \(world.complaints.joined(separator: "; "))")
        #expect(world.granted > 20, "seed \(seed) tested nothing")
    }
}
