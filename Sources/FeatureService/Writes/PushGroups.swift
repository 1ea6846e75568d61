public import FeatureDefinitions
import FeatureModel

/// Commits pushes together that come at the same time: while one transaction is under way, what comes for the same
/// version of a view waits, and goes into the next. A push that comes alone does not wait, and where many rows wait, the
/// next transaction does not.
///
/// The rows of a group keep the order in which the pushes came. See docs/adr/0006-group-commit.md.
public actor PushGroups {
    /// Bytes of pushes that are not answered yet, as they came.
    private static let maximumPendingBytes = 64 << 20
    /// Of one lane at the same time.
    private static let maximumTransactions = 2
    /// Where so many rows wait, another transaction costs less than waiting for the one under way.
    private static let rowsOfAnotherTransaction = 1_000

    private struct Queue {
        /// What waits for the next group, in the order it came.
        var waiting: [WaitingPush] = []
        /// Tasks that take groups from it until it is empty.
        var committers = 0
        /// Of groups that are being committed: a second push with one of them has to find that committed.
        var keysUnderWay: Set<[UInt8]> = []

        var needsCommitter: Bool {
            if committers == 0 { return true }
            return committers < maximumTransactions
                && waiting.reduce(0) { $0 + $1.push.rowCount } >= rowsOfAnotherTransaction
        }
    }

    private let stores: Stores
    private let maximumPending: Int
    private let keySpaces = KnownKeySpaces()
    /// A lane is here while groups of it are being committed.
    private var lanes: [GroupedPush.Lane: Queue] = [:]
    private var nextID = 0
    private var pendingBytes = 0
    /// Pushes that have come and are not answered yet.
    public private(set) var pendingCount = 0

    /// - Parameter maximumPending: pushes that may wait to be written or published; one more is refused.
    public init(stores: Stores, maximumPending: Int = ServingLimits().maximumPendingPushes) {
        self.stores = stores
        self.maximumPending = maximumPending
    }

    /// Writes a push together with others, and publishes it.
    ///
    /// - Parameter project: as far as this server knows it.
    /// - Returns: nil when the push has to be written alone, by `WriteViewRows`: it is large, known already, not of the
    ///   newest revision, or something is wrong with it or with one beside it. Nothing of it has been written then.
    /// - Throws: `LarderError` `write_queue_full`, `PostgresError`, and `CancellationError` when the task was cancelled
    ///   before the push's turn. A push whose turn has come is written, whoever still waits for it.
    public nonisolated func write(
        _ request: WriteViewRows.Request, in project: RegisteredProject
    ) async throws -> ViewWriteReport? {
        guard let push = GroupedPush(request, in: project) else { return nil }
        switch try await outcome(of: push) {
        case .written(let online): return push.report(online)
        case .alone: return nil
        case .failed(let error): throw error
        case .withdrawn: throw CancellationError()
        }
    }

    private func outcome(of push: GroupedPush) async throws(LarderError) -> WaitingPush.Outcome {
        guard pendingCount < maximumPending, pendingBytes + push.byteCount <= Self.maximumPendingBytes else {
            throw LarderError(
                .writeQueueFull, "\(pendingCount) pushes wait to be written",
                hint: "try again in a moment, with more rows in each push")
        }
        pendingCount += 1
        pendingBytes += push.byteCount
        defer {
            pendingCount -= 1
            pendingBytes -= push.byteCount
        }
        nextID += 1
        let id = nextID
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(WaitingPush(id: id, push: push, continuation: continuation))
            }
        } onCancel: {
            Task { await self.withdraw(id, from: push.lane) }
        }
    }

    private func enqueue(_ waiting: WaitingPush) {
        let lane = waiting.push.lane
        lanes[lane, default: Queue()].waiting.append(waiting)
        guard let queue = lanes[lane], queue.needsCommitter else { return }
        lanes[lane]?.committers += 1
        Task { await self.commitGroups(of: lane) }
    }

    private func withdraw(_ id: Int, from lane: GroupedPush.Lane) {
        guard let index = lanes[lane]?.waiting.firstIndex(where: { $0.id == id }) else { return }
        lanes[lane]?.waiting.remove(at: index).answer(.withdrawn)
    }

    private func commitGroups(of lane: GroupedPush.Lane) async {
        while let group = nextGroup(of: lane) {
            let committed = await group.commit()
            lanes[lane]?.keysUnderWay.subtract(group.idempotencyKeys)
            guard let committed else { continue }
            // Publishing compares: whether an earlier or a later group is published first makes no difference.
            Task { await group.publish(committed) }
        }
        lanes[lane]?.committers -= 1
        if lanes[lane]?.committers == 0 { lanes[lane] = nil }
    }

    private func nextGroup(of lane: GroupedPush.Lane) -> PushGroup? {
        var queue = lanes[lane] ?? Queue()
        let group = PushGroup(
            from: &queue.waiting, except: queue.keysUnderWay, stores: stores, keySpaces: keySpaces)
        queue.keysUnderWay.formUnion(group?.idempotencyKeys ?? [])
        lanes[lane] = queue
        return group
    }
}
