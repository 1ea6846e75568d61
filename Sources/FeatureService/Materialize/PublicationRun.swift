import FeatureCodec
import FeatureDefinitions
import FeatureModel
import OfflineStore
import OnlineStore
import PointInTime
import PostgresClient
import Registry

/// One generation on its way to the online store.
struct PublicationRun {
    let home: ViewHome
    let keySpace: KeySpace
    private(set) var target: OnlineTarget
    private(set) var publication: OnlinePublication
    private let progress: MaterializeViews.Progress
    private(set) var counts = OnlineWriteCounts()
    private var rows: Int64 = 0
    private let keyEncoder: EntityKeyEncoder

    init(
        home: ViewHome, keySpace: KeySpace, target: OnlineTarget, publication: OnlinePublication,
        progress: @escaping MaterializeViews.Progress
    ) {
        self.home = home
        self.keySpace = keySpace
        self.target = target
        self.publication = publication
        self.progress = progress
        keyEncoder = EntityKeyEncoder(
            joinKeys: home.generation.joinKeys.map { JoinKey(name: $0.name, type: $0.storedType) })
    }

    /// - Returns: where the watermark goes; nil for a bounded run.
    mutating func publish(
        _ request: MaterializeViews.Request, incarnation: Incarnation, reader: PostgresConnection,
        control: PostgresConnection
    ) async throws -> WatermarkMove? {
        try await reader.transaction(isolation: .repeatableRead, readOnly: true) { reader in
            let (watermark, snapshot) = try await PublicationLedger(table: home.table)
                .begin(incarnation: incarnation, on: reader)
            let clock = try await reader.query("SELECT clock_timestamp() AS now").onlyValue(as: PostgresTimestamp.self)
            let publishedAt = Timestamp(microsecondsSince1970: clock.microsecondsSince1970)
            let now = through(request.bounds.end, watermark: watermark, clock: publishedAt)
            let schema = home.widestSchema
            let source = PublicationReader(table: home.table, schema: schema, now: now)
            let scope = scope(of: request, watermark: watermark, incarnation: incarnation, now: now)
            var withdrawals = Withdrawals(encoder: keyEncoder)
            if !publication.isRebuild {
                var withdrawn = try await source.withdrawn(scope, on: reader)
                while let batch = try await withdrawn.next() { try withdrawals.add(batch, schema: schema) }
                if !withdrawals.isEmpty {
                    target = try await publication.raiseFence(of: keySpace, of: home.view, on: control)
                }
            }
            var winners = try await source.winners(scope, on: reader)
            while let batch = try await winners.next() {
                try await send(OnlineBatch(batch, schema: schema), &withdrawals, publishedAt: publishedAt)
            }
            for (batch, orders) in withdrawals.takeRest() {
                counts += try await publication.writer.withdraw(orders, batch, from: target, publishedAt: publishedAt)
            }
            let isBounded = request.bounds.start != nil || request.bounds.end != nil
            return isBounded
                ? nil
                : WatermarkMove(
                    table: home.table, previous: watermark, snapshot: snapshot, horizon: now,
                    schemaVersion: schema.version)
        }
    }

    /// The newest event time to publish. The future waits, whatever was asked for.
    private func through(_ end: Timestamp?, watermark: Watermark, clock: Timestamp) -> Timestamp {
        guard let end, end < clock else { return clock }
        // What was published once through a later time must not fall behind it.
        return publication.isRebuild ? max(end, watermark.horizon ?? end) : end
    }

    private func scope(
        of request: MaterializeViews.Request, watermark: Watermark, incarnation: Incarnation, now: Timestamp
    ) -> PublicationScope {
        if publication.isRebuild || request.isFull { return .everything }
        if let start = request.bounds.start { return .eventTime(from: start, through: now) }
        guard request.bounds.end == nil, let snapshot = watermark.snapshot else { return .everything }
        return .since(snapshot: snapshot, incarnation: incarnation, horizon: watermark.horizon)
    }

    private mutating func send(
        _ batch: OnlineBatch, _ withdrawals: inout Withdrawals, publishedAt: Timestamp
    ) async throws {
        if let (rows, orders) = try withdrawals.take(of: batch) {
            counts += try await publication.writer.withdraw(
                orders, batch.rows(rows), from: target, publishedAt: publishedAt)
        }
        counts += try await publication.writer.publish(batch, to: target, publishedAt: publishedAt)
        rows += Int64(batch.count)
        progress(home.view.name, .online, rows)
    }
}

/// Withdrawn rows by key: what a stored value may be that does not count any more.
private struct Withdrawals {
    private struct Entry {
        let batch: OnlineBatch
        let row: Int
        var orders: [RowOrder]
    }

    private let encoder: EntityKeyEncoder
    private var entries: [EntityKey: Entry] = [:]

    init(encoder: EntityKeyEncoder) {
        self.encoder = encoder
    }

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ rows: HistoryBatch, schema: ViewSchema) throws(LarderError) {
        let batch = OnlineBatch(rows, schema: schema)
        for row in 0..<batch.count {
            guard let key = try encoder.encode(row: row, of: batch.keys) else { continue }
            entries[key, default: Entry(batch: batch, row: row, orders: [])].orders.append(batch.rowOrder(row))
        }
    }

    /// The rows of a batch of winners whose keys have withdrawn rows.
    mutating func take(of batch: OnlineBatch) throws(LarderError) -> (rows: [Int], [OnlineWithdrawal])? {
        guard !entries.isEmpty else { return nil }
        var rows: [Int] = []
        var withdrawals: [OnlineWithdrawal] = []
        for row in 0..<batch.count {
            guard let key = try encoder.encode(row: row, of: batch.keys), let entry = entries.removeValue(forKey: key)
            else { continue }
            rows.append(row)
            withdrawals.append(OnlineWithdrawal(orders: entry.orders, hasReplacement: true))
        }
        return rows.isEmpty ? nil : (rows, withdrawals)
    }

    /// Keys of which no row is left.
    func takeRest() -> [(OnlineBatch, [OnlineWithdrawal])] {
        entries.values.map { entry in
            (entry.batch.rows([entry.row]), [OnlineWithdrawal(orders: entry.orders, hasReplacement: false)])
        }
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
