import FeatureCodec
import FeatureDefinitions
import FeatureModel
import OnlineStore
import PointInTime

/// The newest row of each key among rows just written, for as long as they are few.
struct NewestRows {
    /// Beyond either, the rows are read back from the table instead of being kept in memory.
    private static let maximumRows = 100_000
    private static let maximumBatches = 128

    private struct Place {
        let batch: Int
        let row: Int
    }

    private let schema: ViewSchema
    private let encoder: EntityKeyEncoder
    private var kept: [OnlineBatch] = []
    /// A number for each key, and by that the place of its newest row.
    private var keys = KeyInterner()
    private var newest: [Place] = []
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
            keys = KeyInterner()
            newest = []
            return
        }
        let batch = OnlineBatch(rows, schema: schema)
        kept.append(batch)
        keys.reserveCapacity(keys.count + batch.count)
        var key: [UInt8] = []
        for row in 0..<batch.count {
            key.removeAll(keepingCapacity: true)
            guard try encoder.append(row: row, of: batch.keys, to: &key) else { continue }
            let place = Place(batch: kept.count - 1, row: row)
            let number = Int(keys.intern(key))
            if number == newest.count {
                newest.append(place)
            } else if order(newest[number]) <= order(place) {
                // Of two rows that are equally new the one that came later stays.
                newest[number] = place
            }
        }
    }

    private func order(_ place: Place) -> RowOrder { kept[place.batch].rowOrder(place.row) }

    /// Nil when there were too many to keep.
    var batches: [OnlineBatch]? {
        guard !isOverfull else { return nil }
        var isNewest = kept.map { [Bool](repeating: false, count: $0.count) }
        for place in newest { isNewest[place.batch][place.row] = true }
        return zip(kept, isNewest).compactMap { batch, isNewest -> OnlineBatch? in
            let rows = isNewest.indices.filter { isNewest[$0] }
            if rows.isEmpty { return nil }
            return rows.count == batch.count ? batch : batch.rows(rows)
        }
    }
}
