import FeatureDefinitions
import FeatureModel

/// Columns that a view cannot do without, join keys and the event time, and that are null in rows its source gives.
///
/// A table takes such rows where the column may be null in it, and they stay: only the view can leave them out.
struct NullColumns {
    private struct Found {
        let name: String
        /// In the view, as messages name it.
        let role: String
        var rowCount: Int
        /// Where the first row is.
        let first: String
    }

    private var columns: [Found] = []

    var isEmpty: Bool { columns.isEmpty }

    /// Nulls in all of the columns.
    var nullCount: Int { columns.reduce(0) { $0 + $1.rowCount } }

    static func isEventTime(_ violation: RowViolation) -> Bool { violation.code == "null_timestamp" }

    private static func isJoinKey(_ violation: RowViolation) -> Bool { violation.code == "null_key" }

    /// Counts a violation, if it is a null in such a column.
    /// - Parameter place: of the row; asked for where it is the first of the column.
    mutating func add(_ violation: RowViolation, at place: () -> String) {
        guard Self.isJoinKey(violation) || Self.isEventTime(violation), let name = violation.feature else { return }
        if let index = columns.firstIndex(where: { $0.name == name }) {
            columns[index].rowCount += 1
        } else {
            let role = Self.isJoinKey(violation) ? "a join key" : "the event time"
            columns.append(Found(name: name, role: role, rowCount: 1, first: place()))
        }
    }

    /// Such as `column "origin" of source "weather", a join key, is null in 2 rows (the first: origin = null)`.
    func text(of source: RegisteredSource) -> String {
        columns.map { column in
            let rows = column.rowCount == 1 ? "1 row" : "\(column.rowCount) rows"
            let first = column.first.isEmpty ? "" : " (the first: \(column.first))"
            return "column \"\(column.name)\" of source \"\(source.name)\", \(column.role), is null in \(rows)\(first)"
        }.joined(separator: "; ")
    }

    /// How a view leaves the rows out.
    func way(outOf sql: SourceSQL) -> String {
        sql.wayToLeaveOut(
            unless: columns.map { "\(sql.source.name).\($0.name) IS NOT NULL" }.joined(separator: " AND "))
    }
}
