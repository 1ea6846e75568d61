import FeatureDefinitions
import FeatureModel
import OfflineStore
import OnlineStore
import PointInTime
import PostgresClient
import Registry

/// One generation on its way to the online store.
///
/// PostgreSQL, this process and Redis work at the same time: while some batches are on their way to Redis, the next one
/// is read. In which order they arrive makes no difference, because every write compares. However large the generation
/// is, no more than these batches are held.
struct PublicationRun: Sendable {
    /// Batches that are encoded or on their way to Redis while the next one is read: while Redis works on one, another
    /// is made ready for it.
    private static let batchesUnderWay = 2

    let home: ViewHome
    let keySpace: KeySpace
    let target: OnlineTarget
    let publication: OnlinePublication
    let progress: MaterializeViews.Progress

    struct Outcome: Sendable {
        let home: ViewHome
        /// Under the fence that was raised on the way, if one was.
        let target: OnlineTarget
        let counts: OnlineWriteCounts
        /// Where the watermark goes; nil for a bounded run.
        let move: WatermarkMove?
    }

    /// - Parameters:
    ///   - reader: for this run alone.
    ///   - control: may be shared by several runs.
    func publish(
        _ request: MaterializeViews.Request, incarnation: Incarnation, reader: PostgresConnection,
        control: PostgresConnection
    ) async throws -> Outcome {
        try await reader.transaction(isolation: .repeatableRead, readOnly: true) { reader in
            let (watermark, snapshot) = try await PublicationLedger(table: home.table)
                .begin(incarnation: incarnation, on: reader)
            let clock = try await reader.query("SELECT clock_timestamp() AS now").onlyValue(as: PostgresTimestamp.self)
            let publishedAt = Timestamp(microsecondsSince1970: clock.microsecondsSince1970)
            let now = through(request.bounds.end, watermark: watermark, clock: publishedAt)
            let schema = home.widestSchema
            let source = PublicationReader(table: home.table, schema: schema, now: now)
            let scope = scope(of: request, watermark: watermark, incarnation: incarnation, now: now)
            var current = target
            var counts = OnlineWriteCounts()
            // A rebuild begins with nothing that could be taken back.
            if !publication.isRebuild {
                (current, counts) = try await withdraw(
                    try await source.withdrawn(scope, on: reader), schema, publishedAt: publishedAt, control: control)
            }
            counts += try await publishWinners(
                try await source.winners(scope, on: reader), schema, to: current, publishedAt: publishedAt)
            let isBounded = request.bounds.start != nil || request.bounds.end != nil
            return Outcome(
                home: home, target: current, counts: counts,
                move: isBounded
                    ? nil
                    : WatermarkMove(
                        table: home.table, previous: watermark, snapshot: snapshot, horizon: now,
                        schemaVersion: schema.version))
        }
    }

    /// The newest event time to publish. The future waits, whatever was asked for.
    ///
    /// What is due is the same for a push, which publishes at once: nothing that it has shown may go again.
    private func through(_ end: Timestamp?, watermark: Watermark, clock: Timestamp) -> Timestamp {
        let due = clock.advanced(byMicroseconds: OnlineReader.maximumClockSkewMicroseconds)
        guard let end, end < due else { return due }
        // What follows the clock is published by the clock, also for a server whose own stands still.
        return publication.isRebuild && watermark.horizon != nil ? due : end
    }

    private func scope(
        of request: MaterializeViews.Request, watermark: Watermark, incarnation: Incarnation, now: Timestamp
    ) -> PublicationScope {
        if publication.isRebuild || request.isFull { return .everything }
        if let start = request.bounds.start { return .eventTime(from: start, through: now) }
        guard request.bounds.end == nil, let snapshot = watermark.snapshot else { return .everything }
        return .since(snapshot: snapshot, incarnation: incarnation, horizon: watermark.horizon)
    }

    /// Takes back what withdrawn rows have left in Redis: each gives way to its key's winner in the same snapshot, which
    /// is published once more after this.
    ///
    /// Before the first of them the fence is raised. Whoever may still write such a row has read it before it was
    /// withdrawn, and the fence before that: it has written the row by now, which is taken back here, or is refused.
    ///
    /// - Returns: the target to go on with, and what was done.
    private func withdraw(
        _ rows: WithdrawnRows, _ schema: ViewSchema, publishedAt: Timestamp, control: PostgresConnection
    ) async throws -> (target: OnlineTarget, counts: OnlineWriteCounts) {
        var first = try await rows.next()
        if first == nil { return (target, OnlineWriteCounts()) }
        let raised = try await publication.raiseFence(of: keySpace, of: home.view, on: control)
        let writer = publication.writer
        let counts = try await send { () async throws -> WithdrawnBatch? in
            if let batch = first {
                first = nil
                return batch
            }
            return try await rows.next()
        } by: { batch in
            try await writer.takeBack(batch, schema, from: raised, publishedAt: publishedAt)
        }
        return (raised, counts)
    }

    private func publishWinners(
        _ rows: PublicationReader.Winners, _ schema: ViewSchema, to target: OnlineTarget, publishedAt: Timestamp
    ) async throws -> OnlineWriteCounts {
        var rows = rows
        let writer = publication.writer
        return try await send { () async throws -> HistoryBatch? in
            try await rows.next()
        } by: { batch in
            try await writer.publish(OnlineBatch(batch, schema: schema), to: target, publishedAt: publishedAt)
        } told: { counts in
            progress(home.view.name, .online, Int64(counts.written + counts.kept))
        }
    }

    /// Sends batches while the next ones are read.
    ///
    /// - Parameter told: hears what has been done so far, after each batch that Redis has answered.
    /// - Throws: what reading or sending throws; batches under way are given up then, and may have arrived or not.
    private func send<Batch: Sendable>(
        _ next: () async throws -> Batch?,
        by send: @escaping @Sendable (Batch) async throws -> OnlineWriteCounts,
        told: (OnlineWriteCounts) -> Void = { _ in }
    ) async throws -> OnlineWriteCounts {
        try await withThrowingTaskGroup(of: OnlineWriteCounts.self) { group in
            var counts = OnlineWriteCounts()
            var underWay = 0
            while let batch = try await next() {
                if underWay == Self.batchesUnderWay, let sent = try await group.next() {
                    underWay -= 1
                    counts += sent
                    told(counts)
                }
                group.addTask { try await send(batch) }
                underWay += 1
            }
            for try await sent in group {
                counts += sent
                told(counts)
            }
            return counts
        }
    }
}

extension OnlineWriter {
    /// - Returns: each value once, together with what is published after this: a value that was replaced is found again
    ///   then, and counted as kept.
    fileprivate func takeBack(
        _ batch: WithdrawnBatch, _ schema: ViewSchema, from target: OnlineTarget, publishedAt: Timestamp
    ) async throws(LarderError) -> OnlineWriteCounts {
        let winners = OnlineBatch(batch.winners, schema: schema)
        func changed(hasWinner: Bool) async throws(LarderError) -> Int {
            let rows = batch.hasWinner.indices.filter { batch.hasWinner[$0] == hasWinner }
            let withdrawals = rows.map { OnlineWithdrawal(orders: [batch.orders[$0]], hasReplacement: hasWinner) }
            return try await withdraw(withdrawals, winners.rows(rows), from: target, publishedAt: publishedAt).written
        }
        let replaced = try await changed(hasWinner: true)
        let deleted = try await changed(hasWinner: false)
        return OnlineWriteCounts(written: replaced + deleted, kept: -replaced)
    }
}

extension OnlineBatch {
    func rowOrder(_ row: Int) -> RowOrder {
        RowOrder(
            eventTime: Timestamp(microsecondsSince1970: eventTimes[row]),
            recordedTime: Timestamp(microsecondsSince1970: recordedTimes[row]), sequence: sequences[row],
            schemaVersion: schemaVersions[row])
    }

    func rows(_ rows: [Int]) -> OnlineBatch {
        OnlineBatch(
            keys: keys.map { $0.gathered(rows) }, eventTimes: rows.map { eventTimes[$0] },
            recordedTimes: rows.map { recordedTimes[$0] }, sequences: rows.map { sequences[$0] },
            schemaVersions: rows.map { schemaVersions[$0] }, tombstones: rows.map { tombstones[$0] },
            schema: schema, features: features.map { $0.gathered(rows) })
    }
}
