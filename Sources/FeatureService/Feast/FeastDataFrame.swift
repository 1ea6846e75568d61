import FeatureDefinitions
import FeatureModel
import TextFormats

/// Rows as Feast's clients send them: the values of each column by its name.
struct FeastDataFrame: Sendable {
    private struct FrameColumn {
        let name: String
        let values: [JSONValue]
    }

    private let columns: [FrameColumn]

    /// Reads `{"driver_id": [1001, 1002], "conv_rate": [0.5, null], ...}`.
    /// - Throws: `request_invalid` naming the column; `too_many_rows`.
    init(_ json: JSONValue?, maximumRows: Int = .max) throws(LarderError) {
        let hint = #"write "df": {"KEY": [1, 2], "event_timestamp": ["2026-01-01T00:00:00", ...], "FEATURE": [0.5, 1]}"#
        guard case .object(let members) = json else {
            throw LarderError(.requestInvalid, "\"df\" is no object of columns", hint: hint)
        }
        var columns: [FrameColumn] = []
        for member in members {
            guard case .array(let values) = member.value else {
                throw LarderError(
                    .requestInvalid, "column \"\(member.name.prefix(63))\" of \"df\" is no array", hint: hint)
            }
            if let first = columns.first, first.values.count != values.count {
                throw LarderError(
                    .requestInvalid,
                    "columns \"\(first.name.prefix(63))\" and \"\(member.name.prefix(63))\" of \"df\" have "
                        + "\(first.values.count) and \(values.count) values",
                    hint: "give every column one value for each row")
            }
            columns.append(FrameColumn(name: member.name, values: values))
        }
        if let first = columns.first, first.values.count > maximumRows { throw .tooManyRows(maximumRows) }
        self.columns = columns
    }

    /// The rows as the version of a view that they go to takes them. A column that the view's source has and the view
    /// does not is left out: one push feeds several views.
    ///
    /// - Parameter targets: all that the rows go to; `push` is one of them.
    /// - Returns: also a sentence for each column whose values go nowhere.
    /// - Throws: `column_unknown` for the former name of a feature, and for a column that neither the views nor their
    ///   source have; `request_invalid` when one time is there under two names and they differ.
    func rows(
        for push: PushTarget, among targets: [PushTarget]
    ) throws(LarderError) -> (payload: RowPayload, warnings: [String]) {
        let places = FeastColumns(columns.map(\.name), for: push, among: targets)
        var taken: [(field: Field, column: FrameColumn)] = []
        var warnings: [String] = []
        for column in columns {
            switch try places.place(of: column.name) {
            case .leftOut(let warning):
                if let warning { warnings.append(warning) }
            case .field(let field):
                let read = FrameColumn(
                    name: column.name, values: column.values.map { Self.value($0, as: field.type) })
                if let same = taken.firstIndex(where: { $0.field.name == field.name }) {
                    taken[same].column = try Self.joined(taken[same].column, read)
                } else {
                    taken.append((field, read))
                }
            }
        }
        let rows = (0..<(columns.first?.values.count ?? 0)).map { row in
            JSONValue.object(taken.map { JSONValue.Member($0.field.name, $0.column.values[row]) })
        }
        return (try RowPayload(json: .array(rows)), warnings)
    }

    /// One time that comes under the source's name and under Feast's. Where one says nothing the other counts.
    private static func joined(_ first: FrameColumn, _ second: FrameColumn) throws(LarderError) -> FrameColumn {
        var values: [JSONValue] = []
        values.reserveCapacity(first.values.count)
        for (row, pair) in zip(first.values, second.values).enumerated() {
            guard pair.0 != .null, pair.1 != .null else {
                values.append(pair.0 == .null ? pair.1 : pair.0)
                continue
            }
            guard isSame(pair.0, pair.1) else {
                throw LarderError(
                    .requestInvalid,
                    "columns \"\(first.name)\" and \"\(second.name)\" of \"df\" are one time and differ in row "
                        + "\(row + 1): \(excerpt(pair.0)) and \(excerpt(pair.1))",
                    hint: "send one of the columns, or the same times in both")
            }
            values.append(pair.0)
        }
        return FrameColumn(name: first.name, values: values)
    }

    private static func isSame(_ first: JSONValue, _ second: JSONValue) -> Bool {
        if first == second { return true }
        guard case .string(let first) = first, case .string(let second) = second, let time = FeastTime.parse(first)
        else { return false }
        return time == FeastTime.parse(second)
    }

    private static func excerpt(_ value: JSONValue) -> String {
        String(String(decoding: value.serialized(), as: UTF8.self).prefix(40))
    }

    private static func value(_ value: JSONValue, as type: ValueType) -> JSONValue {
        switch (type, value) {
        case (.scalar(.timestamp), _): time(value)
        case (.array(.timestamp), .array(let elements)): .array(elements.map(time))
        default: value
        }
    }

    /// A time with its offset. Times that are features come in whole seconds since 1970, of which the least is null.
    /// What is no time is left to the checks of the rows.
    private static func time(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text):
            if case .civil? = TimestampText.parse(text.utf8, rounding: .up) { return .string(text + "Z") }
            return value
        case .number(let digits):
            guard let seconds = Int64(digits) else { return value }
            if seconds == .min { return .null }
            let (microseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
            let time = Timestamp(microsecondsSince1970: microseconds)
            return overflow || !time.isRepresentable ? value : .string(time.description)
        default: return value
        }
    }
}
