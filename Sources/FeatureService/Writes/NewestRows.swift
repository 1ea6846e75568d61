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

    private struct Place {
        let batch: Int
        let row: Int
        let order: RowOrder
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
        for row in 0..<batch.count {
            guard let key = try encoder.encode(row: row, of: batch.keys) else { continue }
            let order = batch.rowOrder(row)
            if let other = newest[key], other.order > order { continue }
            newest[key] = Place(batch: kept.count, row: row, order: order)
        }
        kept.append(batch)
    }

    /// Nil when there were too many to keep.
    var batches: [OnlineBatch]? {
        guard !isOverfull else { return nil }
        let rows = Dictionary(grouping: newest.values, by: \.batch)
        return kept.indices.compactMap { index in
            rows[index].map { places in kept[index].rows(places.map(\.row).sorted()) }
        }
    }
}
