import FeatureModel

/// Some neighbouring rows of a spine: every column as it came, with what the join needs found and checked.
struct SpineSegment {
    static let timestampColumnHint = "name the column of times with the option timestamp_column (--timestamp-column)"

    /// The columns that go into the training set, untouched.
    let batch: RecordBatch
    /// With the keys and timestamps of their types; the same columns, or others where those are kept as text.
    private let typed: RecordBatch
    /// Microseconds since 1970, one a row.
    let timestamps: [Int64]
    private let name: String
    private let untyped: UntypedColumns

    var rowCount: Int { batch.rowCount }

    /// - Parameters:
    ///   - firstRow: number of the first row in the spine, from 1.
    ///   - name: of the spine, for errors.
    ///   - untyped: those of its columns of which it does not say what type their values would have.
    /// - Throws: `LarderError` `spine_invalid`, `column_missing`, `column_type`, `join_key_missing` or `join_key_type`,
    ///   naming column and row.
    init(
        _ batch: RecordBatch, typed: RecordBatch, firstRow: Int, requestKeys: [JoinKey], timestampColumn: String,
        name: String, untyped: UntypedColumns = .none
    ) throws(LarderError) {
        self.batch = batch
        self.typed = typed
        self.name = name
        self.untyped = untyped
        timestamps = try typed.timestamps(timestampColumn, firstRow: firstRow, of: name, untyped)
        for key in requestKeys { _ = try keyColumn(key) }
    }

    /// The column of a request key, of a type that can hold the key's values.
    /// - Throws: `join_key_missing` or `join_key_type`.
    func keyColumn(_ key: JoinKey) throws(LarderError) -> Column {
        guard let column = typed.column(key.name) else {
            throw LarderError(
                .joinKeyMissing,
                "spine \"\(name)\" has no column \"\(key.name)\", which a feature view needs as a join key",
                hint: "its columns: \(batch.fields.map(\.name).joined(separator: ", "))")
        }
        let isInteger = [.int32, .int64].contains(column.type) && [.int32, .int64].contains(key.type)
        guard column.type == key.type || isInteger else {
            throw LarderError(
                .joinKeyType,
                "column \"\(key.name)\" of spine \"\(name)\" is \(untyped.typeText(of: key.name, column.type)), "
                    + "the join key is \(key.type)",
                hint: untyped.hint(for: key.name, needing: key.type, other: "convert the column to \(key.type)"))
        }
        return column
    }
}

extension RecordBatch {
    fileprivate func timestamps(
        _ column: String, firstRow: Int, of spine: String, _ untyped: UntypedColumns
    ) throws(LarderError) -> [Int64] {
        guard let values = self.column(column) else {
            throw LarderError(
                .columnMissing, "spine \"\(spine)\" has no timestamp column \"\(column)\"",
                hint: "\(SpineSegment.timestampColumnHint); the spine's columns: "
                    + fields.map(\.name).joined(separator: ", "))
        }
        guard values.type == .timestamp else {
            throw LarderError(
                .columnType,
                "column \"\(column)\" of spine \"\(spine)\" is \(untyped.typeText(of: column, values.type)), "
                    + "not timestamp",
                hint: untyped.hint(for: column, needing: .timestamp, other: "convert the column to a timestamp"))
        }
        if values.nullCount > 0, let row = (0..<values.count).first(where: { values.isNull($0) }) {
            throw LarderError(
                .spineInvalid,
                "row \(firstRow + row) of spine \"\(spine)\" has a null in timestamp column \"\(column)\"",
                hint: "every row of a spine needs the time its features are wanted for")
        }
        return values.int64s
    }
}
