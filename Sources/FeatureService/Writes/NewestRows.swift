import FeatureCodec
import FeatureDefinitions
import FeatureModel
import OnlineStore
import PointInTime

/// The newest row of each key among rows just written, for as long as they are few.
struct NewestRows {
    /// Beyond either, the rows are read back from the table instead of being kept in memory.
    private static let maximumRows = 100_000
    private static let maximumBatches = 4

    private struct Place: Equatable {
        let batch: Int
        let row: Int
    }

    private let schema: ViewSchema
    private let encoder: EntityKeyEncoder
    private var kept: [OnlineBatch] = []
    private var newest: [EntityKey: Place] = [:]
    private var rowCount = 0
    private var isOverfull = false

    /// - Parameter schema: the version that the rows are written under.
    init(schema: ViewSchema) {
        self.schema = schema
        encoder = EntityKeyEncoder(joinKeys: schema.joinKeys.map { JoinKey(name: $0.name, type: $0.storedType) })
    }

    mutating func add(_ rows: HistoryBatch) throws(LarderError) {
        rowCount += rows.rowCount
        guard !isOverfull else { return }
        guard rowCount <= Self.maximumRows, kept.count < Self.maximumBatches else {
            isOverfull = true
            kept = []
            newest = [:]
            return
        }
        let batch = OnlineBatch(rows, schema: schema)
        kept.append(batch)
        newest.reserveCapacity(newest.count + batch.count)
        for row in 0..<batch.count {
            guard let key = try encoder.encode(row: row, of: batch.keys) else { continue }
            let place = Place(batch: kept.count - 1, row: row)
            // With one look for the key, whether it is there or not.
            Self.keepNewer(&newest[key, default: place], or: place, of: kept)
        }
    }

    /// Of two rows that are equally new the one that came later stays.
    private static func keepNewer(_ newest: inout Place, or place: Place, of batches: [OnlineBatch]) {
        guard newest != place else { return }
        let order = batches[newest.batch].rowOrder(newest.row)
        if order <= batches[place.batch].rowOrder(place.row) { newest = place }
    }

    /// Nil when there were too many to keep.
    var batches: [OnlineBatch]? {
        guard !isOverfull else { return nil }
        var isNewest = kept.map { [Bool](repeating: false, count: $0.count) }
        for place in newest.values { isNewest[place.batch][place.row] = true }
        return zip(kept, isNewest).compactMap { batch, isNewest -> OnlineBatch? in
            let rows = isNewest.indices.filter { isNewest[$0] }
            if rows.isEmpty { return nil }
            return rows.count == batch.count ? batch : batch.rows(rows)
        }
    }
}
