/// The rules of a connection pool as a value: each function takes one event and returns what is to be done about it.
///
/// There is no lock, clock, task or I/O in here, so every order of events can be tested by calling functions in that order.
///
/// A slot is the right to one connection. It goes from `connecting` to `idle` and `leased`, back and forth between
/// these, and is removed when its connection is closed or could not be opened. `retrying` is a slot that waits to
/// connect again. There are never more slots than connections allowed, and never more slots being opened than callers waiting.
///
/// The breaker is `closed` while connects succeed; after several failures in a row, or one that retrying will not mend, it is
/// `open` for a time, and then `halfOpen` while a single connect is tried.
public struct PoolStateMachine<Connection: Sendable, Waiter: Sendable, Instant: InstantProtocol>: Sendable
where Instant.Duration == Duration {
    public typealias SlotIdentifier = Int
    public typealias WaiterIdentifier = Int

    /// A connection on loan.
    public struct Lease: Sendable {
        public let slot: SlotIdentifier
        public let connection: Connection
    }

    /// What the caller has to do, after it has let go of its lock.
    public struct Actions: Sendable {
        public var grants: [(waiter: Waiter, lease: Lease)] = []
        public var failures: [(waiter: Waiter, error: PoolError)] = []
        /// Slots to open a connection for, to be answered with `connected` or `connectFailed`.
        public var connects: [SlotIdentifier] = []
        public var closes: [Connection] = []
        /// When to call `tick`.
        public var wakeAt: Instant?
        /// No connection is left and none will come.
        public var isShutDown = false
    }

    private enum Slot {
        case connecting
        case retrying(at: Instant)
        case idle(Connection, since: Instant)
        case leased(Connection)
    }

    private struct WaitingCaller {
        var identifier: WaiterIdentifier
        var waiter: Waiter
        var deadline: Instant
    }

    private enum Breaker {
        case closed(failures: Int)
        case open(until: Instant, reason: any Error)
        case halfOpen(reason: any Error)
    }

    private let limits: PoolLimits
    private var slots: [SlotIdentifier: Slot] = [:]
    private var nextSlot = 0
    /// The idle slots; the last one used goes out first, so that surplus ones grow old and are closed.
    private var idleSlots: [SlotIdentifier] = []
    /// In order of arrival.
    private var waiters: [WaitingCaller] = []
    private var breaker = Breaker.closed(failures: 0)
    private var isShuttingDown = false
    private var refusals = PoolRefusals()
    /// When ticks are to come, ascending.
    private var scheduledTicks: [Instant] = []

    public init(limits: PoolLimits) {
        self.limits = limits
    }

    // MARK: Callers

    /// A caller asks for a connection.
    public mutating func lease(
        _ waiter: Waiter, identifier: WaiterIdentifier, deadline: Instant, now: Instant
    ) -> Actions {
        var actions = Actions()
        if isShuttingDown {
            actions.failures.append((waiter, .shutDown))
        } else if let slot = idleSlots.popLast(), case .idle(let connection, _) = slots[slot] {
            slots[slot] = .leased(connection)
            actions.grants.append((waiter, Lease(slot: slot, connection: connection)))
        } else if case .open(let until, let reason) = breaker, now < until, !hasLeasedSlot {
            refuse(waiter, .unavailable(reason), &actions)
        } else if waiters.count >= limits.maximumWaiters {
            refuse(waiter, .waitersExhausted(limit: limits.maximumWaiters), &actions)
        } else {
            waiters.append(WaitingCaller(identifier: identifier, waiter: waiter, deadline: deadline))
            openSlots(now: now, &actions)
        }
        scheduleTick(&actions)
        return actions
    }

    /// A waiting caller was cancelled. Without effect when it has been answered already.
    public mutating func cancel(_ identifier: WaiterIdentifier) -> Actions {
        var actions = Actions()
        if let index = waiters.firstIndex(where: { $0.identifier == identifier }) {
            actions.failures.append((waiters.remove(at: index).waiter, .cancelled))
        }
        return actions
    }

    /// A caller gives its connection back.
    public mutating func release(_ slot: SlotIdentifier, isUsable: Bool, now: Instant) -> Actions {
        var actions = Actions()
        guard case .leased(let connection) = slots[slot] else { return actions }
        if isUsable, !isShuttingDown {
            offer(connection, in: slot, now: now, &actions)
        } else {
            slots[slot] = nil
            actions.closes.append(connection)
            failHopelessWaiters(now: now, &actions)
            openSlots(now: now, &actions)
        }
        return finished(actions)
    }

    // MARK: Connections

    /// A connection was opened.
    public mutating func connected(_ slot: SlotIdentifier, _ connection: Connection, now: Instant) -> Actions {
        var actions = Actions()
        guard !isShuttingDown, case .connecting = slots[slot] else {
            slots[slot] = nil
            actions.closes.append(connection)
            return finished(actions)
        }
        breaker = .closed(failures: 0)
        offer(connection, in: slot, now: now, &actions)
        openSlots(now: now, &actions)
        return finished(actions)
    }

    /// A connection could not be opened.
    ///
    /// - Parameter isPermanent: whether the same attempt would fail again, as with a wrong password.
    public mutating func connectFailed(
        _ slot: SlotIdentifier, _ error: any Error, isPermanent: Bool, now: Instant
    ) -> Actions {
        var actions = Actions()
        guard !isShuttingDown, case .connecting = slots[slot] else {
            slots[slot] = nil
            return finished(actions)
        }
        switch breaker {
        case .closed(let failures) where !isPermanent && failures + 1 < limits.breakerThreshold:
            breaker = .closed(failures: failures + 1)
            slots[slot] = .retrying(at: now.advanced(by: retryDelay(afterFailures: failures + 1)))
        default:
            breaker = .open(until: now.advanced(by: limits.breakerCooldown), reason: error)
            for (slot, state) in slots {
                if case .retrying = state { slots[slot] = nil }
            }
            slots[slot] = nil
            failHopelessWaiters(now: now, &actions)
        }
        return finished(actions)
    }

    /// An idle connection was closed from the other side. One on loan shows when it is given back.
    public mutating func connectionClosed(_ slot: SlotIdentifier) -> Actions {
        var actions = Actions()
        guard case .idle(let connection, _) = slots[slot] else { return actions }
        idleSlots.removeAll { $0 == slot }
        slots[slot] = nil
        actions.closes.append(connection)
        return finished(actions)
    }

    // MARK: Time and end

    /// Time has passed.
    public mutating func tick(now: Instant) -> Actions {
        var actions = Actions()
        scheduledTicks.removeAll { $0 <= now }
        for waiter in waiters where waiter.deadline <= now {
            refuse(waiter.waiter, .leaseDeadlineExceeded, &actions)
        }
        waiters.removeAll { $0.deadline <= now }
        for slot in idleSlots {
            if case .idle(let connection, let since) = slots[slot], since.advanced(by: limits.idleTimeout) <= now {
                slots[slot] = nil
                actions.closes.append(connection)
            }
        }
        idleSlots.removeAll { slots[$0] == nil }
        for (slot, state) in slots.sorted(by: { $0.key < $1.key }) {
            guard case .retrying(let due) = state, due <= now else { continue }
            slots[slot] = nil
        }
        openSlots(now: now, &actions)
        return finished(actions)
    }

    /// No caller gets a connection any more. Those on loan are closed when they come back.
    public mutating func shutDown() -> Actions {
        var actions = Actions()
        guard !isShuttingDown else { return finished(actions) }
        isShuttingDown = true
        actions.failures = waiters.map { ($0.waiter, .shutDown) }
        waiters = []
        for (slot, state) in slots {
            switch state {
            case .idle(let connection, _):
                actions.closes.append(connection)
                slots[slot] = nil
            case .retrying:
                slots[slot] = nil
            case .connecting, .leased:
                break
            }
        }
        idleSlots = []
        return finished(actions)
    }

    // MARK: Figures

    public var statistics: PoolStatistics {
        var statistics = PoolStatistics(idle: idleSlots.count, waiting: waiters.count, refusals: refusals)
        for state in slots.values {
            switch state {
            case .connecting, .retrying: statistics.connecting += 1
            case .leased: statistics.leased += 1
            case .idle: break
            }
        }
        if case .closed = breaker {} else { statistics.isBreakerOpen = true }
        return statistics
    }

    // MARK: Rules

    private var hasLeasedSlot: Bool {
        slots.values.contains { if case .leased = $0 { true } else { false } }
    }

    private var openingCount: Int {
        slots.values.count { state in
            switch state {
            case .connecting, .retrying: true
            case .idle, .leased: false
            }
        }
    }

    /// Gives a free connection to who has waited longest, or puts it aside.
    private mutating func offer(
        _ connection: Connection, in slot: SlotIdentifier, now: Instant, _ actions: inout Actions
    ) {
        if waiters.isEmpty {
            slots[slot] = .idle(connection, since: now)
            idleSlots.append(slot)
        } else {
            slots[slot] = .leased(connection)
            actions.grants.append((waiters.removeFirst().waiter, Lease(slot: slot, connection: connection)))
        }
    }

    /// Opens as many connections as there are callers that nobody connects for, within the limit and what the breaker allows.
    private mutating func openSlots(now: Instant, _ actions: inout Actions) {
        guard !isShuttingDown else { return }
        var opening = openingCount
        while opening < waiters.count, slots.count < limits.maximumConnections {
            switch breaker {
            case .closed:
                break
            case .open(let until, let reason):
                guard until <= now else { return }
                breaker = .halfOpen(reason: reason)
            case .halfOpen:
                guard opening == 0 else { return }
            }
            slots[nextSlot] = .connecting
            actions.connects.append(nextSlot)
            nextSlot += 1
            opening += 1
        }
    }

    /// While the breaker is open and nothing is on loan, no connection can come free for those who wait.
    private mutating func failHopelessWaiters(now: Instant, _ actions: inout Actions) {
        guard case .open(let until, let reason) = breaker, now < until, !hasLeasedSlot, openingCount == 0 else {
            return
        }
        for waiter in waiters { refuse(waiter.waiter, .unavailable(reason), &actions) }
        waiters = []
    }

    /// Answers a caller who gets no connection.
    private mutating func refuse(_ waiter: Waiter, _ error: PoolError, _ actions: inout Actions) {
        switch error {
        case .waitersExhausted: refusals.waitersExhausted += 1
        case .leaseDeadlineExceeded: refusals.deadlineExceeded += 1
        case .unavailable: refusals.unavailable += 1
        // Neither is for want of a connection.
        case .shutDown, .cancelled: break
        }
        actions.failures.append((waiter, error))
    }

    private func retryDelay(afterFailures failures: Int) -> Duration {
        min(limits.retryDelay * (1 << min(failures - 1, 16)), limits.breakerCooldown)
    }

    private mutating func finished(_ actions: Actions) -> Actions {
        var actions = actions
        actions.isShutDown = isShuttingDown && slots.isEmpty
        scheduleTick(&actions)
        return actions
    }

    /// Asks for a tick when something is due before the ticks that are to come anyway.
    private mutating func scheduleTick(_ actions: inout Actions) {
        guard !isShuttingDown else { return }
        var due = waiters.map { $0.deadline }
        for state in slots.values {
            switch state {
            case .idle(_, let since): due.append(since.advanced(by: limits.idleTimeout))
            case .retrying(let instant): due.append(instant)
            case .connecting, .leased: break
            }
        }
        if case .open(let until, _) = breaker, !waiters.isEmpty { due.append(until) }
        guard let earliest = due.min() else { return }
        if let first = scheduledTicks.first, first <= earliest { return }
        scheduledTicks.insert(earliest, at: 0)
        actions.wakeAt = earliest
    }
}

/// How a pool stands.
public struct PoolStatistics: Sendable, Hashable {
    public var idle = 0
    public var leased = 0
    /// Being opened, or waiting to be tried again.
    public var connecting = 0
    /// Callers in the queue.
    public var waiting = 0
    /// Whether connecting has failed repeatedly and is on hold.
    public var isBreakerOpen = false
    public var refusals: PoolRefusals

    public init(idle: Int = 0, waiting: Int = 0, refusals: PoolRefusals = PoolRefusals()) {
        self.idle = idle
        self.waiting = waiting
        self.refusals = refusals
    }
}

/// How many callers have got no connection since the pool began, by what they were told.
public struct PoolRefusals: Sendable, Hashable {
    /// `PoolError.waitersExhausted`.
    public var waitersExhausted = 0
    /// `PoolError.leaseDeadlineExceeded`.
    public var deadlineExceeded = 0
    /// `PoolError.unavailable`.
    public var unavailable = 0

    public init() {}
}
