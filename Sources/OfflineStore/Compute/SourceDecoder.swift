import FeatureDefinitions
import FeatureModel
import PointInTime
import PostgresClient

/// COPY rows of a computation to batches of the declared types, and what is wrong with a row beyond its features'
/// own rules: null or long keys, null or infinite event times, integers that a float64 does not hold.
struct SourceDecoder {
    private let sql: SourceSQL
    /// As PostgreSQL gives them: keys, event time, recorded time, for tables sequence, arrival, tombstone, features.
    private let columns: [SourceSQL.ResultColumn]
    /// Of rows whose source has none.
    private let arrival: Timestamp

    init(sql: SourceSQL, columns: [SourceSQL.ResultColumn], arrival: Timestamp) {
        self.sql = sql
        self.columns = columns
        self.arrival = arrival
    }

    func decode(_ chunk: PostgresCopyChunk) throws -> SourceBatch {
        var decoded = columns.map { Column(type: $0.type) }
        for index in decoded.indices { decoded[index].reserveCapacity(chunk.rowCount) }
        try chunk.forEachRow { row in
            for index in decoded.indices {
                if columns[index].isSmallInteger {
                    if let value = try row.nextInt16() {
                        decoded[index].append(int32: Int32(value))
                    } else {
                        decoded[index].appendNull()
                    }
                } else {
                    try decoded[index].append(nextOf: &row)
                }
            }
        }
        return batch(decoded, rowCount: chunk.rowCount)
    }

    private func batch(_ columns: [Column], rowCount: Int) -> SourceBatch {
        var violations: [(Int, RowViolation)] = []
        let keyCount = sql.generation.joinKeys.count
        let keys = zip(sql.generation.joinKeys, columns).map { key, column -> Column in
            violations += nulls(in: column, named: key.name, code: "null_key", message: "null join key")
            return column.widened(to: key.storedType, onLoss: { _ in }) ?? column
        }
        RowChecker.checkKeys(keys, names: sql.generation.joinKeys.map(\.name), firstRow: 0) {
            violations.append(($0, $1))
        }
        let eventTime = columns[keyCount]
        violations += nulls(
            in: eventTime, named: sql.source.timestampColumn, code: "null_timestamp", message: "null event time")
        if !sql.source.isStatic { violations += unrepresentable(eventTime) }
        let systemCount = sql.isTable ? 3 : 0
        let features = zip(sql.version.features, columns[(keyCount + 2 + systemCount)...]).map {
            feature, column -> Column in
            let name = feature.schema.name
            let widened = column.widened(to: feature.schema.type) { row in
                violations.append(
                    (
                        row,
                        RowViolation(
                            row: row, feature: name, code: "inexact",
                            message: "an integer beyond 2^53 is not exact as float64")
                    ))
            }
            return widened ?? column
        }
        let zeros = [Int64](repeating: 0, count: rowCount)
        let rows = HistoryBatch(
            keyColumns: keys, eventTimes: eventTime.int64s, recordedTimes: columns[keyCount + 1].int64s,
            sequences: sql.isTable ? columns[keyCount + 2].int64s : zeros,
            schemaVersions: [Int32](repeating: sql.version.version, count: rowCount),
            arrivals: sql.isTable
                ? columns[keyCount + 3].int64s
                : [Int64](repeating: arrival.microsecondsSince1970, count: rowCount),
            tombstones: sql.isTable ? columns[keyCount + 4].bools : [Bool](repeating: false, count: rowCount),
            features: features)
        return SourceBatch(rows: rows, violations: violations)
    }

    private func nulls(
        in column: Column, named name: String?, code: String, message: String
    ) -> [(Int, RowViolation)] {
        guard column.nullCount > 0 else { return [] }
        return (0..<column.count).filter { column.isNull($0) }.map { row in
            (row, RowViolation(row: row, feature: name, code: code, message: message))
        }
    }

    private func unrepresentable(_ eventTime: Column) -> [(Int, RowViolation)] {
        (0..<eventTime.count).compactMap { row in
            let time = Timestamp(microsecondsSince1970: eventTime.int64s[row])
            guard !eventTime.isNull(row), !time.isRepresentable else { return nil }
            return (
                row,
                RowViolation(
                    row: row, feature: sql.source.timestampColumn, code: "out_of_range",
                    message: "event time \(time) is outside of the years 1 to 9999")
            )
        }
    }
}
