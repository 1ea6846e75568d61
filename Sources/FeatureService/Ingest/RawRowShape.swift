import FeatureDefinitions
import FeatureModel
import TextFormats

/// What rows for a version of a source look like, and their check.
struct RawRowShape {
    /// A row in which it is true says that its entity is gone from its event time on.
    static let deletedColumn = "__deleted"
    /// Small enough for a batch to be read while PostgreSQL still has the one before in its socket.
    private static let maximumBatchRows = 8_192

    private let source: RegisteredSource
    private let version: SourceVersion

    init(source: RegisteredSource, version: SourceVersion) {
        self.source = source
        self.version = version
    }

    struct Rows {
        /// In the version's order.
        let columns: [Column]
        let tombstones: Column?
    }

    /// Nullability is left to `rows(of:verdict:)`, because a tombstone needs no values.
    func readOptions(_ choices: RowReadChoices) -> TextReadOptions {
        let fields = version.columns.map { Field(name: $0.name, type: $0.type) }
        var limits = TextLimits.default
        limits.maximumBatchRows = Self.maximumBatchRows
        return TextReadOptions(
            fields: fields + [Field(name: Self.deletedColumn, type: .bool)],
            optionalMissing: choices.mayBeMissing.union([Self.deletedColumn]), timeZone: source.timeZone,
            nullSpelling: choices.nullSpelling, rounding: .up, ambiguity: .later, extraColumns: .reject,
            keepsRecords: choices.keepsRecords, limits: limits)
    }

    /// An Arrow file without rows still has to have the right columns.
    func checkHeader(of reader: FrameReader) throws(LarderError) {
        if reader.isTyped, let fields = reader.fields { try check(fields) }
    }

    private func check(_ fields: [Field]) throws(LarderError) {
        let known = version.columns.map(\.name) + [Self.deletedColumn]
        for field in fields where !known.contains(field.name) {
            throw LarderError(
                .columnUnknown, "source \"\(source.name)\" version \(version.version) has no column \"\(field.name)\"",
                hint: NameRule.nearest(to: field.name, in: known).map { "did you mean \"\($0)\"?" }
                    ?? "its columns: \(version.columns.map(\.name).joined(separator: ", "))")
        }
        for column in version.columns where !fields.contains(where: { $0.name == column.name }) {
            throw LarderError(
                .columnMissing, "column \"\(column.name)\" of source \"\(source.name)\" is not in the file",
                hint: "the file has the columns \(fields.map(\.name).joined(separator: ", "))")
        }
    }

    /// The rows of a batch in the version's columns, widened to the declared types.
    /// - Throws: `column_missing`, `column_unknown` or `column_type`.
    func rows(of read: FrameBatch, verdict: inout RowVerdict) throws(LarderError) -> Rows {
        try check(read.batch.fields)
        var violations = read.violations
        var columns: [Column] = []
        for column in version.columns {
            guard let found = read.batch.column(column.name) else { continue }
            let widened = found.widened(to: column.type) { row in
                violations.append(
                    RowViolation(
                        row: read.firstRow + row, line: read.line(of: row), feature: column.name, code: "inexact",
                        message: "an integer beyond 2^53 is not exact as float64"))
            }
            guard let widened else {
                throw LarderError(
                    .columnType,
                    "column \"\(column.name)\" is \(read.untyped.typeText(of: column.name, found.type)), "
                        + "source \"\(source.name)\" declares \(column.type)",
                    hint: read.untyped.hint(
                        for: column.name, needing: column.type,
                        other: "convert the column; only lossless widening is accepted"))
            }
            columns.append(widened)
        }
        let tombstones = read.batch.column(Self.deletedColumn)
        if let tombstones, tombstones.type != .bool {
            throw Self.deletedColumnType(tombstones.type, read)
        }
        if read.lines.isEmpty { violations += infiniteTimes(in: columns, read) }
        violations += nulls(in: columns, tombstones, read, alreadyFound: Set(violations.map(\.place)))
        violations += longKeys(in: columns, read)
        verdict.add(rows: read.batch.rowCount, firstRow: read.firstRow, violations: violations)
        return Rows(columns: columns, tombstones: tombstones)
    }

    /// Said of a column of tombstones that has no truth values.
    static func deletedColumnType(_ type: ValueType, _ read: FrameBatch) -> LarderError {
        LarderError(
            .columnType,
            "column \"\(deletedColumn)\" is \(read.untyped.typeText(of: deletedColumn, type)), not bool",
            hint: read.untyped.hint(for: deletedColumn, needing: .bool, other: nil))
    }

    /// Infinite times, which no text can say but Arrow can.
    private func infiniteTimes(in columns: [Column], _ read: FrameBatch) -> [RowViolation] {
        var found: [RowViolation] = []
        for (declared, column) in zip(version.columns, columns) where column.type == .timestamp {
            for row in 0..<column.count where !column.isNull(row) {
                guard !Timestamp(microsecondsSince1970: column.int64s[row]).isFinite else { continue }
                found.append(
                    RowViolation(
                        row: read.firstRow + row, feature: declared.name, code: "out_of_range",
                        message: "the time is infinite"))
            }
        }
        return found
    }

    /// Row keys that the table's index could not hold.
    private func longKeys(in columns: [Column], _ read: FrameBatch) -> [RowViolation] {
        let keys = zip(version.columns, columns).filter { source.rowKey.contains($0.0.name) }
        var found: [RowViolation] = []
        RowChecker.checkKeys(keys.map { $0.1 }, names: keys.map { $0.0.name }, firstRow: read.firstRow) {
            found.append(
                RowViolation(
                    row: $1.row, line: read.line(of: $0), feature: $1.feature, code: $1.code, message: $1.message))
        }
        return found
    }

    /// A value that could not be read is a null by now; it is not reported a second time.
    private func nulls(
        in columns: [Column], _ tombstones: Column?, _ read: FrameBatch, alreadyFound: Set<RowViolation.Place>
    ) -> [RowViolation] {
        var found: [RowViolation] = []
        for (declared, column) in zip(version.columns, columns) where !declared.isNullable && column.nullCount > 0 {
            let isNeededInTombstones = source.rowKey.contains(declared.name) || source.timestampColumn == declared.name
            for row in 0..<column.count where column.isNull(row) {
                if !isNeededInTombstones, let tombstones, !tombstones.isNull(row), tombstones.bools[row] { continue }
                let violation = RowViolation(
                    row: read.firstRow + row, line: read.line(of: row),
                    feature: declared.name, code: "null_not_allowed", message: "null where a value is required")
                // Of a row that could not be taken apart, nothing more is known.
                let isUnreadable = alreadyFound.contains(.init(row: violation.row, feature: nil))
                if !isUnreadable, !alreadyFound.contains(violation.place) { found.append(violation) }
            }
        }
        return found
    }
}

extension RowViolation {
    struct Place: Hashable {
        let row: Int
        let feature: String?
    }

    var place: Place { Place(row: row, feature: feature) }
}
