import FeatureDefinitions
import FeatureModel
import OnlineStore
import PointInTime
import TextFormats

/// What rows for a version of a feature view look like, and their check: join keys, times, features, and a flag that makes
/// a row a tombstone.
struct ViewRowShape {
    private let viewName: String
    private let version: ViewVersion
    private let joinKeys: [JoinKey]
    private let eventTimeColumn: String?
    private let recordedTimeColumn: String?
    private let timeZone: String?
    /// Every column a row may have, the flag left out.
    private let fields: [Field]
    private let checker: RowChecker

    init(view: RegisteredFeatureView, generation: GenerationState, version: ViewVersion, source: RegisteredSource) {
        viewName = view.name
        self.version = version
        joinKeys = generation.joinKeys
        eventTimeColumn = source.timestampColumn
        recordedTimeColumn = source.createdTimestampColumn
        timeZone = source.timeZone
        var fields = joinKeys.map { Field(name: $0.name, type: $0.type) }
        fields += [eventTimeColumn, recordedTimeColumn].compactMap { $0.map { Field(name: $0, type: .timestamp) } }
        // A feature may have the name of a key or a time: one column is both then.
        for feature in version.features where !fields.contains(where: { $0.name == feature.name }) {
            fields.append(Field(name: feature.name, type: feature.type, isNullable: !feature.fillsInItsDefault))
        }
        self.fields = fields
        checker = RowChecker(
            rules: version.features.map {
                .init(name: $0.name, isNullable: $0.schema.isNullable, expectation: $0.expectation)
            })
    }

    private func mayBeAbsent(_ field: Field) -> Bool {
        if joinKeys.contains(where: { $0.name == field.name }) || field.name == eventTimeColumn { return false }
        guard let feature = version.feature(named: field.name) else { return true }
        return feature.schema.isNullable || feature.schema.defaultValue != nil
    }

    /// Nullability is left to `rows(of:)`, because a tombstone needs no features; only where an absent value takes a default
    /// does the reader have to tell it from a null that is written out.
    func readOptions(_ choices: RowReadChoices) -> TextReadOptions {
        let optional = fields.filter { $0.isNullable && mayBeAbsent($0) }.map(\.name)
        return TextReadOptions(
            fields: fields + [Field(name: RawRowShape.deletedColumn, type: .bool)],
            optionalMissing: choices.mayBeMissing.union(optional + [RawRowShape.deletedColumn]),
            absenceAllowed: Set(fields.filter { !$0.isNullable }.map(\.name)), timeZone: timeZone,
            nullSpelling: choices.nullSpelling, rounding: .up, ambiguity: .later, extraColumns: .reject,
            keepsRecords: choices.keepsRecords)
    }

    /// An Arrow file without rows still has to have the right columns.
    func checkHeader(of reader: FrameReader) throws(LarderError) {
        if reader.isTyped, let fields = reader.fields { try check(fields) }
    }

    private func check(_ found: [Field]) throws(LarderError) {
        let known = fields.map(\.name) + [RawRowShape.deletedColumn]
        for field in found where !known.contains(field.name) {
            throw LarderError(
                .columnUnknown,
                "version \(version.version) of feature view \"\(viewName)\" has no field \"\(field.name)\"",
                hint: NameRule.nearest(to: field.name, in: known).map { "did you mean \"\($0)\"?" }
                    ?? "its fields: \(fields.map(\.name).joined(separator: ", "))")
        }
        for field in fields where !mayBeAbsent(field) && !found.contains(where: { $0.name == field.name }) {
            throw LarderError(
                .columnMissing, "field \"\(field.name)\" of feature view \"\(viewName)\" is not among the columns",
                hint: "there are the columns \(found.map(\.name).joined(separator: ", "))")
        }
    }

    /// The rows of a batch as the view's history has them, with every reason why some are bad. Sequences are zero; what a bad
    /// row holds means nothing.
    ///
    /// - Parameter now: PostgreSQL's clock: the arrival of the rows.
    /// - Throws: `column_missing`, `column_unknown` or `column_type`.
    func rows(
        of read: FrameBatch, now: Timestamp
    ) throws(LarderError) -> (rows: HistoryBatch, violations: [RowViolation]) {
        try check(read.batch.fields)
        let count = read.batch.rowCount
        let tombstones = try tombstones(read)
        var violations = ViewRowViolations(read, tombstones: tombstones)
        let keys = try keyColumns(read, &violations)
        let eventTimes = try eventTimes(read, now: now, &violations)
        let recordedTimes = try recordedTimes(read, &violations)
        let features = try featureColumns(read, &violations)
        let found = violations.found
        checker.check(
            features, firstRow: read.firstRow, isTombstone: { tombstones[$0] },
            report: { violations.addUnlessKnown($0, $1, before: found) })
        let rows = HistoryBatch(
            keyColumns: keys, eventTimes: eventTimes, recordedTimes: recordedTimes,
            sequences: [Int64](repeating: 0, count: count),
            schemaVersions: [Int32](repeating: version.version, count: count),
            arrivals: [Int64](repeating: now.microsecondsSince1970, count: count), tombstones: tombstones,
            features: features)
        return (rows, violations.all)
    }

    // MARK: Columns

    private func tombstones(_ read: FrameBatch) throws(LarderError) -> [Bool] {
        let count = read.batch.rowCount
        guard let deleted = read.batch.column(RawRowShape.deletedColumn) else {
            return [Bool](repeating: false, count: count)
        }
        guard deleted.type == .bool else {
            throw RawRowShape.deletedColumnType(deleted.type, read)
        }
        // Most rows do not say.
        guard deleted.nullCount < count else { return [Bool](repeating: false, count: count) }
        return (0..<count).map { row in !deleted.isNull(row) && deleted.bools[row] }
    }

    /// A column as it is declared; all nulls where the input has none.
    private func column(
        _ name: String, as type: ValueType, _ read: FrameBatch, _ violations: inout ViewRowViolations
    ) throws(LarderError) -> Column {
        guard let found = read.batch.column(name) else {
            var column = Column(type: type)
            for _ in 0..<read.batch.rowCount { column.appendNull() }
            return column
        }
        let widened = found.widened(to: type) { row in
            violations.add(row, name, "inexact", "an integer beyond 2^53 is not exact as float64")
        }
        guard let widened else {
            throw LarderError(
                .columnType,
                "column \"\(name)\" is \(read.untyped.typeText(of: name, found.type)), feature view \"\(viewName)\" "
                    + "declares \(type)",
                hint: read.untyped.hint(
                    for: name, needing: type, other: "convert the column; only lossless widening is accepted"))
        }
        return widened
    }

    private func keyColumns(
        _ read: FrameBatch, _ violations: inout ViewRowViolations
    ) throws(LarderError) -> [Column] {
        var columns: [Column] = []
        for key in joinKeys {
            let column = try column(key.name, as: key.type, read, &violations)
            for row in 0..<column.count where column.isNull(row) {
                violations.addUnlessKnown(row, key.name, "null_key", "null join key")
            }
            columns.append(column.widened(to: key.storedType, onLoss: { _ in }) ?? column)
        }
        let found = violations.found
        RowChecker.checkKeys(columns, names: joinKeys.map(\.name), firstRow: read.firstRow) {
            violations.addUnlessKnown($0, $1, before: found)
        }
        return columns
    }

    private func eventTimes(
        _ read: FrameBatch, now: Timestamp, _ violations: inout ViewRowViolations
    ) throws(LarderError) -> [Int64] {
        guard let name = eventTimeColumn else { return [Int64](repeating: .min, count: read.batch.rowCount) }
        let latest = now.advanced(byMicroseconds: OnlineReader.maximumClockSkewMicroseconds)
        let column = try column(name, as: .timestamp, read, &violations)
        for row in 0..<column.count {
            let time = Timestamp(microsecondsSince1970: column.int64s[row])
            if column.isNull(row) {
                violations.addUnlessKnown(row, name, "null_timestamp", "null event time")
            } else if !time.isRepresentable {
                violations.add(row, name, "out_of_range", "event time \(time) is outside of the years 1 to 9999")
            } else if time > latest {
                violations.add(
                    row, name, "event_in_future",
                    "event time \(time) is more than 60 s ahead of PostgreSQL's clock, which says \(now)")
            }
        }
        return column.int64s
    }

    private func recordedTimes(
        _ read: FrameBatch, _ violations: inout ViewRowViolations
    ) throws(LarderError) -> [Int64] {
        guard let name = recordedTimeColumn else { return [Int64](repeating: .min, count: read.batch.rowCount) }
        let column = try column(name, as: .timestamp, read, &violations)
        return (0..<column.count).map { row in
            guard !column.isNull(row) else { return .min }
            let time = Timestamp(microsecondsSince1970: column.int64s[row])
            if !time.isRepresentable {
                violations.add(row, name, "out_of_range", "recorded time \(time) is outside of the years 1 to 9999")
            }
            return column.int64s[row]
        }
    }

    private func featureColumns(
        _ read: FrameBatch, _ violations: inout ViewRowViolations
    ) throws(LarderError) -> [Column] {
        var columns: [Column] = []
        for feature in version.features {
            var column = try column(feature.name, as: feature.type, read, &violations)
            if feature.type == .timestamp {
                for row in 0..<column.count where !column.isNull(row) {
                    guard !Timestamp(microsecondsSince1970: column.int64s[row]).isFinite else { continue }
                    violations.addUnlessKnown(row, feature.name, "out_of_range", "the time is infinite")
                }
            }
            if feature.fillsInItsDefault, let value = feature.schema.defaultValue, column.nullCount > 0 {
                let isAbsent = !read.isTyped || read.batch.column(feature.name) == nil
                column = filled(column, with: value) { isAbsent && !violations.isKnown($0, feature.name) }
            }
            columns.append(column)
        }
        return columns
    }

    private func filled(_ column: Column, with value: Value, where isAbsent: (Int) -> Bool) -> Column {
        var result = Column(type: column.type)
        result.reserveCapacity(column.count)
        for row in 0..<column.count {
            if column.isNull(row), isAbsent(row) { result.append(value) } else { result.append(from: column, row: row) }
        }
        return result
    }
}

extension RegisteredFeature {
    /// Whether a row without it gets its default; one that may be null is null instead.
    fileprivate var fillsInItsDefault: Bool { !schema.isNullable && schema.defaultValue != nil }
}

/// What is wrong with the rows of one batch. A place that has a reason from the reader gets no second one for being null.
private struct ViewRowViolations {
    private let read: FrameBatch
    private(set) var all: [RowViolation]
    private(set) var found: Set<RowViolation.Place>

    init(_ read: FrameBatch, tombstones: [Bool]) {
        self.read = read
        all = read.violations.filter { violation in
            // A tombstone needs no features.
            violation.code != "null_not_allowed" || !tombstones[violation.row - read.firstRow]
        }
        found = Set(read.violations.map(\.place))
    }

    mutating func add(_ row: Int, _ feature: String, _ code: String, _ message: String) {
        let violation = RowViolation(
            row: read.firstRow + row, line: read.line(of: row), feature: feature, code: code, message: message)
        all.append(violation)
        found.insert(violation.place)
    }

    mutating func addUnlessKnown(_ row: Int, _ feature: String, _ code: String, _ message: String) {
        if !isKnown(row, feature) { add(row, feature, code, message) }
    }

    /// Adds what the row checks found, unless the value could not be read in the first place.
    mutating func addUnlessKnown(_ row: Int, _ violation: RowViolation, before: Set<RowViolation.Place>) {
        let isUnreadable = before.contains(.init(row: violation.row, feature: nil))
        guard !isUnreadable, !before.contains(violation.place) else { return }
        all.append(
            RowViolation(
                row: violation.row, line: read.line(of: row), feature: violation.feature, code: violation.code,
                message: violation.message))
    }

    /// Whether the place has a reason, or the whole row could not be taken apart.
    func isKnown(_ row: Int, _ feature: String) -> Bool {
        let number = read.firstRow + row
        return found.contains(.init(row: number, feature: feature)) || found.contains(.init(row: number, feature: nil))
    }
}
