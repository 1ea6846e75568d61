internal import CLibpq
import Synchronization

/// Owns one `PGresult`.
///
/// Sendable: a PGresult is not changed after libpq hands it over, this class only reads it, and `deinit` runs when no
/// reader is left.
@safe
final class LibpqResult: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// Takes over a result from libpq.
    init(takingOwnership pointer: OpaquePointer) {
        unsafe self.pointer = pointer
        LiveHandles.resultCount.add(1, ordering: .relaxed)
    }

    deinit {
        unsafe PQclear(pointer)
        LiveHandles.resultCount.subtract(1, ordering: .relaxed)
    }

    /// What kind of answer this is; libpq's own enumeration is open.
    enum Status {
        case rows
        case command
        case emptyQuery
        case copyIn
        case copyOut
        case error
        case other
    }

    var status: Status {
        switch unsafe PQresultStatus(pointer) {
        case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: .rows
        case PGRES_COMMAND_OK: .command
        case PGRES_EMPTY_QUERY: .emptyQuery
        case PGRES_COPY_IN: .copyIn
        case PGRES_COPY_OUT: .copyOut
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: .error
        default: .other
        }
    }

    var rowCount: Int { Int(unsafe PQntuples(pointer)) }
    var columnCount: Int { Int(unsafe PQnfields(pointer)) }
    var parameterCount: Int { Int(unsafe PQnparams(pointer)) }
    /// Whether the data of a COPY are binary.
    var isBinary: Bool { unsafe PQbinaryTuples(pointer) == 1 }

    /// The number of rows a command affected; 0 for commands that count none.
    var affectedRowCount: Int {
        guard let text = unsafe PQcmdTuples(pointer) else { return 0 }
        return Int(unsafe String(cString: text)) ?? 0
    }

    /// The tag that PostgreSQL ends a command with, such as `INSERT 0 1`.
    var commandTag: String {
        guard let text = unsafe PQcmdStatus(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    func column(_ index: Int) -> PostgresColumn {
        let name = unsafe PQfname(pointer, Int32(index)).map { unsafe String(cString: $0) } ?? ""
        return PostgresColumn(
            name: name, type: PostgresType(rawValue: unsafe PQftype(pointer, Int32(index))),
            typeModifier: unsafe PQfmod(pointer, Int32(index)))
    }

    func parameterType(_ index: Int) -> PostgresType {
        PostgresType(rawValue: unsafe PQparamtype(pointer, Int32(index)))
    }

    /// Calls `body` with the bytes of a field, or returns nil where it is null.
    ///
    /// The caller keeps `row` and `column` within the counts above.
    func withField<R>(
        row: Int, column: Int, _ body: (RawSpan) throws(PostgresError) -> R
    ) throws(PostgresError) -> R? {
        guard unsafe PQgetisnull(pointer, Int32(row), Int32(column)) == 0,
            let bytes = unsafe PQgetvalue(pointer, Int32(row), Int32(column))
        else { return nil }
        let length = Int(unsafe PQgetlength(pointer, Int32(row), Int32(column)))
        // The bytes live as long as the result, and `self` outlives the call.
        let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: length)
        return try unsafe body(buffer.bytes)
    }

    private func diagnostic(_ field: Int32) -> String? {
        unsafe PQresultErrorField(pointer, field).map { unsafe boundedText($0) }
    }

    /// The error that the server, or libpq itself, reports through this result.
    var error: PostgresError {
        let wholeMessage = unsafe PQresultErrorMessage(pointer).map { unsafe boundedText($0) } ?? ""
        guard let state = diagnostic(larder_diag_sqlstate) else {
            return PostgresError(.protocolViolation, firstLine(of: wholeMessage))
        }
        var error = PostgresError(
            .server, diagnostic(larder_diag_message_primary) ?? firstLine(of: wholeMessage),
            sqlState: SQLState(rawValue: state))
        error.detail = diagnostic(larder_diag_message_detail)
        error.hint = diagnostic(larder_diag_message_hint)
        error.position = diagnostic(larder_diag_statement_position).flatMap { Int($0) }
        error.context = diagnostic(larder_diag_context)
        error.schemaName = diagnostic(larder_diag_schema_name)
        error.tableName = diagnostic(larder_diag_table_name)
        error.columnName = diagnostic(larder_diag_column_name)
        error.constraintName = diagnostic(larder_diag_constraint_name)
        return error
    }
}

/// libpq ends its messages with a line break and may append advice on further lines.
func firstLine(of message: String) -> String {
    message.split(separator: "\n", maxSplits: 1).first.map { String($0) } ?? "no message"
}
