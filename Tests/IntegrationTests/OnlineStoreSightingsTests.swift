import OnlineStore
import Registry
import Testing

@testable import FeatureService

/// How a server tells a Redis that lost its data from one that others do not use. Time is what the test says it is.
@Suite struct OnlineStoreSightingsTests {
    private static let start = ContinuousClock.now
    private static let own = "redis://own:6379/0"
    private static let other = "redis://other:6379/0"

    private func state(_ incarnation: Int64, _ runID: String) -> OnlineStoreState {
        OnlineStoreState(onlineIncarnation: incarnation, redisRunID: runID, minimumRevision: 1)
    }

    private func judge(
        _ sightings: inout OnlineStoreSightings, _ expected: OnlineStoreState, at endpoint: String? = other,
        shown: OnlineStoreState? = nil, runID: String = "own", after seconds: Int = 0
    ) -> OnlineStoreSightings.Verdict? {
        sightings.judge(
            expected, publishedEndpoint: endpoint, sentinel: shown.map { OnlineSentinel($0) }, runID: runID,
            endpoint: Self.own, now: Self.start + .seconds(seconds))
    }

    @Test func `a Redis that was emptied or restarted has lost its data, whatever its address is called`() {
        var sightings = OnlineStoreSightings()
        sightings.noteHeld(state(1, "own"))
        let emptied = [
            judge(&sightings, state(1, "own"), at: Self.own), judge(&sightings, state(1, "own"), at: Self.own),
        ]
        #expect(emptied == [.lost, nil], "told once")
        sightings.noteHeld(state(2, "own"))
        let restarted = judge(&sightings, state(2, "own"), runID: "restarted")
        #expect(restarted == .lost)
        // Somebody else has it filled again, and the row comes later.
        sightings.noteHeld(state(3, "restarted"))
        let filled = judge(
            &sightings, state(3, "restarted"), shown: state(4, "restarted"), runID: "restarted")
        #expect(filled == .lost)
    }

    @Test func `data that goes to another Redis is taken, and contested when it has come back and is taken again`() {
        var sightings = OnlineStoreSightings()
        sightings.noteHeld(state(1, "own"))
        let first = [
            judge(&sightings, state(2, "other"), shown: state(1, "own")),
            judge(&sightings, state(2, "other"), shown: state(1, "own"), after: 1),
            // It stays there, and is published anew.
            judge(&sightings, state(3, "other"), shown: state(1, "own"), after: 2),
        ]
        #expect(first == [.taken, nil, nil])
        sightings.noteHeld(state(4, "own"))
        // While another server fills this one again, it shows nothing.
        let second = judge(&sightings, state(5, "other"), after: 60)
        #expect(second == .contested(times: 2))
        sightings.noteHeld(state(6, "own"))
        let third = judge(&sightings, state(7, "other"), after: 120)
        #expect(third == .contested(times: 3))
        sightings.noteHeld(state(8, "own"))
        let tomorrow = judge(&sightings, state(9, "other"), after: 86_400)
        #expect(tomorrow == .taken)
    }

    @Test func `a Redis that was restarted is not the one that was contested`() {
        var sightings = OnlineStoreSightings()
        sightings.noteHeld(state(1, "own"))
        let before = judge(&sightings, state(2, "other"), shown: state(1, "own"))
        sightings.noteHeld(state(3, "restarted"))
        let after = judge(&sightings, state(4, "other"), shown: state(3, "restarted"), runID: "restarted", after: 9)
        #expect([before, after] == [.taken, .taken])
    }

    @Test func `two databases of one server are two stores`() {
        var sightings = OnlineStoreSightings()
        sightings.noteHeld(state(1, "own"))
        let verdict = judge(&sightings, state(2, "own"), at: "redis://own:6379/1", shown: state(1, "own"))
        #expect(verdict == .taken)
    }

    @Test func `a server that has just started goes by the address`() {
        let cases: [(endpoint: String?, verdict: OnlineStoreSightings.Verdict)] = [
            (Self.other, .elsewhere), (Self.own, .lost), (nil, .lost),
        ]
        for each in cases {
            var sightings = OnlineStoreSightings()
            let verdict = judge(&sightings, state(1, "other"), at: each.endpoint)
            #expect(verdict == each.verdict)
        }
        var sightings = OnlineStoreSightings()
        let sameProcess = judge(&sightings, state(1, "own"))
        #expect(sameProcess == .lost, "the same process under another name")
    }
}
