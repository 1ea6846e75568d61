import ConnectionPooling

/// Plays callers, a server and time against a pool's rules, and keeps its own books about them.
struct RandomWorld {
    typealias Machine = PoolStateMachine<Int, Int, TestInstant>

    private struct Refused: Error {}

    private var machine: Machine
    private var random: SplitMix64
    private var now: Int64 = 0
    private var waiting: Set<Int> = []
    private var connecting: Set<Int> = []
    /// Connection by slot.
    private var lent: [Int: Int] = [:]
    private var open: Set<Int> = []
    private var nextCaller = 0
    private var nextConnection = 0
    private var isShutDown = false
    private let limits = PoolLimits(
        maximumConnections: 3, maximumWaiters: 5, idleTimeout: .milliseconds(400), breakerThreshold: 2,
        breakerCooldown: .milliseconds(300), retryDelay: .milliseconds(20))

    private(set) var complaints: [String] = []
    private(set) var granted = 0

    init(seed: UInt64) {
        machine = Machine(limits: limits)
        random = SplitMix64(state: seed)
    }

    private var instant: TestInstant { TestInstant(milliseconds: now) }

    mutating func step() {
        switch Int.random(in: 0..<12, using: &random) {
        case 0...3:
            nextCaller += 1
            waiting.insert(nextCaller)
            let deadline = TestInstant(milliseconds: now + Int64.random(in: 0...500, using: &random))
            take(machine.lease(nextCaller, identifier: nextCaller, deadline: deadline, now: instant))
        case 4:
            if let caller = waiting.sorted().randomElement(using: &random) { take(machine.cancel(caller)) }
        case 5...7:
            giveBack()
        case 8, 9:
            answerConnect()
        case 10:
            if let slot = (0..<nextSlotBound).randomElement(using: &random), lent[slot] == nil {
                take(machine.connectionClosed(slot))
            }
        default:
            now += Int64.random(in: 0...200, using: &random)
            take(machine.tick(now: instant))
        }
        check()
    }

    mutating func end() {
        take(machine.shutDown())
        while !connecting.isEmpty { answerConnect() }
        while !lent.isEmpty { giveBack() }
        if !waiting.isEmpty { complaints.append("callers \(waiting.sorted()) were never answered") }
        if !open.isEmpty { complaints.append("connections \(open.sorted()) were never closed") }
        if !isShutDown { complaints.append("the pool never ended") }
    }

    private var nextSlotBound: Int { (connecting.max() ?? 0) + 4 }

    private mutating func giveBack() {
        guard let slot = lent.keys.sorted().randomElement(using: &random) else { return }
        lent[slot] = nil
        take(machine.release(slot, isUsable: Int.random(in: 0..<5, using: &random) > 0, now: instant))
    }

    private mutating func answerConnect() {
        guard let slot = connecting.sorted().randomElement(using: &random) else { return }
        connecting.remove(slot)
        if Int.random(in: 0..<3, using: &random) > 0 {
            nextConnection += 1
            open.insert(nextConnection)
            take(machine.connected(slot, nextConnection, now: instant))
        } else {
            let isPermanent = Int.random(in: 0..<8, using: &random) == 0
            take(machine.connectFailed(slot, Refused(), isPermanent: isPermanent, now: instant))
        }
    }

    private mutating func take(_ actions: Machine.Actions) {
        for (caller, lease) in actions.grants {
            granted += 1
            if waiting.remove(caller) == nil { complaints.append("caller \(caller) was answered twice") }
            if lent.updateValue(lease.connection, forKey: lease.slot) != nil {
                complaints.append("slot \(lease.slot) was lent twice")
            }
            if !open.contains(lease.connection) { complaints.append("a closed connection was lent") }
        }
        for (caller, _) in actions.failures where waiting.remove(caller) == nil {
            complaints.append("caller \(caller) was answered twice")
        }
        for slot in actions.connects where !connecting.insert(slot).inserted {
            complaints.append("slot \(slot) connects twice")
        }
        for connection in actions.closes {
            if open.remove(connection) == nil { complaints.append("connection \(connection) was closed twice") }
            if lent.values.contains(connection) { complaints.append("a lent connection was closed") }
        }
        isShutDown = isShutDown || actions.isShutDown
    }

    private mutating func check() {
        let statistics = machine.statistics
        if connecting.count + open.count > limits.maximumConnections { complaints.append("too many connections") }
        if statistics.waiting != waiting.count { complaints.append("the queue is miscounted") }
        if statistics.leased != lent.count { complaints.append("the loans are miscounted") }
        if statistics.idle != open.count - lent.count { complaints.append("the idle ones are miscounted") }
        if waiting.count > limits.maximumWaiters { complaints.append("the queue is too long") }
    }
}

/// A small generator whose whole state is its seed.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
