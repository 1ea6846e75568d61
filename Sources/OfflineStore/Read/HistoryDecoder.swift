import FeatureModel
import PointInTime
import PostgresClient

/// COPY rows of an offline table to batches of history.
struct HistoryDecoder {
    let keyTypes: [ValueType]
    let featureTypes: [ValueType]

    func decode(_ chunk: PostgresCopyChunk) throws -> HistoryBatch {
        var keys = keyTypes.map { Column(type: $0) }
        var features = featureTypes.map { Column(type: $0) }
        var eventTimes: [Int64] = []
        var recordedTimes: [Int64] = []
        var sequences: [Int64] = []
        var versions: [Int32] = []
        var arrivals: [Int64] = []
        var tombstones: [Bool] = []
        for index in features.indices { features[index].reserveCapacity(chunk.rowCount) }
        try chunk.forEachRow { row in
            for index in keys.indices { try keys[index].append(nextOf: &row) }
            eventTimes.append(try row.nextTimestamp().required().microsecondsSince1970)
            recordedTimes.append(try row.nextTimestamp().required().microsecondsSince1970)
            sequences.append(try row.nextInt64().required())
            versions.append(try row.nextInt32().required())
            arrivals.append(try row.nextTimestamp().required().microsecondsSince1970)
            tombstones.append(try row.nextBool().required())
            for index in features.indices { try features[index].append(nextOf: &row) }
        }
        return HistoryBatch(
            keyColumns: keys, eventTimes: eventTimes, recordedTimes: recordedTimes, sequences: sequences,
            schemaVersions: versions, arrivals: arrivals, tombstones: tombstones, features: features)
    }
}

extension Optional {
    /// A system column, which is never null.
    func required() throws(PostgresError) -> Wrapped {
        guard let self else { throw PostgresError(.decoding, "null in a system column") }
        return self
    }
}
