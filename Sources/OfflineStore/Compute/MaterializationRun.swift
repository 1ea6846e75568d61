import FeatureDefinitions
import FeatureModel
import PointInTime
import PostgresClient
import Registry

/// One run's rows: what is read, checked and decided.
struct MaterializationRun {
    private let plan: Materializer
    private let checker: RowChecker
    private let progress: @Sendable (Int64) -> Void
    private var rows: OfflineTableWriter
    private var sequences = SequenceBlocks()
    private var violations: [RowViolation] = []
    private var violationCount = 0
    private var nullColumns = NullColumns()
    private var longKeyCount = 0
    private var rowsRead: Int64 = 0

    init(plan: Materializer, rows: OfflineTableWriter, progress: @escaping @Sendable (Int64) -> Void) {
        self.plan = plan
        self.rows = rows
        self.progress = progress
        checker = RowChecker(
            rules: plan.version.features.map {
                .init(name: $0.schema.name, isNullable: $0.schema.isNullable, expectation: $0.expectation)
            })
    }

    // MARK: Following what has committed

    /// Appends the raw rows that committed since `snapshot`, and withdraws those superseded since. What was written under
    /// another incarnation had been compared before the snapshot was taken.
    mutating func follow(
        since snapshot: String?, of incarnation: Incarnation, source: PostgresConnection
    ) async throws {
        var conditions: [PostgresQuery] = ["\"__withdrawn_by\" IS NULL"]
        if let snapshot {
            let isOld =
                "pg_visible_in_snapshot(\"__transaction_id\", \(literal: snapshot)::pg_snapshot)" as PostgresQuery
            let ours: PostgresQuery = "\(literal: Int64(incarnation.id))"
            let superseded: [PostgresQuery] = [
                "\"__withdrawn_incarnation_id\" = \(query: ours)",
                "NOT pg_visible_in_snapshot(\"__withdrawn_in\", \(literal: snapshot)::pg_snapshot)",
                "(\"__incarnation_id\" <> \(query: ours) OR \(query: isOld))",
            ]
            var stream = try await SourceStream.open(plan.sql, where: superseded, isOrdered: false, on: source)
            while let batch = try await stream.next() {
                for row in 0..<batch.rows.rowCount { try await rows.withdraw(batch.rows, row: row) }
            }
            conditions += ["\"__incarnation_id\" = \(query: ours)", "NOT \(query: isOld)"]
        }
        // In key order, so that a key's rows of one run lie together: who looks keys up finds the next one nearby.
        var stream = try await SourceStream.open(plan.sql, where: conditions, isOrdered: true, on: source)
        while let batch = try await stream.next() {
            check(batch)
            guard violationCount == 0 else { continue }
            for row in 0..<batch.rows.rowCount { try await rows.append(batch.rows, row: row) }
        }
    }

    // MARK: Comparing with what is stored

    /// Walks the source and the stored rows side by side in key order: writes what is new or different, withdraws what is
    /// gone or different.
    mutating func compare(
        bounds: EventTimeBounds, source: PostgresConnection, reader: PostgresConnection
    ) async throws {
        var conditions = bounds.conditions(on: plan.sql.eventTime)
        if plan.sql.isTable { conditions.append("\"__withdrawn_by\" IS NULL") }
        var computed = RowCursor(
            try await SourceStream.open(plan.sql, where: conditions, isOrdered: true, on: source))
        var stored = RowCursor(
            try await StoredRowStream.open(plan.table, schema: plan.schema, bounds: bounds, on: reader))
        try await advance(&computed)
        try await stored.advance()
        while let next = computed.current {
            if let old = stored.current {
                switch identity(next, old) {
                case .before: try await write(next)
                case .after:
                    try await rows.withdraw(old.batch, row: old.row)
                    try await stored.advance()
                    continue
                case .same: try await replace(next, &stored)
                }
            } else {
                try await write(next)
            }
            try await advance(&computed)
            try refuseDuplicate(next, computed.current)
        }
        while let old = stored.current {
            try await rows.withdraw(old.batch, row: old.row)
            try await stored.advance()
        }
    }

    /// Moves to the next computed row, checking each batch as it comes.
    private mutating func advance(_ cursor: inout RowCursor<SourceStream>) async throws {
        if let fresh = try await cursor.advance() { check(fresh) }
    }

    private mutating func write(_ place: RowPlace) async throws {
        guard violationCount == 0 else { return }
        if plan.sql.isTable {
            try await rows.append(place.batch, row: place.row)
        } else {
            let sequence = try await sequences.reserve(1, on: rows.connection)
            try await rows.append(place.batch, row: place.row, sequence: sequence)
        }
    }

    /// The stored rows at `next`'s place, oldest first, are all of its identity; only the newest can equal it.
    private mutating func replace(_ next: RowPlace, _ stored: inout RowCursor<StoredRowStream>) async throws {
        var isStored = false
        while let old = stored.current, identity(next, old) == .same {
            let isCurrent =
                plan.completeVersions.contains(old.batch.schemaVersions[old.row]) && hasEqualContent(next, old)
            // A row-wise row of an older version is outranked by the recomputed one; it does not have to go.
            let isOutranked = plan.sql.isTable && old.batch.schemaVersions[old.row] < plan.schema.version
            if isCurrent, !isStored {
                isStored = true
            } else if !isOutranked {
                try await rows.withdraw(old.batch, row: old.row)
            }
            try await stored.advance()
        }
        if !isStored { try await write(next) }
    }

    private enum Placement {
        case before
        case same
        case after
    }

    /// Rows of a table source are known by their sequence too; rows of a query by keys, event time and recorded time.
    private func identity(_ left: RowPlace, _ right: RowPlace) -> Placement {
        for (a, b) in zip(left.batch.keyColumns, right.batch.keyColumns) {
            let order = a.compareKeys(left.row, b, right.row)
            if order != 0 { return order < 0 ? .before : .after }
        }
        var a = (left.batch.eventTimes[left.row], left.batch.recordedTimes[left.row], Int64(0))
        var b = (right.batch.eventTimes[right.row], right.batch.recordedTimes[right.row], Int64(0))
        if plan.sql.isTable { (a.2, b.2) = (left.batch.sequences[left.row], right.batch.sequences[right.row]) }
        return a == b ? .same : (a < b ? .before : .after)
    }

    private func hasEqualContent(_ left: RowPlace, _ right: RowPlace) -> Bool {
        let isTombstone = left.batch.tombstones[left.row]
        guard isTombstone == right.batch.tombstones[right.row] else { return false }
        return isTombstone
            || zip(left.batch.features, right.batch.features).allSatisfy { $0.rowEquals(left.row, $1, right.row) }
    }

    private func refuseDuplicate(_ row: RowPlace, _ following: RowPlace?) throws {
        guard !plan.sql.isTable, let following, identity(row, following) == .same else { return }
        throw LarderError(
            .duplicateSourceRows,
            "source \"\(plan.sql.source.name)\" of \(plan.sql.subject) gives two rows for \(describe(row))",
            hint: "make the query give one row for each combination of join keys, event time and recorded time")
    }

    // MARK: Checks

    private mutating func check(_ batch: SourceBatch) {
        let before = rowsRead
        rowsRead += Int64(batch.rows.rowCount)
        progress(rowsRead)
        var found: [(Int, RowViolation)] = batch.violations
        checker.check(
            batch.rows.features, firstRow: Int(before) + 1, isTombstone: { batch.rows.tombstones[$0] },
            report: { found.append(($0, $1)) })
        violationCount += found.count
        guard !found.isEmpty else { return }
        longKeyCount += batch.violations.count { $0.1.code == RowChecker.longKeyCode }
        // The batch has a time for them too, which means nothing.
        let timeless = Set(batch.violations.filter { NullColumns.isEventTime($0.1) }.map { $0.0 })
        for (row, violation) in batch.violations {
            nullColumns.add(violation) { [plan] in
                let place = RowPlace(batch: batch.rows, row: row)
                return Self.describe(place, hasEventTime: !timeless.contains(row), hasArrival: true, plan)
            }
        }
        for (row, violation) in found.prefix(RowViolation.maximumReported - violations.count) {
            let place = describe(RowPlace(batch: batch.rows, row: row), hasEventTime: !timeless.contains(row))
            violations.append(
                RowViolation(
                    row: Int(before) + row + 1, feature: violation.feature, code: violation.code,
                    message: "\(violation.message) (\(place))"))
        }
    }

    private func describe(_ place: RowPlace, hasEventTime: Bool = true) -> String {
        Self.describe(place, hasEventTime: hasEventTime, hasArrival: false, plan)
    }

    /// - Parameter hasArrival: whether to say when the row came, which tells where from.
    private static func describe(
        _ place: RowPlace, hasEventTime: Bool, hasArrival: Bool, _ plan: Materializer
    ) -> String {
        var parts = zip(plan.schema.joinKeys, place.batch.keyColumns).map {
            "\($0.name) = \($1[place.row].excerpt)"
        }
        let time = Timestamp(microsecondsSince1970: place.batch.eventTimes[place.row])
        if hasEventTime, time.isFinite { parts.append("event time \(time)") }
        if hasArrival, plan.sql.isTable {
            parts.append("ingested \(Timestamp(microsecondsSince1970: place.batch.arrivals[place.row]))")
        }
        return parts.joined(separator: ", ")
    }

    /// Sends the last rows.
    /// - Throws: `rows_rejected` when any row was refused.
    mutating func finish() async throws -> MaterializationResult {
        guard violationCount == 0 else { throw refusal }
        try await rows.flush()
        return MaterializationResult(
            rowsRead: rowsRead, rowsWritten: rows.rowsWritten, rowsWithdrawn: rows.rowsWithdrawn)
    }

    private var refusal: LarderError {
        let count = violationCount == 1 ? "1 violation" : "\(violationCount) violations"
        let read = rowsRead == 1 ? "1 computed row" : "\(rowsRead) computed rows"
        let nulls = nullColumns.isEmpty ? "" : ": \(nullColumns.text(of: plan.sql.source))"
        var ways = nullColumns.isEmpty ? [] : [nullColumns.way(outOf: plan.sql)]
        if longKeyCount > 0 { ways.append(plan.sql.wayOutOfLongKeys) }
        if violationCount > nullColumns.nullCount + longKeyCount {
            ways.append("relax the feature, or leave the rows out with where:")
        }
        return LarderError(
            .rowsRejected, "\(plan.sql.subject): \(count) in \(read); nothing was written\(nulls)",
            hint: plan.sql.hint(ways.joined(separator: "; "), changing: "where:"), rows: violations,
            violationCount: violationCount)
    }
}

extension Value {
    /// As messages show it: of a long one the beginning.
    fileprivate var excerpt: String {
        let text = description
        return text.count > 100 ? "\(text.prefix(97))..." : text
    }
}
