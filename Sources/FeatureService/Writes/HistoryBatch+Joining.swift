import FeatureModel
import PointInTime

extension HistoryBatch {
    /// The rows of several batches one behind the other, as they are written together.
    /// - Parameters:
    ///   - batches: at least one; all with the same columns.
    ///   - firstSequence: of the first row; those of the others follow.
    init(joining batches: [HistoryBatch], firstSequence: Int64, arrival: Timestamp) {
        let count = batches.reduce(0) { $0 + $1.rowCount }
        self.init(
            keyColumns: batches[0].keyColumns.indices.map { index in
                Column(joining: batches.map { $0.keyColumns[index] })
            },
            eventTimes: Array(joining: batches.map(\.eventTimes)),
            recordedTimes: Array(joining: batches.map(\.recordedTimes)),
            sequences: Array(firstSequence..<firstSequence + Int64(count)),
            schemaVersions: Array(joining: batches.map(\.schemaVersions)),
            arrivals: [Int64](repeating: arrival.microsecondsSince1970, count: count),
            tombstones: Array(joining: batches.map(\.tombstones)),
            features: batches[0].features.indices.map { index in
                Column(joining: batches.map { $0.features[index] })
            })
    }
}

extension Column {
    /// - Parameter columns: at least one; all of one type.
    fileprivate init(joining columns: [Column]) {
        self = columns[0]
        guard columns.count > 1 else { return }
        reserveCapacity(columns.reduce(0) { $0 + $1.count })
        for column in columns.dropFirst() { append(contentsOf: column) }
    }
}

extension Array {
    /// One array is taken as it is.
    fileprivate init(joining arrays: [[Element]]) {
        self = arrays.count == 1 ? arrays[0] : arrays.flatMap { $0 }
    }
}
