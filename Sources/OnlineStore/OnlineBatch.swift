internal import FeatureCodec
public import FeatureModel

/// Rows of the offline table on their way to the online store. To be published: at most one a key, the newest.
public struct OnlineBatch: Sendable {
    /// One for each join key, in key-name order; no nulls.
    public var keys: [Column]
    /// Microseconds since 1970; `Int64.min` for static rows.
    public var eventTimes: [Int64]
    /// Microseconds since 1970; `Int64.min` where the source records none.
    public var recordedTimes: [Int64]
    public var sequences: [Int64]
    /// The version each row was written under.
    public var schemaVersions: [Int32]
    public var tombstones: [Bool]
    /// The version whose features `features` are.
    public var schema: ViewSchema
    /// One for each feature of `schema`, in its order.
    public var features: [Column]

    public init(
        keys: [Column], eventTimes: [Int64], recordedTimes: [Int64], sequences: [Int64],
        schemaVersions: [Int32], tombstones: [Bool], schema: ViewSchema, features: [Column]
    ) {
        let count = eventTimes.count
        precondition(
            recordedTimes.count == count && sequences.count == count && schemaVersions.count == count
                && tombstones.count == count && keys.allSatisfy { $0.count == count }
                && features.allSatisfy { $0.count == count } && features.count == schema.features.count,
            "the columns of an online batch have different lengths")
        self.keys = keys
        self.eventTimes = eventTimes
        self.recordedTimes = recordedTimes
        self.sequences = sequences
        self.schemaVersions = schemaVersions
        self.tombstones = tombstones
        self.schema = schema
        self.features = features
    }

    public var count: Int { eventTimes.count }

    func order(_ row: Int) -> RowOrder {
        RowOrder(
            eventTime: Timestamp(microsecondsSince1970: eventTimes[row]),
            recordedTime: Timestamp(microsecondsSince1970: recordedTimes[row]), sequence: sequences[row],
            schemaVersion: schemaVersions[row])
    }
}

/// Turns rows of a batch into online values, each under the schema version it was written with.
struct OnlineValueEncoder {
    private let batch: OnlineBatch
    /// The schema versions there are; seldom more than one.
    private let versions: [Int32]
    /// One for each of the versions.
    private let encoders: [OnlineRowEncoder]

    init(_ batch: OnlineBatch, layouts: [Int32: OnlineRowLayout]) throws(LarderError) {
        var versions: [Int32] = []
        for version in batch.schemaVersions where versions.last != version && !versions.contains(version) {
            versions.append(version)
        }
        var encoders: [OnlineRowEncoder] = []
        for version in versions {
            guard let layout = layouts[version] else {
                throw LarderError(
                    .materializationConflict,
                    "there are rows of schema version \(version), which was applied meanwhile",
                    hint: "run materialize again; it continues from what has committed")
            }
            encoders.append(
                OnlineRowEncoder(layout: layout, columns: try Self.columns(of: batch, for: layout.schema)))
        }
        self.batch = batch
        self.versions = versions
        self.encoders = encoders
    }

    func encode(_ row: Int, into out: inout [UInt8]) throws(LarderError) {
        let order = batch.order(row)
        guard !batch.tombstones[row] else {
            OnlineRowHeader(order: order, isTombstone: true).append(to: &out)
            return
        }
        guard let position = versions.firstIndex(of: order.schemaVersion) else {
            throw LarderError(.internalError, "no encoder for rows of schema version \(order.schemaVersion)")
        }
        do {
            try encoders[position].encode(row: row, order: order, into: &out)
        } catch {
            throw LarderError(.limitExceeded, "a row cannot be stored online: \(error)")
        }
    }

    /// The batch's columns as another version of the view declares them.
    private static func columns(of batch: OnlineBatch, for schema: ViewSchema) throws(LarderError) -> [Column] {
        var columns: [Column] = []
        for feature in schema.features {
            // By type too: of a feature that was widened the batch has a column for each type.
            guard
                let index = batch.schema.features.firstIndex(where: {
                    $0.id == feature.id && $0.type == feature.type
                })
            else {
                throw LarderError(
                    .internalError,
                    "feature \"\(feature.name)\" of schema version \(schema.version) was not read as \(feature.type)")
            }
            columns.append(batch.features[index])
        }
        return columns
    }
}
