import Testing

@testable import PointInTime

@Suite struct CandidateQueueTests {
    private static func candidate(_ number: Int, knownAt: Int64) -> Candidate {
        Candidate(knownAt: knownAt, eventTime: 0, schemaVersion: 1, isTombstone: false, location: number)
    }

    @Test("while rows become known in order, no more than two are kept, however many come")
    func staysSmall() {
        var queue = CandidateQueue()
        for number in 0..<10_000 {
            queue.push(Self.candidate(number, knownAt: Int64(number)))
            queue.dropBeaten(at: 1_000_000)
            #expect(queue.indices.count <= 2)
        }
        #expect(queue.choose(at: 1_000_000).map { queue[$0].location } == 9_999)
    }

    @Test("a newer row known no later beats the older for good")
    func beaten() {
        var queue = CandidateQueue()
        for (number, knownAt) in [(0, 5), (1, 9), (2, 7), (3, 7)] as [(Int, Int64)] {
            queue.push(Self.candidate(number, knownAt: knownAt))
        }
        #expect(queue.indices.map { queue[$0].location } == [0, 3])
        #expect(queue.choose(at: 4) == nil)
        #expect(queue.choose(at: 6).map { queue[$0].location } == 0)
        #expect(queue.choose(at: 7).map { queue[$0].location } == 3)
    }

    @Test("dropping many from the front keeps the rest in place")
    func compaction() {
        var queue = CandidateQueue()
        for number in 0..<1_000 { queue.push(Self.candidate(number, knownAt: Int64(number))) }
        for time in Int64(0)..<1_000 {
            #expect(queue.choose(at: time).map { queue[$0].location } == Int(time))
        }
        #expect(queue.indices.count == 1)
    }
}
