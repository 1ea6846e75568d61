internal import NIOCore

/// The rules of one pipelined connection: which reply belongs to whom, what may be queued, what has waited too long.
///
/// A value without clock, lock or socket: its owner tells it what happened, and it answers with what to do. Replies
/// come in the order of the commands, so every command keeps its slot until its reply comes, also when nobody waits
/// for it any more.
struct CommandPipeline<Waiter> {
    /// Names a slot: the number of commands queued before it on this connection.
    typealias SlotID = UInt64

    private struct Slot {
        /// Nil once abandoned: the reply will be dropped.
        var waiter: Waiter?
        let queuedAt: NIODeadline
    }

    private enum Phase {
        /// Takes commands. Can become `draining` (the owner closes) and `closed` (the connection ends).
        case open
        /// Takes no more commands; waits for the replies that somebody still wants. Can become `closed`.
        case draining
        /// The connection has ended; there are no slots.
        case closed(RedisError)
    }

    private var phase = Phase.open
    private var slots = CircularBuffer<Slot>()
    private var firstSlotID: SlotID = 0
    /// Slots before this one have had their timeout judged.
    private var firstUnjudgedID: SlotID = 0
    private var waiterCount = 0
    /// The slot whose time is taken; one at a time.
    private var timedSlotID: SlotID?
    /// When the next one may be.
    private var nextTiming = NIODeadline.uptimeNanoseconds(0)
    /// When the timed command was queued whose reply has come.
    private var finishedTiming: NIODeadline?
    private var maximumSlots: Int
    private var commandTimeout: TimeAmount
    private var stallTimeout: TimeAmount

    init(maximumSlots: Int, commandTimeout: TimeAmount, stallTimeout: TimeAmount) {
        self.maximumSlots = maximumSlots
        self.commandTimeout = commandTimeout
        self.stallTimeout = stallTimeout
    }

    /// Changes the limits, and times the next command.
    ///
    /// - Precondition: no command waits for a reply.
    mutating func setLimits(maximumSlots: Int, commandTimeout: TimeAmount, stallTimeout: TimeAmount) {
        self.maximumSlots = maximumSlots
        self.commandTimeout = commandTimeout
        self.stallTimeout = stallTimeout
        nextTiming = .uptimeNanoseconds(0)
    }

    /// Commands whose replies have not come yet, abandoned ones included.
    var count: Int { slots.count }

    /// The slot that the next queued command gets.
    var nextSlotID: SlotID { firstSlotID + SlotID(slots.count) }

    // MARK: Queueing

    /// Whether `count` more commands may be queued now. They are taken all or none.
    func admit(_ count: Int) -> RedisError? {
        switch phase {
        case .open:
            if count <= maximumSlots - slots.count { return nil }
            return RedisError(
                .queueFull, "\(slots.count) commands wait for replies, \(count) more would exceed \(maximumSlots)")
        case .draining: return RedisError(.closed, "the connection is closing")
        case .closed(let error): return RedisError(.notConnected, "the connection is closed (\(error.code))")
        }
    }

    /// Takes a slot for a command that is about to be written.
    ///
    /// - Precondition: ``admit(_:)`` let it in.
    mutating func enqueue(_ waiter: Waiter, now: NIODeadline) -> SlotID {
        let id = nextSlotID
        slots.append(Slot(waiter: waiter, queuedAt: now))
        waiterCount += 1
        if timedSlotID == nil, now >= nextTiming {
            timedSlotID = id
            nextTiming = now + Self.timingInterval
        }
        return id
    }

    // MARK: Replies

    enum ReplyAction {
        case deliver(Waiter)
        case discard
        /// The peer sent a reply nobody asked for: the order is lost, the connection must be closed.
        case unexpected
    }

    /// A whole reply arrived: it belongs to the oldest slot.
    mutating func receiveReply() -> ReplyAction {
        if case .closed = phase { return .discard }
        guard let slot = slots.popFirst() else { return .unexpected }
        if timedSlotID == firstSlotID {
            timedSlotID = nil
            finishedTiming = slot.queuedAt
        }
        firstSlotID += 1
        firstUnjudgedID = max(firstUnjudgedID, firstSlotID)
        guard let waiter = slot.waiter else { return .discard }
        waiterCount -= 1
        return .deliver(waiter)
    }

    /// When the command was queued whose reply came last, if its time is taken; told once.
    ///
    /// One command in an interval is timed: most need no second look at the clock, and a busy connection has as many timings as
    /// anyone needs.
    mutating func takeTiming() -> NIODeadline? {
        guard let start = finishedTiming else { return nil }
        finishedTiming = nil
        return start
    }

    private static var timingInterval: TimeAmount { .milliseconds(100) }

    /// Whether closing was asked for and no wanted reply is outstanding.
    var isDrained: Bool {
        if case .draining = phase { waiterCount == 0 } else { false }
    }

    // MARK: Giving up

    /// The caller no longer wants the reply. The neighbours are not touched.
    ///
    /// - Returns: the waiter, or nil when it was already answered or abandoned.
    mutating func abandon(_ id: SlotID) -> Waiter? {
        guard id >= firstSlotID, id < nextSlotID else { return nil }
        let index = slots.index(slots.startIndex, offsetBy: Int(id - firstSlotID))
        guard let waiter = slots[index].waiter else { return nil }
        slots[index].waiter = nil
        waiterCount -= 1
        return waiter
    }

    struct Expiry {
        /// Waiters whose command timed out.
        var timedOut: [Waiter] = []
        /// The oldest command is so old that the connection must be taken for dead.
        var isStalled = false
    }

    /// Judges what has waited too long.
    mutating func expire(now: NIODeadline) -> Expiry {
        var expiry = Expiry()
        while firstUnjudgedID < nextSlotID, queuedAt(firstUnjudgedID) + commandTimeout <= now {
            if let waiter = abandon(firstUnjudgedID) { expiry.timedOut.append(waiter) }
            firstUnjudgedID += 1
        }
        if let oldest = slots.first { expiry.isStalled = oldest.queuedAt + stallTimeout <= now }
        return expiry
    }

    /// When ``expire(now:)`` has something to do next; nil when nothing waits.
    var nextDeadline: NIODeadline? {
        guard let oldest = slots.first else { return nil }
        let stall = oldest.queuedAt + stallTimeout
        return firstUnjudgedID < nextSlotID ? min(stall, queuedAt(firstUnjudgedID) + commandTimeout) : stall
    }

    private func queuedAt(_ id: SlotID) -> NIODeadline {
        slots[slots.index(slots.startIndex, offsetBy: Int(id - firstSlotID))].queuedAt
    }

    // MARK: Ending

    /// The owner wants no more; what is queued may still be answered.
    mutating func drain() {
        if case .open = phase { phase = .draining }
    }

    /// The connection ended.
    ///
    /// - Returns: every waiter not yet answered, each exactly once over the life of the pipeline.
    mutating func close(_ error: RedisError) -> [Waiter] {
        if case .closed = phase { return [] }
        phase = .closed(error)
        let waiters = slots.compactMap(\.waiter)
        firstSlotID = nextSlotID
        firstUnjudgedID = firstSlotID
        slots.removeAll()
        waiterCount = 0
        timedSlotID = nil
        return waiters
    }
}
