import FeatureDefinitions
import FeatureModel
import OfflineStore
import PostgresClient

/// A spine that comes in segments.
protocol SpineSegments {
    /// The columns that go into the training set.
    var fields: [Field] { get }

    /// The next rows; nil at the end, but never instead of the first segment.
    mutating func next(_ limit: SegmentLimit) async throws -> SpineSegment?
}

/// How much a segment holds: what comes first ends it.
struct SegmentLimit {
    var rows: Int
    var bytes: Int
}

/// A spine that PostgreSQL has or makes.
struct QuerySpine: SpineSegments {
    private let query: SpineQuery
    private let requestKeys: [JoinKey]
    private let timestampColumn: String
    private var rows: GatheredRows
    private var rowsRead = 0
    private var hasReadAll = false

    var fields: [Field] { query.fields }

    init(_ query: SpineQuery, requestKeys: [JoinKey], timestampColumn: String) {
        self.query = query
        self.requestKeys = requestKeys
        self.timestampColumn = timestampColumn
        rows = GatheredRows(RecordBatch(fields: query.fields))
    }

    mutating func next(_ limit: SegmentLimit) async throws -> SpineSegment? {
        while !hasReadAll, rows.rowCount < limit.rows, rows.byteCount < limit.bytes {
            if let batch = try await query.next() { rows.append(batch) } else { hasReadAll = true }
        }
        if rows.rowCount == 0, rowsRead > 0 { return nil }
        let isFirst = rowsRead == 0
        let batch = rows.takeFirst(min(rows.rowCount, limit.rows))
        // An empty spine has one empty segment.
        rowsRead += max(1, batch.rowCount)
        return try SpineSegment(
            batch, typed: batch, firstRow: isFirst ? 1 : rowsRead - batch.rowCount + 1, requestKeys: requestKeys,
            timestampColumn: timestampColumn, name: "the query")
    }
}

extension MakeTrainingSet {
    /// Opens a spine for the duration of `body`, on a connection of its own where it comes from PostgreSQL.
    /// - Parameter maximumEntities: how many a training set without a spine may name.
    func withSpine<Value>(
        _ source: SpineSource, _ plan: TrainingSetPlan, _ snapshot: String, keepsText: Bool, maximumEntities: Int,
        limit: SegmentLimit, _ body: (any SpineSegments) async throws -> Value
    ) async throws -> Value {
        let keys = plan.selection.requestKeys
        let column = plan.options.timestampColumn
        switch source {
        case .input(let input, let format):
            return try await body(
                try await SpineReader.open(
                    input, format: format, requestKeys: keys, options: plan.options, keepsText: keepsText,
                    limit: limit))
        case .sql(let sql):
            return try await SharedSnapshot.joining(snapshot, of: stores.source) { connection in
                let query = try await SpineQuery.open(sql: sql, projectID: plan.projectID, on: connection)
                return try await body(QuerySpine(query, requestKeys: keys, timestampColumn: column))
            }
        case .changes(let start, let end, let named):
            let common = try plan.commonKeys()
            let entities = try plan.keyColumns(of: named, maximum: maximumEntities)
            return try await SharedSnapshot.joining(snapshot, of: stores.writer) { connection in
                let query = try await SpineQuery.changes(
                    of: plan.histories, keys: common, entities: entities, timestampColumn: column, from: start,
                    through: end, on: connection)
                return try await body(QuerySpine(query, requestKeys: keys, timestampColumn: column))
            }
        }
    }
}
