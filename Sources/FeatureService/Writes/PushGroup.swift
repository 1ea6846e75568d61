import FeatureDefinitions
import FeatureModel
import OfflineStore
import OnlineStore
import PointInTime
import PostgresClient

/// Pushes of one lane that are committed in one transaction and published in one go. Each is answered exactly once.
struct PushGroup: Sendable {
    /// Rows and bytes of one group, beyond its first push.
    static let maximumRows = 20_000
    static let maximumBytes = 16 << 20

    /// Those whose rows are in PostgreSQL and still have to be published.
    struct Committed: Sendable {
        fileprivate let members: [WaitingPush]
        /// The newest row of each key; nil reads them from the table.
        fileprivate let newest: [OnlineBatch]?
        fileprivate let writeIDs: [Int64]
        fileprivate let incarnationID: Int32
    }

    private let stores: Stores
    private let keySpaces: KnownKeySpaces
    private let members: [WaitingPush]
    private let project: RegisteredProject
    private let target: PushTarget
    private let isPublished: Bool

    /// Takes the next pushes out of a queue, in their order. Of those with one idempotency key it takes the first alone:
    /// the others have to find that committed.
    /// - Parameter keys: idempotency keys whose pushes have to go on waiting.
    /// - Returns: nil when there are no others in the queue.
    init?(
        from queue: inout [WaitingPush], except keys: Set<[UInt8]>, stores: Stores, keySpaces: KnownKeySpaces
    ) {
        var keys = keys
        var (taken, left): ([WaitingPush], [WaitingPush]) = ([], [])
        var (rowCount, byteCount) = (0, 0)
        var isFull = false
        for waiting in queue {
            let push = waiting.push
            isFull =
                isFull
                || (!taken.isEmpty
                    && (rowCount + push.rowCount > Self.maximumRows || byteCount + push.byteCount > Self.maximumBytes))
            let isNew = !isFull && (push.idempotencyKey.map { keys.insert($0.digest).inserted } ?? true)
            guard isNew else {
                left.append(waiting)
                continue
            }
            taken.append(waiting)
            rowCount += push.rowCount
            byteCount += push.byteCount
        }
        queue = left
        guard let first = taken.first?.push else { return nil }
        members = taken
        project = first.project
        target = first.target
        isPublished = first.isPublished
        self.stores = stores
        self.keySpaces = keySpaces
    }

    var idempotencyKeys: Set<[UInt8]> { Set(members.compactMap { $0.push.idempotencyKey?.digest }) }

    /// Commits the rows, and answers everyone who has not to wait for them to be published.
    /// - Returns: those who have to; nil when there are none.
    @concurrent
    func commit() async -> Committed? {
        do {
            let writer = try ViewRowGroupWriter(view: target.home.view, version: target.version)
            return try await stores.writer.withConnection { connection in
                try await commit(with: writer, on: connection)
            }
        } catch {
            Self.answer(members, error)
            return nil
        }
    }

    /// Publishes what has been committed, and answers.
    @concurrent
    func publish(_ committed: Committed) async {
        let outcome = await PublishWrittenRows(
            stores: stores, project: project, home: target.home, known: (keySpaces, committed.incarnationID)
        ).run(committed.newest, ofWrites: committed.writeIDs)
        for member in committed.members { member.answer(.written(outcome)) }
    }

    // MARK: The transaction

    /// - Throws: while nobody has been answered.
    private func commit(
        with writer: ViewRowGroupWriter, on connection: PostgresConnection
    ) async throws -> Committed? {
        let keys = members.compactMap { $0.push.idempotencyKey?.digest }
        let start = try await writer.begin(
            projectID: project.id, writeCount: keys.count + (keys.count < members.count ? 1 : 0), idempotencyKeys: keys,
            on: connection)
        let (together, others) = split(start)
        for other in others { other.answer(.alone) }
        guard !together.isEmpty else { return nil }
        do {
            let committed = try await write(together, with: writer, start, on: connection)
            guard !isPublished else { return committed }
            for member in together { member.answer(.written(.none)) }
        } catch {
            Self.answer(together, error)
        }
        return nil
    }

    /// Whose rows may be written as they were judged. A push whose idempotency key is known is told what that means when
    /// it is written alone, and so is one with events of the future.
    private func split(_ start: ViewRowGroupWriter.Start) -> (together: [WaitingPush], others: [WaitingPush]) {
        guard start.projectRevision == project.revision else { return ([], members) }
        let latest = start.now.advanced(byMicroseconds: OnlineReader.maximumClockSkewMicroseconds)
        var (together, others): ([WaitingPush], [WaitingPush]) = ([], [])
        for member in members {
            let isKnown = member.push.idempotencyKey.map { start.knownKeys.contains($0.digest) } ?? false
            if isKnown || member.push.newestEventTime > latest {
                others.append(member)
            } else {
                together.append(member)
            }
        }
        return (together, others)
    }

    private func write(
        _ together: [WaitingPush], with writer: ViewRowGroupWriter, _ start: ViewRowGroupWriter.Start,
        on connection: PostgresConnection
    ) async throws -> Committed {
        let rows = HistoryBatch(
            joining: together.flatMap(\.push.batches), firstSequence: start.firstSequence, arrival: start.now)
        var newest = NewestRows(schema: target.schema)
        if isPublished { try newest.add(rows) }
        let (writes, writeIDs) = Self.writes(of: together, start)
        try await writer.commit(
            rows, writeIDs: writeIDs, writes: writes, actor: stores.actor, start: start, on: connection)
        WriteMetrics.countWritten(Int64(rows.rowCount), into: target.target)
        WriteMetrics.recordGroup(rows: rows.rowCount, pushes: together.count, into: target.target)
        return Committed(
            members: together, newest: newest.batches, writeIDs: writes.map(\.id), incarnationID: start.incarnationID)
    }

    /// - Returns: a write for each idempotency key and one for all pushes without, and the id of each row's.
    private static func writes(
        of together: [WaitingPush], _ start: ViewRowGroupWriter.Start
    ) -> (writes: [ViewRowGroupWriter.Write], writeIDs: [Int64]) {
        var writes: [ViewRowGroupWriter.Write] = []
        var writeIDs: [Int64] = []
        var shared: Int?
        for push in together.map(\.push) {
            let index: Int
            if push.idempotencyKey == nil, let shared {
                index = shared
            } else {
                index = writes.count
                writes.append(.init(id: start.writeIDs[index], rowCount: 0, idempotencyKey: push.idempotencyKey))
                if push.idempotencyKey == nil { shared = index }
            }
            writes[index].rowCount += Int64(push.rowCount)
            writeIDs.append(contentsOf: repeatElement(writes[index].id, count: push.rowCount))
        }
        return (writes, writeIDs)
    }

    // MARK: Failures

    private static func answer(_ members: [WaitingPush], _ error: any Error) {
        let outcome: WaitingPush.Outcome = mayBeAboutRows(error) ? .alone : .failed(error)
        for member in members { member.answer(outcome) }
    }

    /// Whether the rows of one push may be why nothing was written. Each is written alone then: the others succeed, and the
    /// one is told what is wrong with it.
    private static func mayBeAboutRows(_ error: any Error) -> Bool {
        if error is LarderError { return true }
        guard let error = error as? PostgresError else { return false }
        switch error.code {
        // A value that PostgreSQL's type cannot hold.
        case .invalidQuery: return true
        case .server: return ["22", "23", "40", "42", "54"].contains(error.sqlState?.errorClass)
        default: return false
        }
    }
}
