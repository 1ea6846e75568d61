/// A history row that may still answer a spine row of its key.
struct Candidate {
    /// The earliest spine time that may see the row.
    let knownAt: Int64
    let eventTime: Int64
    let schemaVersion: Int32
    let isTombstone: Bool
    /// Where its features are: a row of the current batch, or the complement of one of the carried rows.
    var location: Int
    /// Its number among the winners, once it has won.
    var winner: Int32 = -1
}

/// The history rows of one key that no other row beats at every time still to come, oldest first.
///
/// A row is beaten for good by a newer one known no later. So, from one end to the other, both the one order and
/// the known-at time ascend strictly, and the row to choose at a time is the last one known by then. While rows become
/// known in the one order itself, as by event time, there are never more than two.
struct CandidateQueue {
    private var rows: [Candidate] = []
    private var head = 0

    var indices: Range<Int> { head..<rows.count }

    subscript(index: Int) -> Candidate {
        get { rows[index] }
        set { rows[index] = newValue }
    }

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        head = 0
    }

    /// Adds a row newer than all before.
    mutating func push(_ candidate: Candidate) {
        while rows.count > head, let last = rows.last, last.knownAt >= candidate.knownAt { rows.removeLast() }
        rows.append(candidate)
    }

    /// Drops what nothing at `time` or later can choose.
    mutating func dropBeaten(at time: Int64) {
        while head + 1 < rows.count, rows[head + 1].knownAt <= time { head += 1 }
        if head > 32, head * 2 > rows.count {
            rows.removeFirst(head)
            head = 0
        }
    }

    /// The index of the row to choose at `time`. Times must not go backwards.
    mutating func choose(at time: Int64) -> Int? {
        dropBeaten(at: time)
        return head < rows.count && rows[head].knownAt <= time ? head : nil
    }
}
