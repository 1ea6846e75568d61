import NIOCore
import Testing

@testable import RedisClient

/// The waiters are plain numbers here, and time is what the test says it is.
struct CommandPipelineTests {
    private typealias Pipeline = CommandPipeline<Int>

    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func makePipeline(maximumSlots: Int = 8) -> Pipeline {
        Pipeline(maximumSlots: maximumSlots, commandTimeout: .seconds(1), stallTimeout: .seconds(3))
    }

    private func at(_ seconds: Int64) -> NIODeadline { Self.start + .seconds(seconds) }

    private func describe(_ action: Pipeline.ReplyAction) -> String {
        switch action {
        case .deliver(let waiter): "deliver \(waiter)"
        case .discard: "discard"
        case .unexpected: "unexpected"
        }
    }

    @Test func repliesGoToWaitersInTheOrderOfTheCommands() {
        var pipeline = makePipeline()
        for waiter in 1...3 { _ = pipeline.enqueue(waiter, now: Self.start) }
        let actions = (1...4).map { _ in describe(pipeline.receiveReply()) }
        #expect(actions == ["deliver 1", "deliver 2", "deliver 3", "unexpected"])
    }

    @Test func anAbandonedSlotSwallowsItsReplyAndLeavesItsNeighbours() {
        var pipeline = makePipeline()
        let slots = (1...3).map { pipeline.enqueue($0, now: Self.start) }
        #expect(pipeline.abandon(slots[1]) == 2)
        #expect(pipeline.abandon(slots[1]) == nil)
        let actions = (1...3).map { _ in describe(pipeline.receiveReply()) }
        #expect(actions == ["deliver 1", "discard", "deliver 3"])
        #expect(pipeline.abandon(slots[0]) == nil, "an answered command has no waiter")
    }

    @Test func aSlotKeepsItsNameWhenEarlierOnesAreAnswered() {
        var pipeline = makePipeline()
        let slots = (1...3).map { pipeline.enqueue($0, now: Self.start) }
        _ = pipeline.receiveReply()
        #expect(pipeline.abandon(slots[2]) == 3)
    }

    @Test func theQueueIsBoundedAndAbandonedCommandsCountUntilTheirReplyComes() {
        var pipeline = makePipeline(maximumSlots: 2)
        let slot = pipeline.enqueue(1, now: Self.start)
        _ = pipeline.enqueue(2, now: Self.start)
        #expect(pipeline.admit(1)?.code == .queueFull)
        _ = pipeline.abandon(slot)
        #expect(pipeline.admit(1)?.code == .queueFull)
        _ = pipeline.receiveReply()
        #expect(pipeline.admit(1) == nil)
        #expect(pipeline.admit(2)?.code == .queueFull, "a pipeline is taken as a whole or not at all")
    }

    @Test func commandsTimeOutEachAtItsOwnTimeAndOnlyOnce() {
        var pipeline = makePipeline()
        _ = pipeline.enqueue(1, now: at(0))
        _ = pipeline.enqueue(2, now: at(1))
        #expect(pipeline.nextDeadline == at(1))
        #expect(pipeline.expire(now: at(1)).timedOut == [1])
        #expect(pipeline.nextDeadline == at(2))
        #expect(pipeline.expire(now: at(1)).timedOut.isEmpty)
        #expect(pipeline.expire(now: at(2)).timedOut == [2])
        #expect(pipeline.nextDeadline == at(3), "only the stall of the oldest command is left")
        #expect(describe(pipeline.receiveReply()) == "discard")
    }

    @Test func aCommandWaitsExactlyItsTimeoutAndNotLess() {
        var pipeline = makePipeline()
        _ = pipeline.enqueue(1, now: at(0))
        #expect(pipeline.expire(now: at(1) - .nanoseconds(1)).timedOut.isEmpty)
        #expect(pipeline.expire(now: at(1)).timedOut == [1])
    }

    @Test func anAbandonedCommandIsNotTimedOutButStillStallsTheConnection() {
        var pipeline = makePipeline()
        let slot = pipeline.enqueue(1, now: at(0))
        _ = pipeline.abandon(slot)
        let expiry = pipeline.expire(now: at(2))
        #expect(expiry.timedOut.isEmpty)
        #expect(!expiry.isStalled)
        #expect(pipeline.expire(now: at(3)).isStalled)
    }

    @Test func oneCommandInAnIntervalIsTimedFromItsQueueing() {
        var pipeline = makePipeline()
        let offsets: [Int64] = [0, 10, 99, 100, 250]
        let moments = offsets.map { Self.start + .milliseconds($0) }
        var timings: [NIODeadline?] = []
        for moment in moments {
            _ = pipeline.enqueue(1, now: moment)
            _ = pipeline.receiveReply()
            timings.append(pipeline.takeTiming())
        }
        #expect(timings == [moments[0], nil, nil, moments[3], moments[4]])
        #expect(pipeline.takeTiming() == nil, "a timing is told once")
        let slot = pipeline.enqueue(1, now: at(1))
        _ = pipeline.abandon(slot)
        _ = pipeline.receiveReply()
        #expect(pipeline.takeTiming() == at(1), "a late reply is timed too, or a slow server would look fast")
    }

    @Test func closingFailsEveryWaiterExactlyOnce() {
        var pipeline = makePipeline()
        let slots = (1...4).map { pipeline.enqueue($0, now: Self.start) }
        _ = pipeline.receiveReply()
        _ = pipeline.abandon(slots[2])
        let error = RedisError(.connectionLost, "gone")
        #expect(pipeline.close(error) == [2, 4])
        #expect(pipeline.close(error).isEmpty)
        #expect(pipeline.abandon(slots[3]) == nil)
        #expect(describe(pipeline.receiveReply()) == "discard")
        #expect(pipeline.admit(1)?.code == .notConnected)
        #expect(pipeline.nextDeadline == nil)
    }

    @Test func drainingTakesNoCommandsAndEndsWithTheLastWantedReply() {
        var pipeline = makePipeline()
        let slots = (1...3).map { pipeline.enqueue($0, now: Self.start) }
        pipeline.drain()
        #expect(pipeline.admit(1)?.code == .closed)
        _ = pipeline.receiveReply()
        #expect(!pipeline.isDrained)
        _ = pipeline.abandon(slots[2])
        #expect(!pipeline.isDrained)
        #expect(describe(pipeline.receiveReply()) == "deliver 2")
        #expect(pipeline.isDrained, "the reply of an abandoned command is not waited for")
    }

    /// Every way that up to five events can follow one another on a pipeline of two slots: each waiter hears at most
    /// once, and after the end exactly once.
    @Test func inEveryOrderOfEventsEachWaiterHearsExactlyOnce() {
        for sequence in 0..<3125 {
            var pipeline = makePipeline(maximumSlots: 2)
            var queued: [Int] = []
            var heard: [Int] = []
            var code = sequence
            var now: Int64 = 0
            for _ in 0..<5 {
                switch code % 5 {
                case 0 where pipeline.admit(1) == nil:
                    queued.append(queued.count)
                    #expect(pipeline.enqueue(queued.count - 1, now: at(now)) == UInt64(queued.count - 1))
                case 1: if case .deliver(let waiter) = pipeline.receiveReply() { heard.append(waiter) }
                case 2: if let waiter = pipeline.abandon(0) { heard.append(waiter) }
                case 3:
                    now += 1
                    heard += pipeline.expire(now: at(now)).timedOut
                default: pipeline.drain()
                }
                code /= 5
            }
            heard += pipeline.close(RedisError(.connectionLost, "gone"))
            #expect(heard.sorted() == queued, "sequence \(sequence)")
        }
    }
}
