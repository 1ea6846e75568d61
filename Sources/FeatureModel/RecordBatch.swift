/// A named column of a batch, a file or a table.
public struct Field: Sendable, Hashable {
    public let name: String
    public let type: ValueType
    public let isNullable: Bool

    public init(name: String, type: ValueType, isNullable: Bool = true) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
    }
}

/// Some rows of a table, as columns of equal length.
public struct RecordBatch: Sendable, Equatable {
    public let fields: [Field]
    public let columns: [Column]
    public let rowCount: Int

    /// Each column is of its field's type and has `rowCount` rows; `rowCount` is told apart from the columns
    /// because a batch may have rows and no columns.
    public init(fields: [Field], columns: [Column], rowCount: Int) {
        precondition(fields.count == columns.count, "\(fields.count) fields, \(columns.count) columns")
        for (field, column) in zip(fields, columns) {
            precondition(column.type == field.type, "field \(field.name) is \(field.type), its column \(column.type)")
            precondition(column.count == rowCount, "field \(field.name) has \(column.count) of \(rowCount) rows")
        }
        self.fields = fields
        self.columns = columns
        self.rowCount = rowCount
    }

    /// An empty batch of the given fields.
    public init(fields: [Field]) {
        self.init(fields: fields, columns: fields.map { Column(type: $0.type) }, rowCount: 0)
    }

    public func columnIndex(_ name: String) -> Int? {
        fields.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }

    public func column(_ name: String) -> Column? {
        columnIndex(name).map { columns[$0] }
    }

    public func slice(_ rows: Range<Int>) -> RecordBatch {
        RecordBatch(fields: fields, columns: columns.map { $0.slice(rows) }, rowCount: rows.count)
    }
}
