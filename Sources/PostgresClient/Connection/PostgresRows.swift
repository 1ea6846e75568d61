/// A column of a result.
public struct PostgresColumn: Sendable, Hashable {
    public var name: String
    public var type: PostgresType
    /// What `pg_attribute.atttypmod` holds, such as a length limit; -1 for none.
    public var typeModifier: Int32
}

/// The rows that a statement returned. They share the memory in which libpq received them; values are decoded when asked for.
public struct PostgresRows: Sendable, RandomAccessCollection {
    private let result: LibpqResult?
    private let shape: ResultShape

    public let startIndex = 0
    public let endIndex: Int

    init(_ result: LibpqResult?) {
        self.result = result
        self.shape = ResultShape((0..<(result?.columnCount ?? 0)).compactMap { result?.column($0) })
        self.endIndex = result?.rowCount ?? 0
    }

    public var columns: [PostgresColumn] { shape.columns }

    public subscript(position: Int) -> PostgresRow {
        precondition(indices.contains(position), "row \(position) of \(count)")
        return PostgresRow(result: result, row: position, shape: shape)
    }

    /// The value of a result that has exactly one row and one column, such as `SELECT count(*) …`.
    public func onlyValue<T: PostgresDecodable>(as type: T.Type = T.self) throws(PostgresError) -> T {
        guard count == 1, columns.count == 1 else {
            throw PostgresError(
                .decoding, "\(count) rows of \(columns.count) columns where one value was expected")
        }
        return try self[0].decode(at: 0, as: type)
    }
}

/// One row of a result.
public struct PostgresRow: Sendable {
    fileprivate let result: LibpqResult?
    fileprivate let row: Int
    fileprivate let shape: ResultShape

    public var columns: [PostgresColumn] { shape.columns }

    /// The field of the column with this name, of the first one where several share it; nil where there is none.
    public subscript(name: String) -> PostgresField? {
        shape.indexByName[name].map { PostgresField(row: self, index: $0) }
    }

    /// Decodes the field of the column with this name.
    public func decode<T: PostgresDecodable>(_ name: String, as type: T.Type = T.self) throws(PostgresError) -> T {
        guard let index = shape.indexByName[name] else {
            let names = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
            throw PostgresError(.decoding, "result has no column \"\(name)\"", hint: "its columns are \(names)")
        }
        return try decode(at: index, as: type)
    }

    /// Decodes the field at this position, counted from 0.
    public func decode<T: PostgresDecodable>(at index: Int, as type: T.Type = T.self) throws(PostgresError) -> T {
        guard columns.indices.contains(index) else {
            throw PostgresError(.decoding, "result has no column \(index)", hint: "it has \(columns.count)")
        }
        let column = columns[index]
        do {
            let value = try result?.withField(row: row, column: index) { (bytes) throws(PostgresError) in
                try T.decode(bytes, type: column.type)
            }
            if let value { return value }
            return try T.decodeNull()
        } catch {
            var located = error
            located.columnName = column.name
            located.message = "column \"\(column.name)\": \(error.message)"
            throw located
        }
    }
}

/// One field of a row, not decoded yet.
public struct PostgresField: Sendable {
    fileprivate let row: PostgresRow
    fileprivate let index: Int

    public var column: PostgresColumn { row.columns[index] }

    /// The field's bytes in PostgreSQL's binary format; nil where it is null.
    public var bytes: [UInt8]? {
        do {
            return try row.result?.withField(row: row.row, column: index) { (bytes) in bytes.copyBytes() }
        } catch {
            return nil
        }
    }

    public var isNull: Bool { bytes == nil }

    public func decode<T: PostgresDecodable>(as type: T.Type = T.self) throws(PostgresError) -> T {
        try row.decode(at: index, as: type)
    }
}

/// The columns of a result, found by name.
private final class ResultShape: Sendable {
    let columns: [PostgresColumn]
    let indexByName: [String: Int]

    init(_ columns: [PostgresColumn]) {
        self.columns = columns
        self.indexByName = Dictionary(
            columns.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { (first, _) in first })
    }
}
